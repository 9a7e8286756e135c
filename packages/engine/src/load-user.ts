import type { ThreadState } from './thread-state.ts'
import type { Recorder } from '@loads-runner/metrics'
import type { Pause } from './pause.ts'
import type { ThreadSetup } from './thread-messages.ts'
import type { TestCycle } from './test-cycle.ts'

/** One virtual user, whatever runs it: a TestCase in this thread or a process of its own. */
export interface LoadUser {
  /** Runs its part of a stage to the end. Never rejects. */
  run(part: UserPart): Promise<void>
  /** No further execution may start. */
  drain(): void
  /** Cuts the running execution: it counts as interrupted, tearDown still runs. */
  cancel(): void
  /** Cuts the running execution if it began before this time (performance.now()): it counts as an error. */
  timeOutSince(begunBefore: number): void
}

/** What one user does in one stage. */
export interface UserPart {
  user: number
  stage: number
  fromIteration: number
  /** Executions in all, those before `fromIteration` included; null: until the stage's time is over. */
  iterations: number | null
  /** No execution starts after this time (performance.now()); null when bounded by iterations. */
  endsAt: number | null
  /** Called after each finished execution with the number of finished iterations. */
  onProgress(done: number): void
}

/** What all users of a load thread share. */
export interface UserSurroundings {
  readonly setup: ThreadSetup
  readonly recorder: Recorder
  readonly state: ThreadState
  readonly pause: Pause
  readonly cycle: TestCycle
  /** What setUpRun returned, by `module.Class`. */
  readonly runData: Readonly<Record<string, unknown>>
  /** Set when no further execution may start. */
  readonly draining: boolean
  /** Lets the event loop turn now and then, for tests that never wait. */
  breathe(): Promise<void> | null
  log(level: 'info' | 'warning' | 'error', text: string): void
}

/** May the user go on with this iteration? */
export function mayStart(part: UserPart, iteration: number, surroundings: UserSurroundings): boolean {
  if (surroundings.draining) return false
  if (part.iterations !== null && iteration >= part.iterations) return false
  return part.endsAt === null || performance.now() < part.endsAt
}
