import type { ControlChange, MovedUnit, UnitRange } from '@loads-runner/testcase/load'
import type { LoadUser, UserSurroundings } from '../load-user.ts'
import type { StageView } from '../stage-view.ts'

/** Runs the part of one stage that one load thread has: one load model each. */
export interface Executor {
  /** Begins units from their start. `progress`: per unit, in order, what it has done. */
  start(range: UnitRange, progress: Uint32Array): void
  /** Units that go on where they stopped elsewhere. */
  join(units: readonly MovedUnit[], progress: Uint32Array): void
  /** No further execution starts. */
  drain(): void
  /** Cuts what runs; nothing further starts. */
  cancel(): void
  /** Cuts executions that began before this time (performance.now()): they count as errors. */
  timeOutSince(begunBefore: number): void
  /** Called every 100 ms or so: what need not be more punctual than that. */
  beat(now: number): void
  /** All changes of an externally controlled model so far; other models have none. */
  control(changes: readonly ControlChange[]): void
  /** No user runs, and none will by itself. */
  readonly idle: boolean
}

export interface ExecutorOptions {
  view: StageView
  around: UserSurroundings
  makeUser: (user: number) => LoadUser
  /** Called each time that the last user has ended. */
  onIdle: () => void
}
