import type { Interval, RunView } from '@loads-runner/history'
import type { Delta, Summary } from '@loads-runner/metrics'
import type { RunEvent, RunSpec } from '@loads-runner/protocol'

/** What an output is told of the run it writes. */
export interface OutputRun {
  readonly runId: string
  /** Without the values of secrets. */
  readonly spec: RunSpec
  /**
   * All that is known of the run so far: as new as the newest record that was made, which may be ahead of the one that
   * is being written. Its figures are kept for outputs that want more than the end.
   */
  readonly view: RunView
}

/** Everything that happens in a run, as outputs get it: in order. */
export type OutputRecord =
  /** Time goes by: one per second, ten seconds and minute; late figures hand one out again with its next revision. */
  | { type: 'interval'; interval: Interval }
  /** Figures as they were committed, for outputs that only ever add up. Sums of these are the totals. */
  | { type: 'figures'; at: number; elapsedMs: number; warmUp: boolean; delta: Delta }
  /** Anything else: states, agents, thresholds, notes, faults, observations, log lines. */
  | { type: 'event'; event: Exclude<RunEvent, { type: 'commit' | 'snapshot' | 'finished' }> }
  /** Every event of the run as it came, snapshots and commits included: for outputs with a model of their own. */
  | { type: 'raw'; event: RunEvent }
  /** Last of all. */
  | { type: 'end'; summary: Summary | null }

export type RecordType = OutputRecord['type']

export const recordTypes: ReadonlySet<RecordType> = new Set(['interval', 'figures', 'event', 'raw', 'end'])

/**
 * Writes runs elsewhere. One is made per run. Whoever feeds it isolates it: each call has a time limit, what it throws
 * is retried, what it cannot take is dropped and counted. An output need not know of any of that.
 */
export interface Output {
  /** As in `--output`: `influx`, `csv`. */
  readonly name: string
  /** Types of records that it wants. */
  readonly wants: ReadonlySet<RecordType>
  /** Lengths of intervals that it wants, in milliseconds. */
  readonly spansMs: readonly number[]
  /** Records that are written together at most; 1 is one by one. */
  readonly batch: number
  /**
   * Called before the first record, once, or again after it has rejected.
   *
   * @throws {OutputError} OUTPUT_REFUSED: it will never work (wrong credentials): the run is told and goes on without it;
   *   anything else: it is tried again, with growing pauses
   */
  open(run: OutputRun): Promise<void>
  /**
   * Writes records, in order. Rejects when none of them was written, or writing them again does no harm; they are then
   * handed over again.
   */
  write(records: readonly OutputRecord[], signal: AbortSignal): Promise<void>
  /** Everything is written, or given up. Called once, whether or not `open` worked. */
  close(): Promise<void>
}

/** How an output does: shown in the console and on the page, and part of the run's log when something is lost. */
export interface OutputHealth {
  name: string
  written: number
  waiting: number
  dropped: number
  retries: number
  /** Why it does not work at present; null when it does. */
  trouble: string | null
}
