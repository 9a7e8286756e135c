import type { Histogram } from '@loads-runner/metrics'
import { nativeBuckets, nativeSchema } from '../exposition/native-histogram.ts'

/** A histogram by OTLP's rules: bucket `offset + i` holds durations in (base^index, base^(index+1)] seconds, base = 2^(2^-scale). */
export interface ExponentialHistogram {
  scale: number
  zeroCount: number
  offset: number
  counts: number[]
}

/** Buckets are sent with all the empty ones between the first and the last: so many at most. */
const mostBuckets = 1_600

/** At the finest scale that the buckets allow: 8 for six octaves, 7 for twelve, never below 5. */
export function exponentialOf(histogram: Histogram): ExponentialHistogram {
  const { zeroCount, buckets } = nativeBuckets(histogram)
  const first = buckets[0]
  const last = buckets.at(-1)
  if (first === undefined || last === undefined)
    return { scale: nativeSchema, zeroCount, offset: 0, counts: [] }
  // Prometheus counts by the upper bound of a bucket, OTLP by the lower one.
  const low = first[0] - 1
  const high = last[0] - 1
  let coarser = 0
  // Two neighbours become one with each step, wherever they begin: an arithmetic shift.
  while ((high >> coarser) - (low >> coarser) + 1 > mostBuckets) coarser++
  const offset = low >> coarser
  const counts = Array.from({ length: (high >> coarser) - offset + 1 }, () => 0)
  for (const [index, count] of buckets) counts[((index - 1) >> coarser) - offset]! += count
  return { scale: nativeSchema - coarser, zeroCount, offset, counts }
}
