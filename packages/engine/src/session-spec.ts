import type { Delta } from '@loads-runner/metrics'
import type { Tags, TargetOptions } from '@loads-runner/testcase'
import type { ControlChange, LoadProfile, MovedUnit, Share } from '@loads-runner/testcase/load'
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
  /** How long executions may go on after a stop before they are cancelled. At the end of a stage the scenario says. */
  drainMs: number
  testTimeoutMs: number
  /** Starts of open models are waited for without giving up the processor: closer to the plan, one core per thread. */
  precise: boolean
  /** Run this execution alone. `unit` is the user; in open models and shared hits `iteration` is the ordinal. */
  replay: { scenario: string; unit: number; iteration: number } | null
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
  /** Executions of the share, and in open models those that fell due; 0 for closed stages bounded by time. */
  planned: number
  started: number
  finished: number
  interrupted: number
  /** Open models: fell due and never started. planned = started + dropped when nothing waits any more. */
  dropped: number
}

/** What tells whether the generator was the limit, in one window. */
export interface GeneratorHealth {
  eventLoopLagMs: number
  /** CPU seconds per second. */
  cpu: number
  /** Milliseconds in which the worst load thread collected garbage. */
  gcMs: number
  /** 99th percentile of how late starts were although a user was free; 0 without such starts. */
  latenessMs: number
  /** A connection could not be made because no local port was left. */
  portsExhausted: boolean
}

/** Rows of a leased feed that were used: first, count, first, count ... */
export interface UsedRows {
  feed: string
  used: number[]
}

export interface SessionWindow {
  number: number
  /** Milliseconds after the session's start. */
  fromMs: number
  toMs: number
  final: boolean
  activeUsers: number
  ledger: SessionLedger
  /** unit, done, unit, done ... of the units that moved on in this window: iterations; in open models starts */
  progress: number[]
  delta: Delta
  generator: GeneratorHealth
  rows: UsedRows[]
}

export type LogLevel = 'info' | 'warning' | 'error'

/** What a session tells its agent. */
export interface SessionListener {
  stageDone(stage: number): void
  window(window: SessionWindow): void
  /** Rows of a leased feed are needed; answered by {@link SessionControl.rows}. `size`: rows of the file. */
  leaseRows(feed: string, size: number, count: number): void
  log(level: LogLevel, text: string): void
  /** A test has something to say about this moment of the run. 20 per second at most, cut to their limits. */
  note(text: string, tags: Tags): void
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
  /** Stages are numbered by `runStages`. The first call is the start of the run's clock. May be said again. */
  startStage(stage: number): void
  /** Takes over units of a lost agent. */
  addUnits(units: MovedUnit[]): void
  /** All changes of an externally controlled stage so far, in order. May be said again. */
  control(stage: number, changes: ControlChange[]): void
  /** Rows `first` to `first + count - 1` of a leased feed are this session's; a count of 0: none is left. */
  rows(feed: string, first: number, count: number): void
  restrictTo(series: string[]): void
  /** No stage follows: when the users of all have ended, the final window is sent. */
  finish(): void
  /** Ends the load; the final window follows when all users have ended. */
  stop(mode: StopMode): void
  /** Ends everything at once and removes the session's directory. */
  close(): Promise<void>
}
