import { Distribution, type SeriesDelta, type Stats } from '@loads-runner/metrics'

/**
 * Figures of the durations of several series together, as of one merged histogram. One distribution serves for all: what
 * was put into it is taken out again, which costs less than a new histogram for each of a thousand names each second.
 */
export class Times {
  readonly #together = new Distribution()
  readonly #nothing = new Distribution().stats()

  stats(deltas: readonly SeriesDelta[]): Stats {
    if (deltas.length === 0) return this.#nothing
    const together = this.#together
    for (const delta of deltas) together.apply(delta)
    const stats = together.stats()
    for (const { buckets } of deltas)
      for (const [bucket, count] of buckets ?? []) together.histogram.addBucket(bucket, -count)
    together.sum = 0
    together.min = Infinity
    together.max = 0
    return stats
  }
}

export type StatsFields = Record<
  'min' | 'mean' | 'p50' | 'p90' | 'p95' | 'p99' | 'p999' | 'max',
  number | null
>

/** Milliseconds; all null without samples. */
export function statsFields({ min, mean, p50, p90, p95, p99, p999, max }: Stats): StatsFields {
  return { min, mean, p50, p90, p95, p99, p999, max }
}

/** Times from the intended start: another thing than the service time of the same point. */
export function responseFields({ p50, p95, p99 }: Stats): Record<string, number | null> {
  return { response_p50: p50, response_p95: p95, response_p99: p99 }
}
