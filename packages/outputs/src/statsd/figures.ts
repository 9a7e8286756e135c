import {
  hitKinds,
  interruptedStatus,
  type Delta,
  type SeriesDelta,
  type SeriesKey,
} from '@loads-runner/metrics'

/** Hits and executions of some time, all tests together. */
export interface Totals {
  hits: number
  failed: number
  executions: number
  /** Executions that ended as failure or error. */
  errors: number
}

export function totalsOf(delta: Delta): Totals {
  const totals: Totals = { hits: 0, failed: 0, executions: 0, errors: 0 }
  for (const series of delta.series.values()) {
    if (hitKinds.has(series.key.kind)) {
      totals.hits += series.count
      totals.failed += failedOf(series)
    } else if (isEnd(series.key)) {
      totals.executions += series.count
      if (isBadEnd(series.key)) totals.errors += series.count
    }
  }
  return totals
}

/** An execution that ran to its end. */
export function isEnd({ kind, status }: SeriesKey): boolean {
  return kind === 'execution' && status !== interruptedStatus
}

export function isBadEnd(key: SeriesKey): boolean {
  return isEnd(key) && key.status !== 'success'
}

/** Interrupted hits are not failed, here as in the summary. */
export function failedOf({ key, failed }: SeriesDelta): number {
  return key.status === interruptedStatus ? 0 : failed
}

/** Series of these kinds by what `idOf` says, in their order. */
export function groupBy(
  deltas: readonly Delta[],
  isWanted: (key: SeriesKey) => boolean,
  idOf: (key: SeriesKey) => string,
): SeriesDelta[][] {
  const groups = new Map<string, SeriesDelta[]>()
  for (const delta of deltas)
    for (const series of delta.series.values()) {
      if (!isWanted(series.key)) continue
      const id = idOf(series.key)
      const group = groups.get(id)
      if (group === undefined) groups.set(id, [series])
      else group.push(series)
    }
  return [...groups.values()]
}

export function sumOf(series: readonly SeriesDelta[], of: (series: SeriesDelta) => number): number {
  return series.reduce((sum, each) => sum + of(each), 0)
}

export function isHit({ kind }: SeriesKey): boolean {
  return hitKinds.has(kind)
}

/** Where a gauge stands: its latest value. */
export function latestOf(series: readonly SeriesDelta[]): number {
  return series.reduce((one, other) => (other.lastAt >= one.lastAt ? other : one)).value
}
