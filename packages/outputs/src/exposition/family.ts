import type { Histogram } from '@loads-runner/metrics'

/** In order of the names, as the formats want them. */
export type Labels = readonly (readonly [name: string, value: string])[]

export interface ValueSample {
  labels: Labels
  value: number
}

/** Durations so far. */
export interface HistogramSample {
  labels: Labels
  /** May be the live one of the run: read it at once, and do not change it. */
  histogram: Histogram
  sumMicros: number
}

interface Described {
  /** `loads_hits_total`. Those of counters end in `_total`. */
  name: string
  help: string
  /** Of the values; '' where there is no unit. */
  unit: 'seconds' | 'bytes' | ''
}

/** All samples of one name, since the beginning of the run. No two of them have the same labels. */
export type MetricFamily =
  | (Described & { type: 'counter' | 'gauge'; samples: ValueSample[] })
  | (Described & { type: 'histogram'; samples: HistogramSample[] })
