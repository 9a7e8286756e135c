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
  /** Milliseconds since the epoch of the last samples; null before the first ones. */
  #lastAt: number | null = null

  /**
   * The samples of a moment. They count as written from here on, whatever becomes of them: where the answer of a server
   * is lost, nobody knows, and a zero that came twice would be out of order.
   */
  at(at: number, families: readonly MetricFamily[], forms: SeriesForms): TimeSeries[] {
    const series: TimeSeries[] = []
    const push = (labels: Labels, sample: TimedSample, zero: TimedSample | null) => {
      const id = JSON.stringify(labels)
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
      for (const { labels, value } of family.samples) push(named(family.name, labels), { at, value }, zero)
    }
    this.#lastAt = at
    return series
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

type Push = (labels: Labels, sample: TimedSample, zero: TimedSample | null) => void

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
    push(
      named(name, labels),
      { at, native: sample },
      before === null ? null : { at: before, native: nothing },
    )
  }
  if (!classic) return
  const counts = cumulativeCounts(histogram)
  const bucket = (le: string, value: number) =>
    push(named(`${name}_bucket`, labels, ['le', le]), { at, value }, zero)
  for (const [index, bound] of classicBounds.entries()) bucket(plainNumber(bound), counts[index]!)
  bucket('+Inf', count)
  push(named(`${name}_sum`, labels), { at, value: sum }, zero)
  push(named(`${name}_count`, labels), { at, value: count }, zero)
}

function named(name: string, labels: Labels, ...more: Labels): Labels {
  const all: [string, string][] = [['__name__', name], ...labels, ...more] as [string, string][]
  return all.sort(([one], [other]) => (one < other ? -1 : 1))
}
