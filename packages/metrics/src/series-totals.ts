import type { ErrorDetail } from './definition.ts'
import { emptySeriesDelta, mergeFigures, type SeriesDelta } from './delta.ts'
import { Histogram } from './histogram.ts'
import { isTimed, type SeriesKey } from './series.ts'
import { statsOf, type Stats } from './stats.ts'

/** Everything recorded in one series so far; the fields mean what they mean in a {@link SeriesDelta}. */
export class SeriesTotals {
  readonly key: SeriesKey
  detail: ErrorDetail | null
  count = 0
  failed = 0
  sum = 0
  min = Infinity
  max = 0
  bytesIn = 0
  bytesOut = 0
  value = 0
  lastAt = 0
  /** Null for series without a distribution. */
  readonly histogram: Histogram | null

  constructor(key: SeriesKey, detail: ErrorDetail | null) {
    this.key = key
    this.detail = detail
    this.histogram = isTimed(key.kind) ? new Histogram() : null
  }

  apply(delta: SeriesDelta): void {
    mergeFigures(this, delta)
    if (this.histogram === null || delta.buckets === null) return
    for (const [bucket, count] of delta.buckets) this.histogram.addBucket(bucket, count)
  }

  toDelta(): SeriesDelta {
    const delta = emptySeriesDelta(this.key, this.detail)
    mergeFigures(delta, this)
    if (this.histogram !== null) delta.buckets = bucketsOfHistogram(this.histogram)
    return delta
  }

  /** Figures of the distribution, in milliseconds; all unknown for series without one. */
  stats(): Stats {
    return statsOf(this.histogram ?? new Histogram(), this.sum, this.min, this.max)
  }
}

function bucketsOfHistogram(histogram: Histogram): Map<number, number> {
  const buckets = new Map<number, number>()
  for (const [bucket, count] of histogram.counts.entries()) if (count !== 0) buckets.set(bucket, count)
  return buckets
}
