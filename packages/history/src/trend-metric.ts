import { parseThresholds, ThresholdError } from '@loads-runner/metrics'
import type { Threshold, ThresholdContext } from '@loads-runner/metrics'
import { HistoryError } from './errors.ts'

/** A metric whose value is asked of several runs. */
export interface TrendMetric {
  /** As written. */
  text: string
  /** What values are: milliseconds, 0 to 1, a number or bytes, one of these per second. */
  dimension: Threshold['dimension']
  /** What to look for, the first that a run has. Only metric, filters and aggregation mean anything. */
  wanted: readonly Threshold[]
}

/** Runs are not read to check a metric: scenarios are asked for as tags. */
const anyScenario: ThresholdContext['scenarios'] = []

/**
 * Reads the name of a metric:
 *
 *     p95  p99.9  med  mean  min  max            durations of all hits, in milliseconds
 *     p95 of GET /   max of login                of the hits of that name; where there are none, of the step or the timing
 *     errors  failures                           shares of finished executions
 *     hits/s  iterations/s  data_received/s      per second
 *     http_req_duration{name:login}: p(95)       the left side of any threshold
 *
 * @throws {HistoryError} HISTORY_METRIC
 */
export function parseTrendMetric(text: string): TrendMetric {
  const trimmed = text.trim()
  const [, aggregation, name] =
    /^(p\s*\(?[\d.]+\)?|med|median|avg|mean|min|max|count)(?:\s+of\s+(.+))?$/s.exec(trimmed) ?? []
  if (aggregation !== undefined) {
    const hits = read(text, `hit_duration: ${aggregation}`)
    if (name === undefined) return { text, dimension: hits.dimension, wanted: [hits] }
    const steps = read(text, `step_duration: ${aggregation}`)
    const wanted: Threshold[] = [hits, steps].map((each) => ({ ...each, filters: { name } }))
    const quote = name.includes("'") ? '"' : "'"
    if (!name.includes(quote)) wanted.push(read(text, `${quote}${name}${quote}: ${aggregation}`))
    return { text, dimension: hits.dimension, wanted }
  }
  const perSecond = /^([\p{L}_][\p{L}\p{N}_.-]*)\/s$/u.exec(trimmed)?.[1]
  const wanted = read(text, perSecond === undefined ? trimmed : `${perSecond}: rate`)
  if (perSecond !== undefined && wanted.dimension === 'share')
    throw refusal(text, `${perSecond} is a share: write ${perSecond} without /s`)
  return { text, dimension: wanted.dimension, wanted: [wanted] }
}

/** What a threshold with this left side looks at. */
function read(text: string, leftSide: string): Threshold {
  try {
    const source = { expression: `${leftSide}<1`, abortOnFail: false, delayAbortMs: 0 }
    const [threshold, ...more] = parseThresholds([source], { scenarios: anyScenario })
    if (threshold === undefined || more.length > 0) throw refusal(text, 'it is more than one')
    return threshold
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error
    throw refusal(text, error.problems.map(({ message }) => message).join('; '))
  }
}

function refusal(text: string, why: string): HistoryError {
  return new HistoryError(
    'HISTORY_METRIC',
    `${JSON.stringify(text)} is no metric: ${why}. Write p95, p95 of NAME, errors, hits/s, or what stands left of the ` +
      'comparison in a threshold',
  )
}
