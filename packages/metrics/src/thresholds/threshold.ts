import type { SeriesKey } from '../series.ts'
import { seriesWords, type Metric, type SeriesWord } from './metric.ts'

export type Operator = '<' | '<=' | '>' | '>=' | '==' | '!='

/** What is said about a metric. Quantiles from 0 to 1. */
export type Aggregation =
  | { type: 'quantile'; share: number }
  | { type: 'avg' }
  | { type: 'min' }
  | { type: 'max' }
  | { type: 'count' }
  | { type: 'rate' }
  | { type: 'value' }

/** What a limit and a value are measured in: milliseconds, 0 to 1, a number or bytes, one of these per second. */
export type Dimension = 'time' | 'share' | 'number' | 'bytes' | 'per-second' | 'bytes-per-second'

/** One condition that the figures of a run must meet. */
export interface Threshold {
  /** As it is shown, with the metric it is about. */
  readonly expression: string
  readonly metric: Metric
  /** Words and tags that a series must have. */
  readonly filters: Readonly<Record<string, string>>
  readonly aggregation: Aggregation
  readonly operator: Operator
  readonly limit: number
  readonly dimension: Dimension
  /** Milliseconds; null: over all of the run (or of the stage). */
  readonly overMs: number | null
  /** The number of a stage in the run (from 0); null: all stages. */
  readonly stage: number | null
  /** Fewer samples than that say nothing; 0: as few as there are. */
  readonly leastSamples: number
  /** End the run when it is crossed ... */
  readonly abortOnFail: boolean
  /** ... but not before this time of the run, in milliseconds. */
  readonly delayAbortMs: number
}

/** What expressions may speak of. */
export interface ThresholdContext {
  /** The scenarios of the run, in order, and how many stages each has. */
  scenarios: readonly { name: string; stages: number }[]
}

export function holds(operator: Operator, value: number, limit: number): boolean {
  switch (operator) {
    case '<':
      return value < limit
    case '<=':
      return value <= limit
    case '>':
      return value > limit
    case '>=':
      return value >= limit
    case '==':
      return value === limit
    case '!=':
      return value !== limit
  }
}

/** Is `value` further on the wrong side than `than`? Where there is no side, whether it alone breaks the condition. */
export function isWorse(operator: Operator, value: number, than: number, limit: number): boolean {
  if (operator === '<' || operator === '<=') return value > than
  if (operator === '>' || operator === '>=') return value < than
  return !holds(operator, value, limit) && holds(operator, than, limit)
}

export function isSeriesWord(word: string): word is SeriesWord {
  return (seriesWords as readonly string[]).includes(word)
}

/** Does a series belong to what the threshold is about? */
export function selects({ metric, filters }: Threshold, key: SeriesKey): boolean {
  if (!metric.selects(key)) return false
  for (const word in filters) {
    const value = isSeriesWord(word) ? key[word] : key.tags[word]
    if (value !== filters[word]) return false
  }
  return true
}
