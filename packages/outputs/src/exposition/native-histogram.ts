import { bucketCount, bucketMiddle, type Histogram } from '@loads-runner/metrics'

/**
 * Resolution of native histograms: bucket i holds durations in (2^((i-1)/256), 2^(i/256)] seconds, the finest that
 * Prometheus has. Ours have 64 per octave: each goes, whole, where its middle lies, which is what it is reported as. So
 * a quantile of the native histogram is at most 0.28 % away from that of ours; 1.03 % where the summary knows better,
 * because the exact minimum or maximum lies at the edge of the bucket.
 */
export const nativeSchema = 8

const perOctave = 2 ** nativeSchema

const nativeIndex = Int32Array.from({ length: bucketCount }, (_, bucket) =>
  bucket === 0 ? 0 : Math.ceil(Math.log2(bucketMiddle(bucket) / 1e6) * perOctave),
)

/** Holds durations below half a microsecond, which are recorded as 0. */
export const zeroThreshold = 2 ** -128

export interface IndexedCounts {
  zeroCount: number
  /** Native bucket and samples in it, ascending; none is empty. */
  buckets: [index: number, count: number][]
}

/** The buckets of a histogram of ours, by their native index. */
export function nativeBuckets(histogram: Histogram): IndexedCounts {
  const buckets: [number, number][] = []
  const { counts } = histogram
  const [low, high] = histogram.ends()
  for (let bucket = Math.max(1, low); bucket <= high; bucket++) {
    const count = counts[bucket]!
    if (count === 0) continue
    const index = nativeIndex[bucket]!
    const last = buckets.at(-1)
    if (last?.[0] === index) last[1] += count
    else buckets.push([index, count])
  }
  return { zeroCount: counts[0]!, buckets }
}

/** As Prometheus' protocols write it: runs of neighbouring buckets, and each count as its difference to the last one. */
export interface SparseBuckets {
  /** `offset`: of the first, its index; of the others, empty buckets before it. */
  spans: { offset: number; length: number }[]
  deltas: number[]
}

/** A gap this short costs less as empty buckets than as a new span. */
const shortGap = 2

export function sparseBuckets(buckets: IndexedCounts['buckets']): SparseBuckets {
  const spans: SparseBuckets['spans'] = []
  const deltas: number[] = []
  let next = 0
  let before = 0
  const push = (count: number) => {
    deltas.push(count - before)
    before = count
  }
  for (const [index, count] of buckets) {
    const span = spans.at(-1)
    const gap = index - next
    if (span === undefined || gap > shortGap) spans.push({ offset: gap, length: 1 })
    else {
      for (let empty = 0; empty < gap; empty++) push(0)
      span.length += gap + 1
    }
    push(count)
    next = index + 1
  }
  return { spans, deltas }
}
