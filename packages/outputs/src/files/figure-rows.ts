import type { Interval } from '@loads-runner/history'
import { hitKinds, interruptedStatus, isTimed, type SeriesDelta } from '@loads-runner/metrics'
import { statsFields, Times, type StatsFields } from '../influx/times.ts'

/** What was recorded in one series (or in all hits) in one interval. Durations are milliseconds. */
export interface FigureRow extends StatsFields {
  kind: string
  test: string
  name: string
  method: string
  status: string
  tags: Readonly<Record<string, string>>
  count: number
  failed: number
  perSecond: number
  bytesIn: number
  bytesOut: number
  /** What a counter grew by, where a gauge stands; null for the rest. */
  value: number | null
}

/** Makes rows of intervals: one of all hits (kind `all`), then one per series. The engine's own series are left out. */
export class FigureRows {
  readonly #times = new Times()

  of({ delta, loadMs }: Interval): FigureRow[] {
    const shown = [...delta.series.values()].filter(({ key }) => key.kind !== 'internal')
    return [this.#all(shown, loadMs), ...shown.map((series) => this.#row(series, loadMs))]
  }

  #all(series: readonly SeriesDelta[], loadMs: number): FigureRow {
    const hits = series.filter(({ key }) => hitKinds.has(key.kind))
    const row: FigureRow = {
      kind: 'all',
      test: '',
      name: '',
      method: '',
      status: '',
      tags: {},
      count: 0,
      failed: 0,
      perSecond: 0,
      bytesIn: 0,
      bytesOut: 0,
      value: null,
      ...statsFields(this.#times.stats(hits)),
    }
    for (const hit of hits) {
      row.count += hit.count
      row.failed += failedOf(hit)
      row.bytesIn += hit.bytesIn
      row.bytesOut += hit.bytesOut
    }
    row.perSecond = perSecond(row.count, loadMs)
    return row
  }

  #row(series: SeriesDelta, loadMs: number): FigureRow {
    const { key, count, bytesIn, bytesOut, value } = series
    const { kind, test, name, method, status, tags } = key
    return {
      kind,
      test,
      name,
      method,
      status,
      tags,
      count,
      failed: failedOf(series),
      perSecond: perSecond(count, loadMs),
      bytesIn,
      bytesOut,
      value: kind === 'counter' || kind === 'gauge' ? value : null,
      ...(isTimed(kind) ? statsFields(this.#times.stats([series])) : noStats),
    }
  }
}

const noStats: StatsFields = {
  min: null,
  mean: null,
  p50: null,
  p90: null,
  p95: null,
  p99: null,
  p999: null,
  max: null,
}

/** Interrupted hits are not failed, here as in the summary. */
function failedOf({ key, failed }: SeriesDelta): number {
  return key.status === interruptedStatus ? 0 : failed
}

function perSecond(count: number, loadMs: number): number {
  return loadMs > 0 ? Math.round((count * 1e6) / loadMs) / 1e3 : 0
}
