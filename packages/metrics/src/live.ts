import type { Delta } from './delta.ts'
import { Histogram } from './histogram.ts'
import { hitKinds, interruptedStatus } from './series.ts'

/** What happens now, over the last few seconds. */
export interface LiveRates {
  /** Milliseconds that the rates are over; less than asked for at the start. */
  spanMs: number
  hitsPerSecond: number
  failedHitsPerSecond: number
  /** Executions that ended, without interrupted ones. */
  executionsPerSecond: number
  /** Executions that ended as failure or error. */
  errorsPerSecond: number
  /** Quantiles of service times in milliseconds; null without a hit. */
  p50: number | null
  p95: number | null
  p99: number | null
}

/** Rates for consoles: a sliding span over the deltas of a run. Memory is constant. */
export class Live {
  readonly #keepMs: number
  readonly #slices: Slice[] = []
  /** Sum of all slices. */
  readonly #span: Slice = newSlice()
  readonly #histogram = new Histogram()

  /** @param keepMs how far back the rates look, in milliseconds */
  constructor(keepMs = 5000) {
    this.#keepMs = keepMs
  }

  /** Takes in what was recorded during the `spanMs` milliseconds after the delta before. */
  apply(delta: Delta, spanMs: number): void {
    const slice = this.#openSlice()
    const figures = newSlice()
    figures.spanMs = Math.max(0, spanMs)
    for (const { key, count, failed, buckets } of delta.series.values()) {
      if (hitKinds.has(key.kind)) {
        figures.hits += count
        if (key.status !== interruptedStatus) figures.failed += failed
        for (const [bucket, samples] of buckets ?? []) {
          this.#histogram.addBucket(bucket, samples)
          slice.buckets.set(bucket, (slice.buckets.get(bucket) ?? 0) + samples)
        }
      } else if (key.kind === 'execution' && key.status !== interruptedStatus) {
        figures.executions += count
        if (key.status !== 'success') figures.errors += count
      }
    }
    addFigures(slice, figures, 1)
    addFigures(this.#span, figures, 1)
    this.#forget()
  }

  rates(): LiveRates {
    const { spanMs, hits, failed, executions, errors } = this.#span
    const perSecond = (count: number) => (spanMs > 0 ? (count * 1000) / spanMs : 0)
    const [p50, p95, p99] = this.#histogram
      .quantiles([0.5, 0.95, 0.99])
      .map((micros) => (Number.isNaN(micros) ? null : micros / 1000))
    return {
      spanMs,
      hitsPerSecond: perSecond(hits),
      failedHitsPerSecond: perSecond(failed),
      executionsPerSecond: perSecond(executions),
      errorsPerSecond: perSecond(errors),
      p50: p50 ?? null,
      p95: p95 ?? null,
      p99: p99 ?? null,
    }
  }

  /** Very short deltas share a slice, so their number stays bounded. */
  #openSlice(): Slice {
    const last = this.#slices.at(-1)
    if (last !== undefined && last.spanMs < this.#keepMs / 50) return last
    const slice = newSlice()
    this.#slices.push(slice)
    return slice
  }

  /** Drops the oldest slices that the rest can do without; the newest always stays. */
  #forget(): void {
    while (this.#slices.length > 1 && this.#span.spanMs - this.#slices[0]!.spanMs >= this.#keepMs) {
      const oldest = this.#slices.shift()!
      addFigures(this.#span, oldest, -1)
      for (const [bucket, samples] of oldest.buckets) this.#histogram.addBucket(bucket, -samples)
    }
  }
}

interface Slice {
  spanMs: number
  hits: number
  failed: number
  executions: number
  errors: number
  readonly buckets: Map<number, number>
}

function newSlice(): Slice {
  return { spanMs: 0, hits: 0, failed: 0, executions: 0, errors: 0, buckets: new Map() }
}

function addFigures(into: Slice, from: Slice, sign: 1 | -1): void {
  into.spanMs += sign * from.spanMs
  into.hits += sign * from.hits
  into.failed += sign * from.failed
  into.executions += sign * from.executions
  into.errors += sign * from.errors
}
