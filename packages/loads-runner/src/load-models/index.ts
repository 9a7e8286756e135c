/**
 * The load models, one file each, all in the same order: options, validate, describe, plan.
 */
import type { LoadModel } from '@loads-runner/testcase/load'
import { constantRate } from './constant-rate.ts'
import { constantUsers } from './constant-users.ts'
import { settle, settleFor } from './contradictions.ts'
import { externallyControlled } from './externally-controlled.ts'
import type { GivenLoad } from './given-load.ts'
import { hitsPerUser } from './hits-per-user.ts'
import type { LoadContext, LoadKind } from './load-kind.ts'
import { rampingRate } from './ramping-rate.ts'
import { rampingUsers } from './ramping-users.ts'
import { sharedHits } from './shared-hits.ts'

export { GivenLoad } from './given-load.ts'
export type { LoadLayer } from './given-load.ts'
export type { LoadContext } from './load-kind.ts'

type Kinds = { [T in LoadModel['type']]: LoadKind<Extract<LoadModel, { type: T }>> }

const kinds: Kinds = {
  'constant-users': constantUsers,
  'ramping-users': rampingUsers,
  'shared-hits': sharedHits,
  'hits-per-user': hitsPerUser,
  'constant-rate': constantRate,
  'ramping-rate': rampingRate,
  'externally-controlled': externallyControlled,
}

/** Everything that is wrong with a load. What a nearer place overrules is dropped from `load`. */
export function problemsOf(load: GivenLoad): string[] {
  const contradictions = settle(load)
  const kind = kindOf(load)
  return [...contradictions, ...settleFor(load, kind), ...kind.validate(load)]
}

/** What a load without problems still lacks. */
export function missingIn(load: GivenLoad): string[] {
  return kindOf(load).missing?.(load) ?? []
}

/** The stages of a load without problems. */
export function planLoad(load: GivenLoad, context: LoadContext): LoadModel[] {
  return kindOf(load).plan(load, context)
}

/** A model in a line. */
export function describeModel(model: LoadModel): string {
  return (kinds[model.type] as LoadKind<LoadModel>).describe(model)
}

function kindOf(load: GivenLoad): LoadKind<LoadModel> {
  return kinds[typeOf(load)] as LoadKind<LoadModel>
}

function typeOf(load: GivenLoad): LoadModel['type'] {
  if (load.has('controlled')) return 'externally-controlled'
  if (load.has('stages')) return load.has('rate') ? 'ramping-rate' : 'ramping-users'
  if (load.has('rate')) return 'constant-rate'
  if (load.has('sharedHits')) return 'shared-hits'
  return load.has('duration') ? 'constant-users' : 'hits-per-user'
}
