import { Histogram } from '@loads-runner/metrics'
import type { HistogramSample, Labels, MetricFamily, ValueSample } from './family.ts'
import { labelValue } from './label-names.ts'
import { metricNamed, metrics, type MetricName } from './names.ts'

/** Samples by metric and labels. Those with equal labels are added up: a label that is left out merges, never doubles. */
export class FamilyBook {
  readonly #common: Readonly<Record<string, string>>
  readonly #values = new Map<MetricName, Map<string, ValueSample>>()
  readonly #histograms = new Map<MetricName, Map<string, HistogramSample>>()
  /** Histograms that are our own, not the run's. */
  readonly #owned = new Set<Histogram>()

  /** @param common labels of every sample */
  constructor(common: Readonly<Record<string, string>>) {
    this.#common = common
  }

  /** Adds to a counter or gauge. Labels without a value are left out. */
  add(name: MetricName, labels: Readonly<Record<string, string>>, value: number): void {
    const samples = mapIn(this.#values, name)
    const [id, own] = this.#labels(labels)
    const sample = samples.get(id)
    if (sample === undefined) samples.set(id, { labels: own, value })
    else sample.value += value
  }

  /** The larger one of a gauge that cannot be added up counts. */
  highest(name: MetricName, labels: Readonly<Record<string, string>>, value: number): void {
    const samples = mapIn(this.#values, name)
    const [id, own] = this.#labels(labels)
    samples.set(id, { labels: own, value: Math.max(value, samples.get(id)?.value ?? -Infinity) })
  }

  addTimes(
    name: MetricName,
    labels: Readonly<Record<string, string>>,
    { histogram, sum }: { histogram: Histogram | null; sum: number },
  ): void {
    if (histogram === null) return
    const samples = mapIn(this.#histograms, name)
    const [id, own] = this.#labels(labels)
    const sample = samples.get(id)
    if (sample === undefined) {
      samples.set(id, { labels: own, histogram, sumMicros: sum })
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

  #labels(labels: Readonly<Record<string, string>>): [id: string, Labels] {
    const all: [string, string][] = []
    for (const [name, value] of Object.entries({ ...labels, ...this.#common }))
      if (value !== '') all.push([name, labelValue(value)])
    all.sort(([one], [other]) => (one < other ? -1 : 1))
    return [JSON.stringify(all), all]
  }
}

function mapIn<V>(maps: Map<MetricName, Map<string, V>>, name: MetricName): Map<string, V> {
  let map = maps.get(name)
  if (map === undefined) maps.set(name, (map = new Map()))
  return map
}
