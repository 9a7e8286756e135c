import { Histogram } from '@loads-runner/metrics'
import type { HistogramSample, MetricFamily, ValueSample } from './family.ts'
import type { LabelSet } from './label-set.ts'
import { metricNamed, metrics, type MetricName } from './names.ts'

/** Samples by metric and labels. Those with equal labels are added up: a label that is left out merges, never doubles. */
export class FamilyBook {
  readonly #values = new Map<MetricName, Map<string, ValueSample>>()
  readonly #histograms = new Map<MetricName, Map<string, HistogramSample>>()
  /** Histograms that are our own, not the run's. */
  readonly #owned = new Set<Histogram>()

  /** Adds to a counter or gauge. */
  add(name: MetricName, { id, labels }: LabelSet, value: number): void {
    const samples = mapIn(this.#values, name)
    const sample = samples.get(id)
    if (sample === undefined) samples.set(id, { labels, value })
    else sample.value += value
  }

  /** The larger one of a gauge that cannot be added up counts. */
  highest(name: MetricName, { id, labels }: LabelSet, value: number): void {
    const samples = mapIn(this.#values, name)
    samples.set(id, { labels, value: Math.max(value, samples.get(id)?.value ?? -Infinity) })
  }

  addTimes(
    name: MetricName,
    { id, labels }: LabelSet,
    { histogram, sum }: { histogram: Histogram | null; sum: number },
  ): void {
    if (histogram === null) return
    const samples = mapIn(this.#histograms, name)
    const sample = samples.get(id)
    if (sample === undefined) {
      samples.set(id, { labels, histogram, sumMicros: sum })
      return
    }
    if (!this.#owned.has(sample.histogram)) {
      const mine = new Histogram()
      mine.merge(sample.histogram)
      this.#owned.add(mine)
      sample.histogram = mine
    }
    sample.histogram.merge(histogram)
    sample.sumMicros += sum
  }

  /** In the order of the table of metrics; those without samples are left out. */
  families(): MetricFamily[] {
    return metrics.flatMap(({ name }): MetricFamily[] => {
      const { type, help, unit } = metricNamed(name)
      if (type === 'histogram') {
        const samples = this.#histograms.get(name)
        return samples === undefined ? [] : [{ name, help, unit, type, samples: [...samples.values()] }]
      }
      const samples = this.#values.get(name)
      return samples === undefined ? [] : [{ name, help, unit, type, samples: [...samples.values()] }]
    })
  }
}

function mapIn<V>(maps: Map<MetricName, Map<string, V>>, name: MetricName): Map<string, V> {
  let map = maps.get(name)
  if (map === undefined) maps.set(name, (map = new Map()))
  return map
}
