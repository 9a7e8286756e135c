/** `count` rows with consecutive numbers. */
export interface RowRange {
  first: number
  count: number
}

/** A set of row numbers, kept as ranges: sorted, apart from one another, none empty. */
export class RowRanges {
  #ranges: RowRange[] = []
  #size = 0

  /** Rows in the set. */
  get size(): number {
    return this.#size
  }

  [Symbol.iterator](): IterableIterator<RowRange> {
    return this.#ranges.values()
  }

  /** Adds rows; those that are in it already stay. */
  add({ first, count }: RowRange): void {
    if (count <= 0) return
    let end = first + count
    const from = this.#firstEndingAt(first)
    let to = from
    // Ranges that touch or overlap the new one become part of it.
    while (to < this.#ranges.length && this.#ranges[to]!.first <= end) {
      first = Math.min(first, this.#ranges[to]!.first)
      end = Math.max(end, endOf(this.#ranges[to]!))
      to++
    }
    this.#replace(from, to, [{ first, count: end - first }])
  }

  /** Takes rows out. @returns those of them that were in it */
  remove({ first, count }: RowRange): RowRange[] {
    if (count <= 0) return []
    const end = first + count
    const from = this.#firstEndingAt(first + 1)
    const kept: RowRange[] = []
    const taken: RowRange[] = []
    let to = from
    for (; to < this.#ranges.length && this.#ranges[to]!.first < end; to++) {
      const range = this.#ranges[to]!
      const start = Math.max(first, range.first)
      taken.push({ first: start, count: Math.min(end, endOf(range)) - start })
      if (range.first < first) kept.push({ first: range.first, count: first - range.first })
      if (endOf(range) > end) kept.push({ first: end, count: endOf(range) - end })
    }
    this.#replace(from, to, kept)
    return taken
  }

  /** Takes out the lowest rows that follow one another, `most` at most; null when the set is empty. */
  takeFirst(most: number): RowRange | null {
    const lowest = this.#ranges[0]
    if (lowest === undefined || most <= 0) return null
    const taken = { first: lowest.first, count: Math.min(lowest.count, most) }
    this.remove(taken)
    return taken
  }

  /** Index of the first range that ends at `row` or later. */
  #firstEndingAt(row: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (endOf(this.#ranges[middle]!) < row) low = middle + 1
      else high = middle
    }
    return low
  }

  #replace(from: number, to: number, ranges: RowRange[]): void {
    const removed = this.#ranges.splice(from, to - from, ...ranges)
    this.#size += rowsIn(ranges) - rowsIn(removed)
  }
}

function endOf({ first, count }: RowRange): number {
  return first + count
}

export function rowsIn(ranges: Iterable<RowRange>): number {
  let rows = 0
  for (const { count } of ranges) rows += count
  return rows
}
