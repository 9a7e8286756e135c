import type { FeedSource, Tags } from '@loads-runner/testcase'
import type { Recorder } from '@loads-runner/metrics'
import type { ThreadState } from './thread-state.ts'
import type { ThreadSetup } from './thread-messages.ts'

/**
 * How an execution ended for its user. interrupted: cut from outside; unusable: the user could not be set up and cannot
 * go on.
 */
export type ExecutionEnd = 'finished' | 'interrupted' | 'unusable'

/** One virtual user, whatever runs it: a TestCase in this thread or a process of its own. One execution at a time. */
export interface LoadUser {
  readonly user: number
  /** performance.now() at the end of the last execution. */
  readonly endedAt: number
  /**
   * Makes one execution. Never rejects.
   *
   * @param iteration number of the execution in models that know executions by user and iteration
   * @param ordinal number of the execution in its scenario
   * @param intendedAt when it should have begun (performance.now()), in open models; its lateness and response time
   * are recorded then
   */
  execute(iteration: number, ordinal: number, intendedAt: number | null): Promise<ExecutionEnd>
  /** After its last execution: tearDownUser, connections. Never rejects. */
  end(): Promise<void>
  /** Cuts the running execution: it counts as interrupted, tearDown still runs. */
  cut(): void
  /** The run ends: cuts the running execution, and clean-up gets little time. */
  cancel(): void
  /** Cuts the running execution if it began before this time (performance.now()): it counts as an error. */
  timeOutSince(begunBefore: number): void
  /** An external runner: makes its part of a closed model by itself. */
  readonly runPart?: (part: UserPart) => Promise<void>
  /** An external runner: asks it to end after its current execution. */
  readonly drain?: () => void
}

/** What one external user does by itself. */
export interface UserPart {
  fromIteration: number
  /** Executions in all, those before `fromIteration` included; null: until the time is over. */
  iterations: number | null
  /** No execution starts after this time (performance.now()); null when bounded by iterations, or by an operator. */
  endsAt: number | null
  /** Called after each finished execution with the number of finished iterations. */
  onProgress(done: number): void
}

/** What all users of a load thread share. */
export interface UserSurroundings {
  readonly setup: ThreadSetup
  readonly recorder: Recorder
  readonly state: ThreadState
  readonly feeds: FeedSource
  /** What setUpRun returned, by `module.Class`. */
  readonly runData: Readonly<Record<string, unknown>>
  /** Set when no further execution may start. */
  readonly draining: boolean
  /** Lets the event loop turn where tests never wait. `now`: performance.now() */
  breathe(now: number): Promise<void> | null
  log(level: 'info' | 'warning' | 'error', text: string): void
  /** Publishes a note about this moment of the run; a flood of them is counted, not kept. */
  annotate(text: string, tags: Tags): void
}
