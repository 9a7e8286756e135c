import { ThresholdError, type ThresholdProblem } from '../errors.ts'
import { aggregationOf, checkAggregation, defaultAggregation, dimensionOf } from './aggregation.ts'
import { filtersOf } from './filters.ts'
import { limitOf } from './limit.ts'
import { customMetric, defaultMetric, metrics, type Metric } from './metric.ts'
import { nearestNames } from '../nearest-names.ts'
import { Complaint, partsOf, Scanner } from './scanner.ts'
import { scopeOf } from './scope.ts'
import type { Aggregation, Operator, Threshold, ThresholdContext } from './threshold.ts'

/** A threshold as a run has it: one expression may hold several conditions. */
export interface ThresholdSource {
  expression: string
  abortOnFail: boolean
  delayAbortMs: number
}

/**
 * Reads thresholds. The grammar is that of k6 and a little more:
 *
 *     expression   condition, condition && condition ...        all must hold; each is a threshold of its own
 *     condition    [metric[{filter, filter}]:] [aggregation] operator limit [scope ...]
 *     metric       http_req_duration, errors, step_duration ... (see metric.ts), or the name of a counter, gauge or
 *                  timing of one's own; 'in quotes' it is always the latter
 *     filter       word:value      word: name, method, status, test, kind, scenario or any tag; value may be quoted
 *     aggregation  p(95)  med  avg  min  max     of durations
 *                  count  rate                   of what is counted; rate is a share, or so many per second
 *                  value                         of a gauge or a counter
 *     operator     <  <=  >  >=  ==  !=          (=== and !== too)
 *     limit        200  200ms  1.5s  1%  0.01  50/s  3000/m  10MB      a bare duration is in milliseconds
 *     scope        over 30s  (or: for 30s)       of each span of that length: crossed when one of them crosses it
 *                  during buyers/2               while stage 2 (the first is 1) of that scenario goes on; of all series
 *                  in stage 2                    the same of the only scenario
 *                  min 100                       says nothing before so many samples (or: with at least 100 samples)
 *
 *     http_req_duration{name:login,status:200}: p(95)<200, p(99)<1s
 *     errors<1% && http_req_duration: p(99.9) < 2s over 30s
 *     p(95)<200, errors<1%
 *
 * A condition without a metric is about the last one that was named with a colon, and without that about
 * http_req_duration. A metric without an aggregation: `rate` of a share, `count` of a counter (`rate` where the limit
 * is per second), `value` of one of one's own. Errors and failures are shares of finished executions.
 *
 * No data is a failure at the end: nothing recorded, fewer samples than asked for, or fewer than 10 beyond a quantile.
 * So a counter of one's own that is to stay at 0 must be counted once, with 0. Only a span in which nothing happens,
 * after something has happened in the run, is a count of 0 and a rate of 0.
 *
 * @throws {ThresholdError} with everything that is wrong in all of them
 */
export function parseThresholds(sources: readonly ThresholdSource[], context: ThresholdContext): Threshold[] {
  const thresholds: Threshold[] = []
  const problems: ThresholdProblem[] = []
  for (const [index, source] of sources.entries()) {
    const { expression } = source
    let named: NamedMetric | null = null
    for (const [from, to] of partsOf(expression, 0, expression.length, [',', '&&'])) {
      try {
        const parsed: Parsed = parseCondition(source, from, to, named, context)
        named = parsed.named
        thresholds.push(parsed.threshold)
      } catch (error) {
        if (!(error instanceof Complaint)) throw error
        problems.push({ index, expression, at: error.at, message: error.message })
      }
    }
  }
  if (problems.length > 0) throw new ThresholdError(problems)
  return thresholds
}

/** A metric with its filters, and how it was written. */
interface NamedMetric {
  metric: Metric
  filters: Record<string, string>
  text: string
}

interface Parsed {
  threshold: Threshold
  /** What conditions without a metric are about from here on. */
  named: NamedMetric | null
}

const name = /[\p{L}_][\p{L}\p{N}_.\-/]*/u
const quotedName = /"([^"]*)"|'([^']*)'/
const operators = /===|!==|==|!=|<=|>=|<|>|=/

function parseCondition(
  source: ThresholdSource,
  from: number,
  to: number,
  before: NamedMetric | null,
  context: ThresholdContext,
): Parsed {
  const { expression, abortOnFail, delayAbortMs } = source
  const scanner = new Scanner(expression, from, to)
  if (scanner.isAtEnd) scanner.fail('a condition is missing here: write one such as p(95)<200')
  const start = scanner.at
  const mine = parseMetric(scanner, expression, context)
  const about = mine ?? before ?? { metric: defaultMetric, filters: {}, text: defaultMetric.name }
  const conditionAt = scanner.at
  const given = aggregationOf(scanner)
  const operator = parseOperator(scanner, about.metric, given)
  const aggregation = given ?? defaultAggregation(scanner, about.metric, conditionAt)
  checkAggregation(scanner, about.metric, aggregation, conditionAt)
  const dimension = dimensionOf(about.metric, aggregation)
  const limit = limitOf(scanner, about.metric, aggregation, dimension)
  const scope = scopeOf(scanner, context)
  const written = expression.slice(start, to).trim()
  return {
    named: mine !== null && mine.colon ? mine : before,
    threshold: {
      expression: mine === null ? `${about.text}: ${written}` : written,
      metric: about.metric,
      filters: about.filters,
      aggregation,
      operator,
      limit,
      dimension,
      ...scope,
      abortOnFail,
      delayAbortMs,
    },
  }
}

/** The metric that a condition names; null, and nothing is taken, when it names none. */
function parseMetric(
  scanner: Scanner,
  expression: string,
  context: ThresholdContext,
): (NamedMetric & { colon: boolean }) | null {
  const start = scanner.at
  const quoted = scanner.take(quotedName)
  const word = quoted === null ? scanner.take(name)?.[0] : undefined
  if (quoted === null && word === undefined) return null
  const marked = scanner.sees(/[{:]/)
  if (word !== undefined && !marked) {
    scanner.back(start)
    if (aggregationOf(scanner) !== null) {
      scanner.back(start)
      return null
    }
    scanner.take(name)
  }
  const metric =
    quoted === null ? metricOf(scanner, word!, start) : customMetric(quoted[1] ?? quoted[2] ?? '')
  if (metric.name === '') scanner.fail('the name of a metric is missing between the quotes', start)
  const filters = filtersOf(scanner, expression, metric, context)
  const text = expression.slice(start, scanner.at).trim()
  const colon = scanner.take(/:/) !== null
  return { metric, filters, text, colon }
}

function metricOf(scanner: Scanner, word: string, at: number): Metric {
  const known = metrics.get(word)
  if (known !== undefined) return known
  // Of one's own, unless it looks like a slip of the pen: then only no data would tell, at the end of the run.
  const reserved = /^(http_req|ws_|grpc_|data_)/.test(word)
  const near = nearestNames(word, metrics.keys())
  if (near.length === 0 && !reserved) return customMetric(word)
  const hint =
    near.length > 0 ? `did you mean ${near.join(' or ')}?` : `known are ${[...metrics.keys()].join(', ')}`
  return scanner.fail(
    `there is no metric ${word}: ${hint} One of your own is written in quotes: '${word}'`,
    at,
  )
}

function parseOperator(scanner: Scanner, metric: Metric, given: Aggregation | null): Operator {
  const at = scanner.at
  const operator = scanner.take(operators)?.[0]
  if (operator === undefined) {
    if (given === null && scanner.sees(name)) {
      scanner.fail(
        `${JSON.stringify(scanner.take(name)![0])} is no aggregation: use p(95), med, avg, min, max, count, rate or value`,
        at,
      )
    }
    scanner.fail(
      `a comparison is missing: write <, <=, >, >=, == or != and a limit${given === null ? `, as in ${exampleOf(metric)}` : ''}`,
    )
  }
  if (operator === '=') scanner.fail('use == to compare', at)
  if (operator === '===') return '=='
  if (operator === '!==') return '!='
  return operator as Operator
}

function exampleOf(metric: Metric): string {
  if (metric.type === 'trend') return `${metric.name}: p(95)<200`
  return metric.type === 'share' ? `${metric.name}: rate<1%` : `${metric.name}: count<100`
}
