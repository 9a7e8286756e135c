import type { Comparison } from '@loads-runner/history'
import type { Annotation, RunEvent, RunRow } from '@loads-runner/protocol'
import type { RunListRow } from './model.ts'

/** What a dashboard shows and steers, whoever holds it: a broker in this process, one far away, directories of results. */
export interface RunSource {
  /** Runs that a broker knows now. */
  runs(): Promise<RunRow[]>
  /** Calls back for each run that is new or has changed its state, until the returned function is called. */
  onRun(handler: (row: RunRow) => void): () => void
  /**
   * Hands over the events of a run, snapshot first, until the returned function is called.
   *
   * @param lost called once when no more events will come although the run may go on: it can be followed again
   */
  follow(runId: string, handler: (event: RunEvent) => void, lost?: () => void): Promise<() => void>
  /** @throws an error with a message for people when the broker refuses */
  stop(runId: string, mode: 'drain' | 'cancel' | 'kill'): Promise<void>
  control(
    runId: string,
    change: { scenario: string | null; target: number | null; paused: boolean | null },
  ): Promise<{ scenario: string; target: number; paused: boolean }>
  annotate(runId: string, annotation: Annotation): Promise<void>
}

/** Runs that are over and kept on disk. */
export interface PastRuns {
  list(): Promise<RunListRow[]>
  /** The stored events of a run, in order; null when it is not known. */
  events(runId: string): Promise<AsyncIterable<RunEvent> | null>
  /** What has changed from one run to another, and whether that is chance; null when one is not known. */
  compare(before: string, after: string): Promise<Comparison | null>
}
