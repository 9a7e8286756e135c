import type { Point } from './point.ts'

/** What a server said to a write. */
export interface WriteAnswer {
  status: number
  /** In its own words; '' when it said nothing. */
  text: string
  /** How long it wants to be left alone, where it says so. */
  retryAfterMs: number | null
}

/** One version of InfluxDB. */
export interface PointWriter {
  /** For messages: server and database, without secrets. */
  readonly target: string
  /** What to do where the server does not let us in. */
  readonly accessHint: string
  /** What to do where it knows no such database. */
  readonly missingHint: string
  /**
   * Makes the database where there is none, if that is possible.
   *
   * @throws {OutputError} OUTPUT_REFUSED; anything else: try again later
   */
  prepare(signal: AbortSignal): Promise<void>
  /** Resolves with whatever the server answers; rejects when it does not answer. */
  send(points: readonly Point[], signal: AbortSignal): Promise<WriteAnswer>
  close(): Promise<void>
}
