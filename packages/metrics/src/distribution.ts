import type { SeriesDelta } from './delta.ts'
import { Histogram } from './histogram.ts'
import { statsOf, type Stats } from './stats.ts'

/** The durations of several series together; microseconds but for `stats`. */
export class Distribution {
  readonly histogram = new Histogram()
  sum = 0
  min = Infinity
  max = 0

  get count(): number {
    return this.histogram.count
  }

  /** Adds what was recorded in a span of time. */
  apply(delta: SeriesDelta): void {
    this.#addFigures(delta)
    if (delta.buckets === null) return
    for (const [bucket, count] of delta.buckets) this.histogram.addBucket(bucket, count)
  }

  /** Adds the whole of another distribution or series. */
  merge(other: { sum: number; min: number; max: number; histogram: Histogram | null }): void {
    this.#addFigures(other)
    if (other.histogram !== null) this.histogram.merge(other.histogram)
  }

  stats(): Stats {
    return statsOf(this.histogram, this.sum, this.min, this.max)
  }

  #addFigures({ sum, min, max }: { sum: number; min: number; max: number }): void {
    this.sum += sum
    this.min = Math.min(this.min, min)
    this.max = Math.max(this.max, max)
  }
}
