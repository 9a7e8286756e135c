import { Distribution, hitKinds, interruptedStatus } from '@loads-runner/metrics'
import type { Interval } from '@loads-runner/history'
import { cellsOf, type Cells } from './heat-rows.ts'
import type { Points } from './model.ts'

/** The columns of points, in their order in a moment. */
export const columns = [
  'fromMs',
  'spanMs',
  'hitsPerSecond',
  'failedPerSecond',
  'executionsPerSecond',
  'errorsPerSecond',
  'activeUsers',
  'plannedPerSecond',
  'startedPerSecond',
  'droppedPerSecond',
  'p50',
  'p95',
  'p99',
  'max',
  'responseP50',
  'responseP95',
  'responseP99',
  'bytesInPerSecond',
  'bytesOutPerSecond',
  'eventLoopLagMs',
  'latenessMs',
  'cpu',
] as const satisfies readonly (keyof Points)[]

/** A point of a run and its column of the heatmap. Compact, since long runs have many. */
export interface Moment {
  readonly fromMs: number
  readonly spanMs: number
  /** How much of it was load. */
  readonly loadMs: number
  /** At its end, since the start of the run. */
  readonly planned: number
  readonly dropped: number
  /** One number per column; NaN: not measured. */
  readonly values: Float64Array
  readonly cells: Cells
}

/** What a moment is compared with: figures since the start of the run, at some time of it. */
export interface Standing {
  elapsedMs: number
  planned: number
  dropped: number
}

/** @param open the run has a schedule of starts */
export function momentOf(interval: Interval, open: boolean): Moment {
  const { fromMs, spanMs, loadMs, delta, agents, planned, dropped } = interval
  const times = new Distribution()
  const responses = new Distribution()
  let hits = 0
  let failed = 0
  let executions = 0
  let errors = 0
  let started = 0
  let bytesIn = 0
  let bytesOut = 0
  for (const series of delta.series.values()) {
    const { kind, status } = series.key
    if (hitKinds.has(kind)) {
      times.apply(series)
      hits += series.count
      if (status !== interruptedStatus) failed += series.failed
      bytesIn += series.bytesIn
      bytesOut += series.bytesOut
    } else if (kind === 'hit-response') responses.apply(series)
    else if (kind === 'execution' && status !== interruptedStatus) {
      executions += series.count
      if (status !== 'success') errors += series.count
      // Each start of an open model has its lateness recorded; others have none.
    } else if (kind === 'lateness') started += series.count
  }
  const perSecond = (count: number) => (loadMs > 0 ? round((count * 1000) / loadMs) : 0)
  const service = times.stats()
  const response = responses.stats()
  const values: Record<(typeof columns)[number], number | null> = {
    fromMs,
    spanMs,
    hitsPerSecond: perSecond(hits),
    failedPerSecond: perSecond(failed),
    executionsPerSecond: perSecond(executions),
    errorsPerSecond: perSecond(errors),
    activeUsers: interval.activeUsers,
    plannedPerSecond: null,
    startedPerSecond: open ? perSecond(started) : null,
    droppedPerSecond: null,
    p50: service.p50,
    p95: service.p95,
    p99: service.p99,
    max: service.max,
    responseP50: response.p50,
    responseP95: response.p95,
    responseP99: response.p99,
    bytesInPerSecond: perSecond(bytesIn),
    bytesOutPerSecond: perSecond(bytesOut),
    eventLoopLagMs: agents.reduce((most, agent) => Math.max(most, agent.eventLoopLagMs), 0),
    latenessMs: agents.reduce((most, agent) => Math.max(most, agent.latenessMs), 0),
    cpu: agents.reduce((sum, agent) => sum + agent.cpu, 0),
  }
  return {
    fromMs,
    spanMs,
    loadMs,
    planned,
    dropped,
    values: Float64Array.from(columns, (name) => values[name] ?? NaN),
    cells: cellsOf(times.histogram),
  }
}

const plannedPlace = columns.indexOf('plannedPerSecond')
const droppedPlace = columns.indexOf('droppedPerSecond')

/** Fills in what only grows, as rates since what was before. */
export function setRates(moment: Moment, before: Standing): void {
  const overMs = moment.fromMs + moment.loadMs - before.elapsedMs
  const rate = (grown: number) => (overMs > 0 ? round((Math.max(0, grown) * 1000) / overMs) : NaN)
  moment.values[plannedPlace] = rate(moment.planned - before.planned)
  moment.values[droppedPlace] = rate(moment.dropped - before.dropped)
}

export function standingAfter({ fromMs, loadMs, planned, dropped }: Moment): Standing {
  return { elapsedMs: fromMs + loadMs, planned, dropped }
}

/** Moments as points; times in whole microseconds, rates to three digits behind the point. */
export function pointsOf(moments: readonly Moment[]): Points {
  const points: Partial<Record<keyof Points, (number | null)[]>> = {}
  for (const [place, name] of columns.entries())
    points[name] = moments.map(({ values }) => {
      const value = values[place]!
      return Number.isNaN(value) ? null : round(value)
    })
  return points as Points
}

/** Three digits behind the point: microseconds of what is milliseconds. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
