import { parse } from 'csv-parse/sync'
import type { DataFormat, OnRow, ParseRow, RowScanner, ScanStart } from './data-format.ts'
import { MalformedData } from './malformed-data.ts'

const newline = 0x0a
const carriageReturn = 0x0d
const quote = 0x22

/** Comma-separated values (RFC 4180): a header, quotes, quoted new lines; empty lines are skipped. */
export function csvFormat(delimiter: string): DataFormat {
  return {
    hasHeader: true,
    scanner: (start, onRow) => new CsvScanner(start, onRow, delimiter.charCodeAt(0)),
    parser: (header) => rowParser(header, delimiter),
  }
}

/**
 * Finds the ends of rows: new lines that no quotes are around. Where there are none before the next new line it leaps
 * from one new line to the next.
 */
class CsvScanner implements RowScanner {
  readonly #onRow: OnRow
  readonly #delimiter: number
  /** Of the first byte of the next chunk, in the file. */
  #position: number
  #rowStart: number
  #rowLine: number
  #line: number
  /** In a quoted value; or behind a quote in one, which ends it unless another quote follows. */
  #state: 'plain' | 'quoted' | 'behind quote' = 'plain'
  /** The byte before the chunk. */
  #last = newline

  constructor(start: ScanStart, onRow: OnRow, delimiter: number) {
    this.#onRow = onRow
    this.#delimiter = delimiter
    this.#position = start.position
    this.#rowStart = start.position
    this.#line = start.line
    this.#rowLine = start.line
  }

  push(chunk: Buffer): void {
    const base = this.#position
    let at = 0
    let nextQuote = chunk.indexOf(quote)
    while (at < chunk.length) {
      if (this.#state === 'quoted') {
        const end = chunk.indexOf(quote, at)
        this.#countLines(chunk, at, end < 0 ? chunk.length : end)
        if (end < 0) break
        this.#state = 'behind quote'
        at = end + 1
        continue
      }
      if (this.#state === 'behind quote') {
        this.#state = chunk[at] === quote ? 'quoted' : 'plain'
        if (this.#state === 'quoted') at++
        continue
      }
      const end = chunk.indexOf(newline, at)
      if (nextQuote >= 0 && nextQuote < at) nextQuote = chunk.indexOf(quote, at)
      if (nextQuote >= 0 && (end < 0 || nextQuote < end)) {
        const before = nextQuote === 0 ? this.#last : chunk[nextQuote - 1]!
        // A quote within a plain value opens nothing; reading the row complains of it.
        const opens = base + nextQuote === this.#rowStart || before === this.#delimiter
        if (opens) this.#state = 'quoted'
        at = nextQuote + 1
        continue
      }
      if (end < 0) break
      const before = end === 0 ? this.#last : chunk[end - 1]!
      this.#endRow(base + end - (before === carriageReturn ? 1 : 0), base + end + 1)
      at = end + 1
    }
    this.#position += chunk.length
    if (chunk.length > 0) this.#last = chunk[chunk.length - 1]!
  }

  end(): void {
    if (this.#state === 'quoted')
      throw new MalformedData(this.#rowLine, 'a quoted value of this row is never closed')
    this.#endRow(this.#position, this.#position)
  }

  #endRow(end: number, next: number): void {
    if (end > this.#rowStart) this.#onRow(this.#rowStart, end, this.#rowLine)
    this.#rowStart = next
    this.#line++
    this.#rowLine = this.#line
  }

  #countLines(chunk: Buffer, from: number, to: number): void {
    for (let at = chunk.indexOf(newline, from); at >= 0 && at < to; at = chunk.indexOf(newline, at + 1))
      this.#line++
  }
}

function rowParser(header: Buffer | null, delimiter: string): ParseRow {
  const columns = valuesOf(header ?? Buffer.alloc(0), delimiter)
  const twice = columns.find((name, index) => columns.indexOf(name) !== index)
  if (twice !== undefined) throw new Error(`two columns are called '${twice}'`)
  if (columns.includes('__proto__')) throw new Error(`no column can be called '__proto__'`)
  return (row) => {
    const values = valuesOf(row, delimiter)
    if (values.length !== columns.length)
      throw new Error(`${values.length} values, but the header names ${columns.length} columns`)
    const named: Record<string, string> = {}
    for (let index = 0; index < columns.length; index++) named[columns[index]!] = values[index]!
    return named
  }
}

/** A row without quotes is split here: that is several times as fast. */
function valuesOf(row: Buffer, delimiter: string): string[] {
  if (!row.includes(quote)) return row.toString().split(delimiter)
  const options = { delimiter, record_delimiter: ['\r\n', '\n'], relax_column_count: true }
  return (parse(row, options) as string[][])[0] ?? []
}
