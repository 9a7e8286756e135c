import { Delta, DeltaDecoder, DeltaEncoder } from '@loads-runner/metrics'
import type { IntervalSums } from './interval-sums.ts'

/**
 * The latest intervals of one span, for figures that come late. Their deltas are packed by the codec of the wire: a
 * histogram of 50 buckets takes 150 bytes where a map takes 2,000.
 */
export class KeptIntervals {
  readonly #most: number
  /** By the time at which they begin, oldest first. */
  readonly #kept = new Map<number, Packed>()
  readonly #encoder = new DeltaEncoder()
  readonly #decoder = new DeltaDecoder()

  constructor(most: number) {
    this.#most = most
  }

  /** Takes an interval that was handed out. Beyond its number, the oldest goes. */
  add(sums: IntervalSums): void {
    const packed = { sums, counted: this.#pack(sums, false), warmUp: this.#pack(sums, true) }
    // Replaced where it is: a revised one is no younger.
    this.#kept.set(sums.fromMs, packed)
    for (const fromMs of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) return
      this.#kept.delete(fromMs)
    }
  }

  /** The interval that begins there, its delta unpacked; null when it is not kept. Give it back by {@link add}. */
  take(fromMs: number): IntervalSums | null {
    const packed = this.#kept.get(fromMs)
    if (packed === undefined) return null
    // The decoder learns all definitions first: what is kept is read in no order.
    this.#decoder.decode(this.#encoder.encodeFull(new Delta()))
    const { sums, counted, warmUp } = packed
    if (counted !== null) sums.counted.restore(this.#decoder.decode(counted))
    if (warmUp !== null) sums.warmUp.restore(this.#decoder.decode(warmUp))
    return sums
  }

  #pack(sums: IntervalSums, warmUp: boolean): Uint8Array | null {
    const part = sums.part(warmUp)
    const bytes = part.hasDelta ? this.#encoder.encode(part.delta) : null
    part.release()
    return bytes
  }
}

interface Packed {
  sums: IntervalSums
  counted: Uint8Array | null
  warmUp: Uint8Array | null
}
