/** A piece of a file that holds some rows in full. */
export interface BlockPlace {
  /** Number of the block in the index. */
  number: number
  /** Number of its first row, from 0. */
  firstRow: number
  rows: number
  /** Bytes of the file: `to` is behind them. */
  from: number
  to: number
  /** Line of the file that the block begins on. */
  line: number
}

const rowsPerBlock = 64
const bytesPerBlock = 16 * 1024
/** More blocks than that are joined two by two, so that the index of any file is small: 1.5 MiB at most. */
const mostBlocks = 65_536

/** Where rows are in a file: the place of every 64th or so, found again by the number of a row. */
export class RowIndex {
  #firstRows: number[] = []
  #starts: number[] = []
  #lines: number[] = []
  #rowsPerBlock = rowsPerBlock
  #bytesPerBlock = bytesPerBlock
  readonly #mostBlocks: number
  #rows = 0
  #end = 0

  constructor(most = mostBlocks) {
    this.#mostBlocks = most
  }

  get rows(): number {
    return this.#rows
  }

  get blocks(): number {
    return this.#starts.length
  }

  /** Takes the next row of the file. */
  add(start: number, end: number, line: number): void {
    const last = this.#starts.length - 1
    const full =
      last < 0 ||
      this.#rows - this.#firstRows[last]! >= this.#rowsPerBlock ||
      start - this.#starts[last]! >= this.#bytesPerBlock
    if (full) {
      if (this.#starts.length === this.#mostBlocks) this.#join()
      this.#firstRows.push(this.#rows)
      this.#starts.push(start)
      this.#lines.push(line)
    }
    this.#rows++
    this.#end = end
  }

  /** The block of a row that is in the index. */
  blockOf(row: number): BlockPlace {
    let low = 0
    let high = this.#firstRows.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#firstRows[middle]! <= row) low = middle
      else high = middle - 1
    }
    const firstRow = this.#firstRows[low]!
    return {
      number: low,
      firstRow,
      rows: (this.#firstRows[low + 1] ?? this.#rows) - firstRow,
      from: this.#starts[low]!,
      to: this.#starts[low + 1] ?? this.#end,
      line: this.#lines[low]!,
    }
  }

  #join(): void {
    const isEven = (_: number, index: number) => index % 2 === 0
    this.#firstRows = this.#firstRows.filter(isEven)
    this.#starts = this.#starts.filter(isEven)
    this.#lines = this.#lines.filter(isEven)
    this.#rowsPerBlock *= 2
    this.#bytesPerBlock *= 2
  }
}
