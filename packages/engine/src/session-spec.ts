import type { Delta } from '@loads-runner/metrics'
import type { LoadProfile, MovedUser, Share, TargetOptions } from '@loads-runner/testcase'
import type { SelectedTest } from './select-tests.ts'

/** What a session must know of a run. */
export interface SessionSpec {
  tests: SelectedTest[]
  profile: LoadProfile
  seed: number
  /** Load threads; null: as many as the users and cores suggest; 0: the main thread, for a debugger. */
  workers: number | null
  target: TargetOptions
  params: Record<string, string>
  env: Record<string, string>
  secrets: Record<string, string>
  /** Command of an external runner; null for TestCase classes. */
  testRunner: string | null
  windowMs: number
  maxSeries: number
  drainMs: number
  testTimeoutMs: number
}

export interface SessionOptions {
  runId: string
  agent: string
  spec: SessionSpec
  share: Share
  /** Archive of the tests; null for an external runner without files. */
  bundle: Uint8Array | null
  /** Where to make the session's directory; null: the system's temporary directory. */
  workDir: string | null
  /** The process is the session's alone: it may change its working directory. */
  ownProcess: boolean
}

export type StopMode = 'drain' | 'cancel' | 'kill'

/** Executions of a session since its start. started = finished + interrupted + running. */
export interface SessionLedger {
  planned: number
  started: number
  finished: number
  interrupted: number
}

export interface SessionWindow {
  number: number
  /** Milliseconds after the session's start. */
  fromMs: number
  toMs: number
  final: boolean
  activeUsers: number
  ledger: SessionLedger
  /** user, finished iterations, user, finished iterations ... of the users that moved on in this window */
  progress: number[]
  delta: Delta
  generator: { eventLoopLagMs: number; cpu: number }
}

export type LogLevel = 'info' | 'warning' | 'error'

/** What a session tells its agent. */
export interface SessionListener {
  stageDone(stage: number): void
  window(window: SessionWindow): void
  log(level: LogLevel, text: string): void
  /** The session is gone without its final window. Nothing follows. */
  lost(reason: string): void
}

/** What an agent tells a session: the same for one in this process and one in a child process. */
export interface SessionControl {
  /**
   * Loads the tests.
   *
   * @returns the number of load threads
   * @throws {EngineError} TEST_DOES_NOT_LOAD and others, with the contract's exit code
   */
  prepare(): Promise<number>
  /** Runs setUpAgent with what setUpRun returned: JSON text by class name. @throws {EngineError} SET_UP_FAILED */
  arm(data: string): Promise<void>
  startStage(stage: number): void
  addUsers(users: MovedUser[]): void
  restrictTo(series: string[]): void
  /** No stage follows: when the users of the last one have ended, the final window is sent. */
  finish(): void
  /** Ends the load; the final window follows when all users have ended. */
  stop(mode: StopMode): void
  /** Ends everything at once and removes the session's directory. */
  close(): Promise<void>
}
