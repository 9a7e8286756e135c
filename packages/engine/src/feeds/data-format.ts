import type { FeedRow } from '@loads-runner/testcase'

/** Told of each row: where its bytes are in the file (`end` is behind them), and the line it begins on, from 1. */
export type OnRow = (start: number, end: number, line: number) => void

/** Where a scan begins: before a row. */
export interface ScanStart {
  position: number
  line: number
  /** False at the beginning of the file, true at a row somewhere in it. */
  inside: boolean
}

/** Finds rows in bytes that come piece by piece. Keeps positions only, so a file of any size needs no memory. */
export interface RowScanner {
  /** @throws {MalformedData} */
  push(chunk: Buffer): void
  /**
   * No more bytes follow. Called for a whole file only.
   *
   * @throws {MalformedData}
   */
  end(): void
}

/** @throws {Error} with the reason alone */
export type ParseRow = (row: Buffer) => FeedRow

export interface DataFormat {
  /** The first row names the columns. */
  readonly hasHeader: boolean
  scanner(start: ScanStart, onRow: OnRow): RowScanner
  /** @throws {Error} with the reason alone: a header that does not name columns */
  parser(header: Buffer | null): ParseRow
}
