import type { Metric } from './metric.ts'
import type { Scanner } from './scanner.ts'
import type { Aggregation, Dimension } from './threshold.ts'

const words = /(?:avg|mean|min|max|med|median|count|rate|value)(?![\p{L}\p{N}_.\-/])/u
const quantile = /p\s*\(\s*([^)]*?)\s*\)/
const shortQuantile = /p(\d+(?:\.\d+)?)(?![\p{L}\p{N}_.\-/])/u

/** The aggregation that stands here; null, and nothing is taken, where there is none. */
export function aggregationOf(scanner: Scanner): Aggregation | null {
  const at = scanner.at
  const percent = scanner.take(quantile) ?? scanner.take(shortQuantile)
  if (percent !== null) {
    const number = percent[1] === '' ? NaN : Number(percent[1])
    if (!(number >= 0 && number <= 100)) {
      scanner.fail(`p(${percent[1]}) is no percentile: write a number from 0 to 100, as in p(99.9)`, at)
    }
    return { type: 'quantile', share: Math.round(number * 1e8) / 1e10 }
  }
  const word = scanner.take(words)?.[0]
  switch (word) {
    case undefined:
      return null
    case 'med':
    case 'median':
      return { type: 'quantile', share: 0.5 }
    case 'avg':
    case 'mean':
      return { type: 'avg' }
    default:
      return { type: word as 'min' | 'max' | 'count' | 'rate' | 'value' }
  }
}

/** What a metric is judged by where nothing is said. The operator has been read. */
export function defaultAggregation(scanner: Scanner, metric: Metric, at: number): Aggregation {
  switch (metric.type) {
    case 'trend':
      return scanner.fail(
        `say what of ${metric.name}: p(95), med, avg, min, max, count or rate, as in ${metric.name}: p(95)<200`,
        at,
      )
    case 'share':
      return { type: 'rate' }
    case 'counter':
      return { type: /^\s*[\d.]+\s*[a-zA-Z]*\/\w/.test(scanner.rest) ? 'rate' : 'count' }
    case 'custom':
      return { type: /^\s*[\d.]+\s*\/\w/.test(scanner.rest) ? 'rate' : 'value' }
  }
}

const allowed: Record<Metric['type'], readonly Aggregation['type'][]> = {
  trend: ['quantile', 'avg', 'min', 'max', 'count', 'rate'],
  share: ['rate', 'count'],
  counter: ['count', 'rate', 'value'],
  custom: ['quantile', 'avg', 'min', 'max', 'count', 'rate', 'value'],
}

const spelled: Record<Metric['type'], string> = {
  trend: 'it has p(95), med, avg, min, max, count and rate',
  share: 'it is a share and has rate and count',
  counter: 'it is counted and has count and rate',
  custom: '',
}

export function checkAggregation(
  scanner: Scanner,
  metric: Metric,
  aggregation: Aggregation,
  at: number,
): void {
  if (allowed[metric.type].includes(aggregation.type)) return
  const word =
    aggregation.type === 'quantile' ? `p(${Math.round(aggregation.share * 1e6) / 1e4})` : aggregation.type
  scanner.fail(`${metric.name} has no ${word}: ${spelled[metric.type]}`, at)
}

export function dimensionOf(metric: Metric, { type }: Aggregation): Dimension {
  if (type === 'count' || type === 'value') return metric.bytes ? 'bytes' : 'number'
  if (type !== 'rate') return 'time'
  if (metric.type === 'share') return 'share'
  return metric.bytes ? 'bytes-per-second' : 'per-second'
}
