import type { DataFormat, OnRow, RowScanner, ScanStart } from './data-format.ts'
import { parseJsonRow } from './json-row.ts'

const newline = 0x0a

/** One JSON object on each line; empty lines are skipped. */
export const jsonLinesFormat: DataFormat = {
  hasHeader: false,
  scanner: (start, onRow) => new LineScanner(start, onRow),
  parser: () => parseJsonRow,
}

class LineScanner implements RowScanner {
  readonly #onRow: OnRow
  #position: number
  #line: number
  /** Where the first byte that is no space stands; -1 before it. */
  #start = -1

  constructor({ position, line }: ScanStart, onRow: OnRow) {
    this.#onRow = onRow
    this.#position = position
    this.#line = line
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#start < 0) {
        const byte = chunk[at]!
        if (byte === newline) this.#line++
        if (byte === newline || byte === 0x20 || byte === 0x09 || byte === 0x0d) {
          at++
          continue
        }
        this.#start = this.#position + at
      }
      const end = chunk.indexOf(newline, at)
      if (end < 0) break
      this.#onRow(this.#start, this.#position + end, this.#line++)
      this.#start = -1
      at = end + 1
    }
    this.#position += chunk.length
  }

  end(): void {
    if (this.#start >= 0) this.#onRow(this.#start, this.#position, this.#line)
  }
}
