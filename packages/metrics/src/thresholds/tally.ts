import type { SeriesDelta } from '../delta.ts'
import { isLaterGauge } from '../delta.ts'
import { bucketMiddle, Histogram } from '../histogram.ts'
import { trimmedRange } from '../stats.ts'
import type { Aggregation } from './threshold.ts'
import type { MetricType } from './metric.ts'

/** The figures of one metric over some time, but for the distribution. Times in microseconds. */
export class Figures {
  /** Samples, attempts or amounts: what a share is of, and whether anything was recorded at all. */
  samples = 0
  /** What a counter grew by; the part of a share that counts. */
  amount = 0
  sum = 0
  min = Infinity
  max = 0
  /** Of a gauge. */
  value = 0
  /** When it was set; 0: never. */
  valueAt = 0
  /** How often it was set. */
  sets = 0

  add(series: SeriesDelta, amount: number): void {
    if (series.key.kind === 'gauge') {
      this.sets += series.count
      this.#set(series.value, series.lastAt)
      return
    }
    this.samples += series.count
    this.amount += amount
    this.sum += series.sum
    this.min = Math.min(this.min, series.min)
    this.max = Math.max(this.max, series.max)
  }

  merge(other: Figures): void {
    this.samples += other.samples
    this.amount += other.amount
    this.sum += other.sum
    this.min = Math.min(this.min, other.min)
    this.max = Math.max(this.max, other.max)
    this.sets += other.sets
    this.#set(other.value, other.valueAt)
  }

  #set(value: number, at: number): void {
    if (isLaterGauge(value, at, this.value, this.valueAt)) this.value = value
    this.valueAt = Math.max(this.valueAt, at)
  }
}

/**
 * What an aggregation comes to: milliseconds, a share, a number, or one of these per second. Null where there is
 * nothing to say: no sample, or a quantile with fewer than 10 samples beyond it.
 */
export function valueOf(
  type: MetricType,
  aggregation: Aggregation,
  figures: Figures,
  times: Histogram,
  seconds: number,
): number | null {
  if (aggregation.type === 'value' && figures.sets > 0) return figures.value
  if (figures.samples === 0) return null
  switch (aggregation.type) {
    case 'count':
      return type === 'trend' ? times.count : figures.amount
    case 'rate':
      if (type === 'share') return figures.amount / figures.samples
      return seconds > 0 ? figures.amount / seconds : null
    case 'value':
      return figures.amount
    default:
      return times.count === 0 ? null : millisOf(aggregation, figures, times)
  }
}

function millisOf(
  aggregation: Exclude<Aggregation, { type: 'count' | 'rate' | 'value' }>,
  figures: Figures,
  times: Histogram,
): number | null {
  if (aggregation.type === 'avg') return figures.sum / times.count / 1000
  const [min, max] = trimmedRange(times, figures.min, figures.max)
  if (aggregation.type === 'min') return min / 1000
  if (aggregation.type === 'max') return max / 1000
  const { share } = aggregation
  // The ends are known exactly; between them a quantile needs samples beyond it.
  if (share === 0) return min / 1000
  if (share === 1) return max / 1000
  if (share > times.trustedTo()) return null
  return Math.min(max, Math.max(min, times.quantile(share))) / 1000
}

/** The distribution of a span that slides: samples leave it as they came. */
export class Slices {
  readonly times = new Histogram()
  readonly #slices: Slice[] = []

  get length(): number {
    return this.#slices.length
  }

  push(slice: Slice): void {
    this.#slices.push(slice)
    for (const [bucket, count] of slice.buckets) this.times.addBucket(bucket, count)
  }

  shift(): void {
    const oldest = this.#slices.shift()
    for (const [bucket, count] of oldest?.buckets ?? []) this.times.addBucket(bucket, -count)
  }

  clear(): void {
    while (this.#slices.length > 0) this.shift()
  }

  figures(): Figures {
    const sum = new Figures()
    for (const { figures } of this.#slices) sum.merge(figures)
    // Extremes of a series are of all its time: those of the span show in its buckets, to 0.8 %.
    const [low, high] = this.times.ends()
    if (low >= 0) {
      sum.min = bucketMiddle(low)
      sum.max = bucketMiddle(high)
    }
    return sum
  }
}

/** What was recorded in a slice of time. */
export class Slice {
  readonly figures = new Figures()
  readonly buckets = new Map<number, number>()

  add(series: SeriesDelta, amount: number): void {
    this.figures.add(series, amount)
    for (const [bucket, count] of series.buckets ?? []) {
      this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + count)
    }
  }
}
