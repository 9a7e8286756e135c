import { bucketCount, bucketMiddle, type Histogram } from '@loads-runner/metrics'
import type { Heatmap } from './model.ts'

/** Rows are a quarter of an octave high (a factor of 1.19), from 0.1 ms to 60 s; the ends hold what is beyond. */
const lowestMicros = 100
const highestMicros = 60_000_000
const rowsPerOctave = 4
const rowCount = Math.ceil(rowsPerOctave * Math.log2(highestMicros / lowestMicros))
/** More rows are shown in pairs. */
const mostRows = 40

const rowOfBucket = Uint8Array.from({ length: bucketCount }, (_, bucket) => {
  const row = Math.floor(rowsPerOctave * Math.log2(bucketMiddle(bucket) / lowestMicros))
  return Math.min(rowCount - 1, Math.max(0, row))
})

/** Row, count, row, count ... of the rows that are not empty, ascending. */
export type Cells = readonly number[]

export function cellsOf(histogram: Histogram): Cells {
  const cells: number[] = []
  const [low, high] = histogram.ends()
  if (low < 0) return cells
  for (let bucket = low; bucket <= high; bucket++) {
    const count = histogram.counts[bucket]!
    if (count !== 0) addCell(cells, rowOfBucket[bucket]!, count)
  }
  return cells
}

/** Which rows a heatmap shows: those that are in use and one more on each side; pairs of them where they are many. */
export class HeatRows {
  #low = rowCount
  #high = -1

  /** These cells are shown, too. True when that makes the rows others. */
  use(cells: Cells): boolean {
    if (cells.length === 0) return false
    const before = this.#shape()
    this.#low = Math.min(this.#low, cells[0]!)
    this.#high = Math.max(this.#high, cells.at(-2)!)
    const now = this.#shape()
    return before.first !== now.first || before.count !== now.count || before.height !== now.height
  }

  /** Lower ends of the rows, in milliseconds. */
  bounds(): number[] {
    const { first, count, height } = this.#shape()
    return Array.from({ length: count }, (_, row) => {
      const micros = lowestMicros * 2 ** (((first + row) * height) / rowsPerOctave)
      return Number((micros / 1000).toPrecision(4))
    })
  }

  column(fromMs: number, spanMs: number, cells: Cells): Heatmap['columns'][number] {
    const { first, height } = this.#shape()
    const shown: number[] = []
    for (let place = 0; place < cells.length; place += 2)
      addCell(shown, Math.floor(cells[place]! / height) - first, cells[place + 1]!)
    return { fromMs, spanMs, cells: shown }
  }

  #shape(): { first: number; count: number; height: number } {
    if (this.#high < 0) return { first: 0, count: 0, height: 1 }
    const low = Math.max(0, this.#low - 1)
    const high = Math.min(rowCount - 1, this.#high + 1)
    const height = high - low + 1 > mostRows ? 2 : 1
    const first = Math.floor(low / height)
    return { first, count: Math.floor(high / height) - first + 1, height }
  }
}

/** Rows come in ascending order. */
function addCell(cells: number[], row: number, count: number): void {
  if (cells.at(-2) === row) cells[cells.length - 1]! += count
  else cells.push(row, count)
}
