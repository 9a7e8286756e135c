/**
 * Log-linear histogram of durations in whole microseconds, 0 to one hour. Values below 64 have a bucket each; above,
 * every octave [2^k, 2^(k+1)) has 64 buckets of equal width, so the middle of a bucket is at most 1/128 (0.8 %) away
 * from any value in it. The same idea as in HdrHistogram, with 6 bits of precision.
 *
 *     bucket   0 ... 63 | 64 ... 127 | 128 ... 191 | 192 ... 255 |  ...
 *     value    0 ... 63 | 64 ... 127 | 128 ... 255 | 256 ... 511 |  ...
 *     width       1     |     1      |      2      |      4      |  ...
 */

/** Longest duration that has a bucket of its own, in microseconds: one hour. Longer ones count in the last bucket. */
export const longestMicros = 3_600_000_000

/** Samples that must lie beyond a quantile before it can be trusted. */
const trustedSamples = 10

export const bucketCount = bucketOf(longestMicros) + 1

/** The bucket of a duration in microseconds; negative and NaN count as 0. */
export function bucketOf(micros: number): number {
  if (!(micros >= 0)) return 0
  // Up to one hour is more than 2^31: `>>> 0` keeps the value unsigned where `| 0` would make it negative.
  const value = micros < longestMicros ? micros >>> 0 : longestMicros
  if (value < 64) return value
  const shift = 25 - Math.clz32(value)
  return (shift << 6) + (value >>> shift)
}

/** The smallest whole number of microseconds in a bucket. */
export function bucketLow(bucket: number): number {
  if (bucket < 128) return bucket
  const shift = (bucket >>> 6) - 1
  return (bucket - (shift << 6)) * 2 ** shift
}

/** The largest whole number of microseconds in a bucket, inclusive. */
export function bucketHigh(bucket: number): number {
  if (bucket < 128) return bucket
  const shift = (bucket >>> 6) - 1
  return Math.min(longestMicros, bucketLow(bucket) + 2 ** shift - 1)
}

/** What a bucket's samples are reported as, in microseconds. */
export function bucketMiddle(bucket: number): number {
  return (bucketLow(bucket) + bucketHigh(bucket)) / 2
}

/** Constant memory; merging loses nothing: the histogram of a whole is the sum of the histograms of its parts. */
export class Histogram {
  readonly counts = new Float64Array(bucketCount)
  #count = 0

  /** Counts `n` durations of so many microseconds. */
  record(micros: number, n = 1): void {
    this.addBucket(bucketOf(micros), n)
  }

  /** Adds `n` samples to a bucket; a negative `n` takes back what was added before. */
  addBucket(bucket: number, n: number): void {
    this.counts[bucket]! += n
    this.#count += n
  }

  merge(other: Histogram): void {
    const from = other.counts
    const into = this.counts
    for (let bucket = 0; bucket < bucketCount; bucket++) into[bucket]! += from[bucket]!
    this.#count += other.#count
  }

  get count(): number {
    return this.#count
  }

  /**
   * The duration in microseconds below or at which the share `q` (0 to 1) of all samples lies: nearest rank, on the
   * middle of the bucket. NaN when there are no samples.
   */
  quantile(q: number): number {
    return this.quantiles([q])[0]!
  }

  /** Several quantiles in one pass; `shares` ascending. */
  quantiles(shares: readonly number[]): number[] {
    const found: number[] = []
    let bucket = 0
    let seen = this.counts[0]!
    for (const share of shares) {
      if (this.#count <= 0) {
        found.push(NaN)
        continue
      }
      const rank = rankOf(share, this.#count)
      while (seen < rank && bucket < bucketCount - 1) seen += this.counts[++bucket]!
      found.push(bucketMiddle(bucket))
    }
    return found
  }

  /** The lowest and the highest bucket with samples; -1 and -1 without any. */
  ends(): [low: number, high: number] {
    if (this.#count <= 0) return [-1, -1]
    let low = 0
    while (low < bucketCount - 1 && this.counts[low] === 0) low++
    let high = bucketCount - 1
    while (high > low && this.counts[high] === 0) high--
    return [low, high]
  }

  /** The highest quantile with at least 10 samples beyond it: 0.99 for 1,000 samples. 0 below 20 samples: trust none. */
  trustedTo(): number {
    const count = this.#count
    // One correctly rounded division: for 1,000 samples the result is the very number 0.99.
    return count < 2 * trustedSamples ? 0 : (count - trustedSamples) / count
  }
}

/** Nearest rank from 1. The factor takes back the rounding of `share * count`: 0.07 * 100 is rank 7, not 8. */
function rankOf(share: number, count: number): number {
  return Math.min(count, Math.max(1, Math.ceil(share * count * (1 - 4 * Number.EPSILON))))
}
