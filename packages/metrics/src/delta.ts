import { earlierDetail, type ErrorDetail } from './definition.ts'
import { seriesId, type SeriesKey } from './series.ts'

/** What was recorded in one series during some span of time. */
export interface SeriesDelta {
  key: SeriesKey
  /** Of series of kind 'error'. */
  detail: ErrorDetail | null
  /** Samples, amounts or occurrences. For series with a distribution: the sum of its buckets. */
  count: number
  failed: number
  /** Microseconds. */
  sum: number
  /** Microseconds, of the whole series so far: merging twice does no harm. Infinity when nothing was timed. */
  min: number
  /** Microseconds, of the whole series so far; 0 when nothing was timed. */
  max: number
  bytesIn: number
  bytesOut: number
  /** What a counter grew by, or what a gauge stands at. */
  value: number
  /** Epoch milliseconds of the last write, of gauges and errors; 0 for the rest. */
  lastAt: number
  /** Samples by bucket of the histogram; null for series without a distribution. */
  buckets: Map<number, number> | null
}

/** A delta of no activity, to be filled. */
export function emptySeriesDelta(key: SeriesKey, detail: ErrorDetail | null): SeriesDelta {
  return {
    key,
    detail,
    count: 0,
    failed: 0,
    sum: 0,
    min: Infinity,
    max: 0,
    bytesIn: 0,
    bytesOut: 0,
    value: 0,
    lastAt: 0,
    buckets: null,
  }
}

/**
 * Adds the figures of one delta to another (or to totals, which have the same figures), all but the buckets. The order
 * and the grouping of merges do not matter: gauges keep the latest value, the larger one of the same millisecond.
 */
export function mergeFigures(into: Omit<SeriesDelta, 'buckets'>, from: Omit<SeriesDelta, 'buckets'>): void {
  into.count += from.count
  into.failed += from.failed
  into.sum += from.sum
  into.min = Math.min(into.min, from.min)
  into.max = Math.max(into.max, from.max)
  into.bytesIn += from.bytesIn
  into.bytesOut += from.bytesOut
  if (into.key.kind !== 'gauge') into.value += from.value
  else if (isLaterGauge(from.value, from.lastAt, into.value, into.lastAt)) into.value = from.value
  into.lastAt = Math.max(into.lastAt, from.lastAt)
  into.detail = earlierDetail(into.detail, from.detail)
}

/** Does a gauge that was set at `at` stand above one of `otherAt`? An `otherAt` of 0 was never set. */
export function isLaterGauge(value: number, at: number, other: number, otherAt: number): boolean {
  return at > otherAt || (at === otherAt && value > other)
}

/** What was recorded by some threads or agents during some span of time: one entry for each series that changed. */
export class Delta {
  /** By series id. */
  readonly series = new Map<string, SeriesDelta>()

  get isEmpty(): boolean {
    return this.series.size === 0
  }

  /** Adds activity of one series. What is given is copied, never kept. */
  add(delta: SeriesDelta): void {
    this.addTo(seriesId(delta.key), delta)
  }

  /** The same where the id of the series is at hand: `id` must be `seriesId(delta.key)`. */
  addTo(id: string, delta: SeriesDelta): void {
    const mine = this.series.get(id)
    if (mine === undefined) {
      this.series.set(id, { ...delta, buckets: delta.buckets === null ? null : new Map(delta.buckets) })
      return
    }
    mergeFigures(mine, delta)
    if (delta.buckets === null) return
    const buckets = (mine.buckets ??= new Map())
    for (const [bucket, count] of delta.buckets) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count)
  }

  merge(other: Delta): void {
    for (const [id, delta] of other.series) this.addTo(id, delta)
  }
}
