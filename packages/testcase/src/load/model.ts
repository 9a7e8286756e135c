/**
 * The load models of a scenario: pure data, the same on the command line, in a plan file and on the wire.
 *
 * Closed models have users that start their next execution when the last one has ended. Open models have a schedule of
 * starts that does not care how the target fares. Times are milliseconds, rates are executions per second over the
 * whole cluster, users are counted over the whole cluster.
 */

/** A fixed number of users for a time. */
export interface ConstantUsers {
  type: 'constant-users'
  users: number
  durationMs: number
  /** The users start spread over this time. */
  rampUpMs: number
}

/** A fixed number of users, each with the same number of executions. */
export interface HitsPerUser {
  type: 'hits-per-user'
  users: number
  iterations: number
  rampUpMs: number
  /** No execution starts later; null: without limit. */
  maxDurationMs: number | null
}

/** A fixed number of executions, made by whichever user is free. */
export interface SharedHits {
  type: 'shared-hits'
  users: number
  hits: number
  rampUpMs: number
  maxDurationMs: number | null
}

/** Where a line goes: from the target of the step before, in a straight line over `durationMs`, to `target`. */
export interface Step {
  durationMs: number
  target: number
}

/** A number of users that changes along a line. A user above the line ends its execution and rests. */
export interface RampingUsers {
  type: 'ramping-users'
  startUsers: number
  steps: Step[]
}

/** When the starts of an open model fall due: evenly, or at random with the same mean (a Poisson process). */
export type Spacing = 'uniform' | 'poisson'

interface OpenModel {
  spacing: Spacing
  /** Users are made when they are needed, up to this many. */
  users: number
  /** An execution that could not start for so long is dropped and counted. */
  maxLateMs: number
}

export interface ConstantRate extends OpenModel {
  type: 'constant-rate'
  rate: number
  durationMs: number
}

export interface RampingRate extends OpenModel {
  type: 'ramping-rate'
  startRate: number
  steps: Step[]
}

/** Users, or a rate, that an operator changes while the run goes on. */
export interface ExternallyControlled extends OpenModel {
  type: 'externally-controlled'
  controls: 'users' | 'rate'
  /** Users or rate at the start. */
  start: number
  /** Null: until it is stopped. */
  durationMs: number | null
}

export type LoadModel =
  ConstantUsers | HitsPerUser | SharedHits | RampingUsers | ConstantRate | RampingRate | ExternallyControlled

/** Between two executions of one user. Milliseconds. */
export type Pause =
  | { type: 'none' }
  | { type: 'constant'; ms: number }
  | { type: 'uniform'; fromMs: number; toMs: number }
  | { type: 'exponential'; meanMs: number }
  /** Executions of a user start this far apart, however long they take; one that takes longer is followed at once. */
  | { type: 'pacing'; ms: number }

/** What an operator has asked of an externally controlled model, from a time on. */
export interface ControlChange {
  /** Milliseconds after the start of the model. */
  atMs: number
  /** Users or rate from then on. */
  target: number
  paused: boolean
}

export function isOpen(model: LoadModel): model is ConstantRate | RampingRate | ExternallyControlled {
  if (model.type === 'externally-controlled') return model.controls === 'rate'
  return model.type === 'constant-rate' || model.type === 'ramping-rate'
}

/** Milliseconds after which no execution starts any more; null: bounded by executions, or by nothing. */
export function durationOf(model: LoadModel): number | null {
  switch (model.type) {
    case 'constant-users':
    case 'constant-rate':
    case 'externally-controlled':
      return model.durationMs
    case 'hits-per-user':
    case 'shared-hits':
      return model.maxDurationMs
    case 'ramping-users':
    case 'ramping-rate':
      return model.steps.reduce((sum, step) => sum + step.durationMs, 0)
  }
}

/** The most users that a model can have at one time. */
export function mostUsersOf(model: LoadModel): number {
  if (model.type !== 'ramping-users') return model.users
  return Math.max(model.startUsers, ...model.steps.map((step) => step.target))
}
