import { Histogram, type SeriesDelta } from '@loads-runner/metrics'
import { intervalSpansMs, type Interval } from '@loads-runner/history'
import type { SeriesRow } from './model.ts'
import { round } from './moment.ts'

/** Numbers in a line. */
const length = 60
/** Seconds that a rate is over. */
const rateSeconds = 5

/** The steps of one length: which of them are known is the same for every series. */
interface Steps {
  readonly spanMs: number
  /** The latest one. */
  last: number
  /** The first one: a page may look at a run from some time on. */
  first: number
}

/** The lines of one series: rings in which a step has the place `step % length`. */
interface Lines {
  /** By the places of the steps' lengths; null: no longer needed. */
  rings: ({ count: Float64Array; p95: Float64Array | null } | null)[]
}

/** How often each series was used lately, and how long it took: short lines for a table. Memory per series is fixed. */
export class SparkLines {
  readonly #steps: Steps[] = intervalSpansMs.map((spanMs) => ({ spanMs, last: -1, first: -1 }))
  readonly #series = new Map<string, Lines>()
  readonly #quantile = new SparseQuantile()
  #shown = 0
  /** Goes up with every change of any line. */
  version = 0

  get size(): number {
    return this.#series.size
  }

  add(interval: Interval): void {
    const tier = this.#steps.findIndex(({ spanMs }) => spanMs === interval.spanMs)
    const steps = this.#steps[tier]
    if (steps === undefined) return
    const step = interval.fromMs / interval.spanMs
    if (step <= steps.last - length || step < steps.first) return
    if (steps.first < 0) steps.first = step
    const before = steps.last
    steps.last = Math.max(steps.last, step)
    // What stood at these places is a whole ring ago.
    for (const { rings } of this.#series.values())
      for (let each = Math.max(before + 1, step - length + 1); each <= step; each++) clear(rings[tier], each)
    // Short steps are shown at the beginning only; later their counts alone are needed.
    const timed = tier === this.#steps.length - 1 || step < length
    for (const [id, delta] of interval.delta.series) {
      const ring = this.#ringOf(id, tier, delta)
      const place = step % length
      ring.count[place] = delta.count
      if (ring.p95 !== null && timed) ring.p95[place] = this.#quantile.p95Of(delta)
    }
    const shown = this.#shownTier()
    if (tier === shown || shown !== this.#shown) this.version++
    this.#shown = shown
  }

  /** The lines of a series, over as much of the run as fits. */
  of(id: string): SeriesRow['spark'] {
    const tier = this.#shownTier()
    const { spanMs, first, last } = this.#steps[tier]!
    const ring = this.#series.get(id)?.rings[tier] ?? null
    const spark: SeriesRow['spark'] = { spanMs, count: [], p95: [] }
    if (last < 0) return spark
    for (let step = Math.max(first, last - length + 1); step <= last; step++) {
      spark.count.push(ring?.count[step % length] ?? 0)
      const p95 = ring?.p95?.[step % length] ?? NaN
      spark.p95.push(Number.isNaN(p95) ? null : round(p95))
    }
    return spark
  }

  /** Uses per second, over the last few seconds. */
  perSecond(id: string): number {
    const { last, first } = this.#steps[0]!
    const ring = this.#series.get(id)?.rings[0]
    if (ring === undefined || ring === null || last < 0) return 0
    const from = Math.max(first, last - rateSeconds + 1)
    let sum = 0
    for (let step = from; step <= last; step++) sum += ring.count[step % length]!
    return round(sum / (last - from + 1))
  }

  /** Something was recorded in this series in the last few seconds. */
  isActive(id: string): boolean {
    return this.perSecond(id) > 0
  }

  #shownTier(): number {
    const [ones, tens, sixties] = this.#steps
    if (ones!.last < length || tens!.last < 0) return 0
    return tens!.last < length || sixties!.last < 0 ? 1 : 2
  }

  #ringOf(id: string, tier: number, delta: SeriesDelta) {
    let lines = this.#series.get(id)
    if (lines === undefined) this.#series.set(id, (lines = { rings: this.#steps.map(() => null) }))
    return (lines.rings[tier] ??= {
      count: new Float64Array(length),
      p95: delta.buckets === null ? null : new Float64Array(length).fill(NaN),
    })
  }
}

function clear(ring: Lines['rings'][number] | undefined, step: number): void {
  if (ring === undefined || ring === null) return
  ring.count[step % length] = 0
  if (ring.p95 !== null) ring.p95[step % length] = NaN
}

/** Quantiles of many small histograms, one after another, in the memory of one. */
class SparseQuantile {
  readonly #histogram = new Histogram()

  /** In milliseconds; NaN without samples. */
  p95Of({ buckets, max }: SeriesDelta): number {
    if (buckets === null) return NaN
    for (const [bucket, count] of buckets) this.#histogram.addBucket(bucket, count)
    const micros = this.#histogram.quantile(0.95)
    for (const [bucket, count] of buckets) this.#histogram.addBucket(bucket, -count)
    return Math.min(max, micros) / 1000
  }
}
