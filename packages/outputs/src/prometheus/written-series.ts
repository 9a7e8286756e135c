import { classicBounds, cumulativeCounts } from '../exposition/classic-buckets.ts'
import type { HistogramSample, Labels, MetricFamily } from '../exposition/family.ts'
import { nativeBuckets, sparseBuckets } from '../exposition/native-histogram.ts'
import { plainNumber } from './text-format.ts'
import type { NativeSample, TimedSample, TimeSeries } from './write-request.ts'

export interface SeriesForms {
  /** Histograms as native ones. */
  native: boolean
  /** Histograms as a series for each of some coarse buckets. */
  classic: boolean
}

const nothing: NativeSample = { count: 0, sum: 0, zeroCount: 0, spans: [], deltas: [] }

/**
 * The series of a run as they are written one time after the other: knows which there were already. A counter that is
 * new begins with a zero at the time of the sample before, so that what it grew by at first is in its increase.
 */
export class WrittenSeries {
  readonly #known = new Map<string, Labels>()
  /** Series by the labels that a family gives them: those are the same array each time, so this saves making all again. */
  readonly #made = new WeakMap<Labels, Map<string, Made>>()
  /** Milliseconds since the epoch of the last samples; null before the first ones. */
  #lastAt: number | null = null

  /**
   * The samples of a moment. They count as written from here on, whatever becomes of them: where the answer of a server
   * is lost, nobody knows, and a zero that came twice would be out of order.
   */
  at(at: number, families: readonly MetricFamily[], forms: SeriesForms): TimeSeries[] {
    const series: TimeSeries[] = []
    const push: Push = (name, given, le, sample, zero) => {
      const { id, labels } = this.#labelsOf(name, given, le)
      const isNew = !this.#known.has(id)
      if (isNew) this.#known.set(id, labels)
      series.push({ labels, samples: isNew && zero !== null ? [zero, sample] : [sample] })
    }
    const before = this.#lastAt
    for (const family of families) {
      if (family.type === 'histogram') {
        for (const sample of family.samples) pushHistogram(push, family.name, sample, forms, at, before)
        continue
      }
      const zero = family.type === 'counter' && before !== null ? { at: before, value: 0 } : null
      for (const { labels, value } of family.samples) push(family.name, labels, '', { at, value }, zero)
    }
    this.#lastAt = at
    return series
  }

  #labelsOf(name: string, given: Labels, le: string): Made {
    let made = this.#made.get(given)
    if (made === undefined) this.#made.set(given, (made = new Map()))
    const key = le === '' ? name : `${name} ${le}`
    let one = made.get(key)
    if (one === undefined) {
      const labels: [string, string][] = [['__name__', name], ...given] as [string, string][]
      if (le !== '') labels.push(['le', le])
      labels.sort(([first], [second]) => (first < second ? -1 : 1))
      one = { id: JSON.stringify(labels), labels }
      made.set(key, one)
    }
    return one
  }

  /** The end of all series that were written, also of those that have vanished since. */
  staleAt(at: number): TimeSeries[] {
    return [...this.#known.values()].map((labels) => ({ labels, samples: [{ at, stale: true }] }))
  }

  /** Milliseconds since the epoch of the last samples; null before the first ones. */
  get lastAt(): number | null {
    return this.#lastAt
  }
}

interface Made {
  id: string
  labels: Labels
}

/** @param le '' where there is no such label */
type Push = (name: string, labels: Labels, le: string, sample: TimedSample, zero: TimedSample | null) => void

function pushHistogram(
  push: Push,
  name: string,
  { labels, histogram, sumMicros }: HistogramSample,
  { native, classic }: SeriesForms,
  at: number,
  before: number | null,
): void {
  const sum = sumMicros / 1e6
  const { count } = histogram
  const zero = before === null ? null : { at: before, value: 0 }
  if (native) {
    const { zeroCount, buckets } = nativeBuckets(histogram)
    const sample = { count, sum, zeroCount, ...sparseBuckets(buckets) }
    push(name, labels, '', { at, native: sample }, before === null ? null : { at: before, native: nothing })
  }
  if (!classic) return
  const counts = cumulativeCounts(histogram)
  const bucket = (le: string, value: number) => push(`${name}_bucket`, labels, le, { at, value }, zero)
  for (const [index, bound] of classicBounds.entries()) bucket(plainNumber(bound), counts[index]!)
  bucket('+Inf', count)
  push(`${name}_sum`, labels, '', { at, value: sum }, zero)
  push(`${name}_count`, labels, '', { at, value: count }, zero)
}
