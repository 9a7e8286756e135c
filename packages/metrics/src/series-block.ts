import { bucketCount, bucketOf } from './histogram.ts'
import { isTimed, type SeriesKind } from './series.ts'

/**
 * The memory of one series in one load thread: written by that thread alone, read by the thread that cuts windows.
 *
 *     8 doubles   sum  min  max  bytesIn  bytesOut  lastAt  value  (spare)
 *     4 words     changes  count  failed  (spare)
 *     n words     one per bucket, for series with a distribution
 *
 * All but min, max, lastAt and a gauge's value only grow. Words wrap at 2^32; readers take differences.
 *
 * Order. A write stores sum, min, max and bytes, then the bucket, then failed, and bumps `changes` last; a reader goes
 * the other way round. On x86 stores become visible in program order, so whoever sees the new `changes` sees all of
 * the write. On ARM plain stores may be seen in another order, and an atomic one would cost a fifth of a whole hit; so
 * the reader looks at a block once more in the window after its last change (see WindowCutter). Aligned doubles are
 * not torn by V8 on 64-bit machines.
 */
export const doubles = { sum: 0, min: 1, max: 2, bytesIn: 3, bytesOut: 4, lastAt: 5, value: 6 } as const
export const words = { changes: 0, count: 1, failed: 2 } as const

export const doubleCount = 8
const headerWords = 4
const bucketsAt = doubleCount * 8 + headerWords * 4

/** A sum of durations stays finite, whatever a thread is told. */
const longestSafe = Number.MAX_SAFE_INTEGER

/** Allocates the memory of a series. */
export function createBlock(kind: SeriesKind): SharedArrayBuffer {
  const block = new SharedArrayBuffer(bucketsAt + (isTimed(kind) ? bucketCount * 4 : 0))
  new Float64Array(block, 0, doubleCount)[doubles.min] = Infinity
  return block
}

export function doublesOf(block: SharedArrayBuffer): Float64Array {
  return new Float64Array(block, 0, doubleCount)
}

export function wordsOf(block: SharedArrayBuffer): Int32Array {
  return new Int32Array(block, doubleCount * 8, headerWords)
}

/** Empty for a series without a distribution. */
export function bucketsOf(block: SharedArrayBuffer): Uint32Array {
  return new Uint32Array(block, bucketsAt)
}

/** Writes one block. Words are signed here: `| 0` keeps the compiler in 32-bit arithmetic, and the bits are the same. */
export class BlockWriter {
  readonly #doubles: Float64Array
  readonly #words: Int32Array

  constructor(block: SharedArrayBuffer) {
    this.#doubles = doublesOf(block)
    // Header and buckets in one view: one array less to load per hit.
    this.#words = new Int32Array(block, doubleCount * 8)
  }

  /** One timed sample, in microseconds: rounded; what is no sensible duration counts as 0. */
  time(micros: number, failed: boolean, bytesIn: number, bytesOut: number): void {
    const cells = this.#doubles
    const counts = this.#words
    const whole = micros > 0 && micros < longestSafe ? Math.round(micros) : 0
    cells[doubles.sum]! += whole
    if (whole < cells[doubles.min]!) cells[doubles.min] = whole
    if (whole > cells[doubles.max]!) cells[doubles.max] = whole
    // Compared, not only added: a NaN would stay in the sum for ever.
    if (bytesIn > 0) cells[doubles.bytesIn]! += bytesIn
    if (bytesOut > 0) cells[doubles.bytesOut]! += bytesOut
    const bucket = headerWords + bucketOf(whole)
    counts[bucket] = (counts[bucket]! + 1) | 0
    if (failed) counts[words.failed] = (counts[words.failed]! + 1) | 0
    counts[words.changes] = (counts[words.changes]! + 1) | 0
  }

  /** Adds to a counter. */
  add(amount: number): void {
    this.#doubles[doubles.value]! += amount
    this.#bump()
  }

  /** Sets a gauge, or counts an occurrence (`value` is null), at an epoch time in milliseconds. */
  mark(value: number | null, at: number): void {
    if (value !== null) this.#doubles[doubles.value] = value
    this.#doubles[doubles.lastAt] = at
    this.#bump()
  }

  #bump(): void {
    const counts = this.#words
    counts[words.count] = (counts[words.count]! + 1) | 0
    counts[words.changes] = (counts[words.changes]! + 1) | 0
  }
}
