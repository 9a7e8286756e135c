import { bucketCount, bucketMiddle, hitKinds, type Delta } from '@loads-runner/metrics'
import type { Span } from './figure-points.ts'
import type { Point } from './point.ts'

/** Upper ends of the rows of a heatmap in milliseconds: six per factor of ten. Longer hits are in the last one. */
export const rowEnds: readonly number[] = [-1, 0, 1, 2, 3]
  .flatMap((power) => [1, 1.5, 2, 3, 5, 7].map((step) => Number((step * 10 ** power).toPrecision(2))))
  .concat(10_000, 15_000, 20_000, 30_000, 60_000)

/** The row of each bucket of a histogram. */
const endOfBucket = Array.from({ length: bucketCount }, (_, bucket) => endOf(bucketMiddle(bucket) / 1000))

/**
 * How many hits of a span took how long: one point per row that is not empty. Counts of rows may be summed over time;
 * a quantile cannot be made of them, which is why quantiles have points of their own.
 */
export function latencyRows(delta: Delta, span: Span): Point[] {
  const hits = new Map<number, number>()
  for (const { key, buckets } of delta.series.values()) {
    if (!hitKinds.has(key.kind)) continue
    for (const [bucket, count] of buckets ?? []) {
      const end = endOfBucket[bucket]!
      hits.set(end, (hits.get(end) ?? 0) + count)
    }
  }
  return [...hits]
    .sort(([one], [other]) => one - other)
    .map(([end, count]) => ({
      measurement: 'loads_latency',
      tags: { ...span.tags, le: String(end) },
      fields: { hits: count },
      at: span.at,
    }))
}

function endOf(millis: number): number {
  return rowEnds.find((end) => millis <= end) ?? rowEnds.at(-1)!
}
