import type { ThresholdStanding } from './watch.ts'
import type { Dimension, Threshold } from './threshold.ts'

/** A value as people read it: `240 ms`, `1.2 %`, `50/s`, `12`. */
export function describeValue(dimension: Dimension, value: number): string {
  switch (dimension) {
    case 'time':
      return `${rounded(value)} ms`
    case 'share':
      return `${rounded(value * 100)} %`
    case 'number':
      return rounded(value)
    case 'bytes':
      return `${rounded(value)} bytes`
    case 'per-second':
      return `${rounded(value)}/s`
    case 'bytes-per-second':
      return `${rounded(value)} bytes/s`
  }
}

/**
 * Why a threshold is not met at the end of a run, in a sentence; null when it is. No data is a failure, and the sentence
 * says what would have been needed.
 */
export function describeFailure({ threshold, value, ok, samples }: ThresholdStanding): string | null {
  if (ok === true) return null
  if (value !== null) {
    return `threshold crossed: ${threshold.expression} (it was ${describeValue(threshold.dimension, value)}${threshold.overMs === null ? '' : ' in the worst span'})`
  }
  return `threshold without data: ${threshold.expression} (${missingData(threshold, samples)})`
}

function missingData({ aggregation, leastSamples, stage }: Threshold, samples: number): string {
  if (samples === 0)
    return `nothing was recorded${stage === null ? '' : ' in that stage'}; is the name right?`
  const were = samples === 1 ? 'there was 1' : `there were ${samples}`
  if (samples < leastSamples) return `it asks for ${leastSamples} samples, ${were}`
  if (aggregation.type !== 'quantile') return `${were} samples, none of which says it`
  const needed = Math.max(20, Math.ceil((10 / (1 - aggregation.share)) * (1 - 4 * Number.EPSILON)))
  return `p(${Math.round(aggregation.share * 1e6) / 1e4}) needs ${needed} samples, ${were}`
}

/** Enough digits to tell a value from a limit nearby. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(Math.abs(value) >= 1000 ? 7 : 4)))
}
