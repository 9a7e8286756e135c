import type { DataFormat, OnRow, RowScanner, ScanStart } from './data-format.ts'
import { parseJsonRow } from './json-row.ts'
import { MalformedData } from './malformed-data.ts'

/** An array of objects. */
export const jsonFormat: DataFormat = {
  hasHeader: false,
  scanner: (start, onRow) => new ArrayScanner(start, onRow),
  parser: () => parseJsonRow,
}

const newline = 0x0a
const quote = 0x22
const comma = 0x2c
const openArray = 0x5b
const backslash = 0x5c
const closeArray = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

type State =
  | 'before array'
  | 'before first'
  | 'before row'
  | 'in row'
  | 'in text'
  | 'behind backslash'
  | 'behind row'
  | 'behind array'

/** Finds the objects of an array by counting brackets; what is in them is judged when they are read. */
class ArrayScanner implements RowScanner {
  readonly #onRow: OnRow
  #position: number
  #line: number
  #state: State
  #depth = 0
  #rowStart = 0
  #rowLine = 0

  constructor({ position, line, inside }: ScanStart, onRow: OnRow) {
    this.#onRow = onRow
    this.#position = position
    this.#line = line
    this.#state = inside ? 'before row' : 'before array'
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (byte === newline) this.#line++
      switch (this.#state) {
        case 'in text':
          if (byte === quote) this.#state = 'in row'
          else if (byte === backslash) this.#state = 'behind backslash'
          break
        case 'behind backslash':
          this.#state = 'in text'
          break
        case 'in row':
          if (byte === quote) this.#state = 'in text'
          else if (byte === openObject || byte === openArray) this.#depth++
          else if ((byte === closeObject || byte === closeArray) && --this.#depth === 0) {
            this.#onRow(this.#rowStart, this.#position + at + 1, this.#rowLine)
            this.#state = 'behind row'
          }
          break
        default:
          if (byte === newline || byte === 0x20 || byte === 0x09 || byte === 0x0d) break
          this.#between(byte, this.#position + at)
      }
    }
    this.#position += chunk.length
  }

  end(): void {
    if (this.#state === 'behind array') return
    if (this.#state === 'before array') throw new MalformedData(1, 'the file is empty; it must hold an array')
    const inRow = this.#depth > 0
    throw new MalformedData(
      inRow ? this.#rowLine : this.#line,
      inRow ? 'this object is never closed' : 'the array is never closed',
    )
  }

  #between(byte: number, position: number): void {
    const state = this.#state
    if (state === 'before array' && byte === openArray) this.#state = 'before first'
    else if ((state === 'before first' || state === 'before row') && byte === openObject) {
      this.#state = 'in row'
      this.#depth = 1
      this.#rowStart = position
      this.#rowLine = this.#line
    } else if (state === 'behind row' && byte === comma) this.#state = 'before row'
    else if ((state === 'before first' || state === 'behind row') && byte === closeArray)
      this.#state = 'behind array'
    else throw new MalformedData(this.#line, wanted[state] ?? 'this is not JSON')
  }
}

const wanted: Partial<Record<State, string>> = {
  'before array': 'the file must hold an array of objects: [{"name": "value"}, ...]',
  'before first': 'the array must hold objects',
  'before row': 'the array must hold objects, with one comma between two of them',
  'behind row': 'a comma or the end of the array must follow an object',
  'behind array': 'nothing may follow the array',
}
