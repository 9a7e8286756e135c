import { bucketCount, bucketHigh, bucketLow, type Histogram } from './histogram.ts'

/** A distribution of durations as users read it: milliseconds, `null` where there is nothing to say. */
export interface Stats {
  count: number
  sum: number
  min: number | null
  mean: number | null
  p50: number | null
  p90: number | null
  p95: number | null
  p99: number | null
  p999: number | null
  p9999: number | null
  max: number | null
  /** The highest quantile with 10 samples beyond it (0.99 for 1,000 samples); 0 below 20 samples: trust none. */
  trustedTo: number
}

const shares = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]

/**
 * Figures of a histogram. Sum, minimum and maximum are exact and given apart, in microseconds; a minimum that is not
 * finite is unknown. Quantiles are kept within minimum and maximum, so a p99 never exceeds the slowest sample.
 */
export function statsOf(
  histogram: Histogram,
  sumMicros: number,
  minMicros: number,
  maxMicros: number,
): Stats {
  const count = histogram.count
  const known = count > 0 && Number.isFinite(minMicros) && minMicros <= maxMicros
  const [min, max] = known ? trimmedRange(histogram, minMicros, maxMicros) : [minMicros, maxMicros]
  const quantiles = histogram.quantiles(shares).map((micros) => {
    if (Number.isNaN(micros)) return null
    return (known ? Math.min(max, Math.max(min, micros)) : micros) / 1000
  })
  const [p50 = null, p90 = null, p95 = null, p99 = null, p999 = null, p9999 = null] = quantiles
  return {
    count,
    sum: sumMicros / 1000,
    min: known ? min / 1000 : null,
    mean: count > 0 ? sumMicros / count / 1000 : null,
    p50,
    p90,
    p95,
    p99,
    p999,
    p9999,
    max: known ? max / 1000 : null,
    trustedTo: histogram.trustedTo(),
  }
}

/**
 * Minimum and maximum of the samples of a histogram, in microseconds. What is given may be of more samples than these
 * (a series tells the extremes of all its time, and the warm-up is not in these): it is cut to the buckets then.
 */
export function trimmedRange(
  histogram: Histogram,
  minMicros: number,
  maxMicros: number,
): [min: number, max: number] {
  const [low, high] = histogram.ends()
  if (low < 0) return [minMicros, maxMicros]
  // The last bucket holds all that is longer: its end says nothing.
  const min = Math.max(minMicros, bucketLow(low))
  const max = high === bucketCount - 1 ? maxMicros : Math.min(maxMicros, bucketHigh(high))
  return [min, Math.max(min, max)]
}
