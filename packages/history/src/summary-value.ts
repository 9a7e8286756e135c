import { thresholdSelects } from '@loads-runner/metrics'
import type { SeriesKey, Stats, Summary, Threshold } from '@loads-runner/metrics'

const quantiles = {
  0.5: 'p50',
  0.9: 'p90',
  0.95: 'p95',
  0.99: 'p99',
  0.999: 'p999',
  0.9999: 'p9999',
} as const

/** Metrics that the rows of hits in a summary tell. */
const ofHits = new Set([
  'hit_duration',
  'http_req_duration',
  'ws_connecting',
  'grpc_req_duration',
  'hits',
  'http_reqs',
  'hit_failed',
  'http_req_failed',
])

/**
 * The value of a metric by the summary alone. Null: nothing was measured, or fewer than 10 samples lie beyond the
 * quantile; undefined: the summary cannot tell, since percentiles of several series do not add up.
 */
export function summaryValue(
  { metric, filters, aggregation }: Threshold,
  summary: Summary,
): number | null | undefined {
  const seconds = summary.durationSeconds - (summary.warmUp?.seconds ?? 0)
  if (metric.name === 'errors' || metric.name === 'failures') {
    if (aggregation.type !== 'rate' || Object.keys(filters).length > 0) return undefined
    return ratio(summary.tests[metric.name], summary.tests.finished)
  }
  if (metric.name === 'iterations' && Object.keys(filters).length === 0) {
    const { finished } = summary.tests
    return aggregation.type === 'rate' ? (finished === 0 ? null : ratio(finished, seconds)) : finished || null
  }
  if (!ofHits.has(metric.name)) return undefined
  const rows = summary.series.filter((row) => thresholdSelects({ metric, filters } as Threshold, keyOf(row)))
  const count = rows.reduce((sum, row) => sum + row.count, 0)
  if (count === 0) return null
  const isAll = rows.length === summary.series.length
  const times = isAll ? summary.serviceTime : rows.length === 1 ? rows[0]!.serviceTime : null
  const failed = isAll
    ? summary.hits.failed
    : rows.reduce((sum, row) => sum + (row.status === 'interrupted' ? 0 : row.failed), 0)
  switch (aggregation.type) {
    case 'rate':
      return metric.type === 'share' ? ratio(failed, count) : ratio(count, seconds)
    case 'count':
      return metric.type === 'share' ? failed : count
    case 'value':
      return count
    case 'quantile':
      return times === null ? undefined : quantileOf(times, aggregation.share)
    case 'avg':
      return rows.reduce((sum, { serviceTime }) => sum + serviceTime.sum, 0) / count
    default:
      return times === null ? undefined : times[aggregation.type]
  }
}

function keyOf({ kind, test, name, method, status, tags }: Summary['series'][number]): SeriesKey {
  return { kind, test, name, method, status, tags }
}

function quantileOf(times: Stats, share: number): number | null | undefined {
  const field = quantiles[share as keyof typeof quantiles]
  if (field === undefined) return undefined
  return share > times.trustedTo ? null : times[field]
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null
}
