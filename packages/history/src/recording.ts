import type { Summary } from '@loads-runner/metrics'
import type { RunEvent, RunSpec } from '@loads-runner/protocol'
import { HistoryError } from './errors.ts'

/** Where the tests of a run came from: enough to bundle them again. */
export interface TestSource {
  /** Absolute, on the machine that started the run. */
  testDir: string
  includeFile: readonly string[]
  external: readonly string[]
}

/** A run on disk. */
export interface Recording {
  readonly runId: string
  /** Of its directory; absolute. */
  readonly path: string
  /** Without the values of secrets. */
  readonly spec: RunSpec
  /** Null in a broker's journal. */
  readonly source: TestSource | null
  /** Null when the run did not come to its end, or nobody saw it: a `kill -9`. */
  readonly summary: Summary | null
  /** Its events in order, the snapshot first; a new reading each time. */
  events(): AsyncIterable<RunEvent>
}

export async function openRecording(path: string): Promise<Recording> {
  throw new HistoryError('HISTORY_NOT_A_RUN', path)
}
