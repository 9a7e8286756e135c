import { bucketCount, bucketMiddle, type Histogram } from '@loads-runner/metrics'

/** Upper bounds of classic buckets in seconds. Few, for they cost a series each; a quantile of them is a rough guess. */
export const classicBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const

/** By bucket of ours: the first classic bucket that holds its middle; after the last one: in none. */
const classicIndex = Uint8Array.from({ length: bucketCount }, (_, bucket) => {
  const index = classicBounds.findIndex((bound) => bucketMiddle(bucket) <= bound * 1e6)
  return index < 0 ? classicBounds.length : index
})

/** Samples at or below each bound, exact but for 0.8 % of the bound; those above all of them are in none. */
export function cumulativeCounts(histogram: Histogram): number[] {
  const counts = classicBounds.map(() => 0)
  const [low, high] = histogram.ends()
  for (let bucket = Math.max(0, low); bucket <= high; bucket++) {
    const index = classicIndex[bucket]!
    if (index < counts.length) counts[index]! += histogram.counts[bucket]!
  }
  for (let index = 1; index < counts.length; index++) counts[index]! += counts[index - 1]!
  return counts
}
