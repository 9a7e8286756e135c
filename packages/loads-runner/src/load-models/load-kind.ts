import type { LoadModel } from '@loads-runner/testcase/load'
import type { LoadKey } from '../options/load.ts'
import type { GivenLoad } from './given-load.ts'

/** What a plan takes from elsewhere where options are silent. */
export interface LoadContext {
  /** Agents that were asked for; null for a local run. */
  agents: number | null
  /** Executions that run every test as often as its weight says. */
  round: number
}

/** A load model on this side: from options to the model. One file per model; all in the order of these members. */
export interface LoadKind<M extends LoadModel> {
  type: M['type']
  /** Options that shape it. Any other option of load beside them is a contradiction. */
  options: readonly LoadKey[]
  /** Everything that is wrong, each with what to do. */
  validate(load: GivenLoad): string[]
  /** What it cannot do without, and nobody gave. Asked when all places are known. */
  missing?(load: GivenLoad): string[]
  /** In a line: `50 users for 30s`. */
  describe(model: M): string
  /** Its stages. Only for a load without problems. */
  plan(load: GivenLoad, context: LoadContext): M[]
}

/** Users of an open model where none are asked for. */
export const mostUsersOnDemand = 10_000
