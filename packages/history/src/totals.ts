import { MetricsError } from '@loads-runner/metrics'
import type { Aggregate, Summary } from '@loads-runner/metrics'
import type { RunSpec, RunState } from '@loads-runner/protocol'
import { HistoryError } from './errors.ts'
import { IntervalCutter } from './interval-cutter.ts'
import type { Interval } from './interval.ts'
import type { Recording } from './recording.ts'
import { RunView } from './run-view.ts'

/** What a run came to, rebuilt from its events. */
export interface Totals {
  runId: string
  path: string
  spec: RunSpec
  /** The last that was recorded. */
  state: RunState
  /** Epoch milliseconds; null when no load was made. */
  startedAt: number | null
  /** Epoch milliseconds; null when the record does not reach the end of the run. */
  endedAt: number | null
  /** Seconds of load that figures count of: without the warm-up. Rates divide by it. */
  loadSeconds: number
  /** Without the warm-up. */
  aggregate: Aggregate
  /** Everything else that is known. */
  view: RunView
  /** As the broker made it; null when the run was not seen to end. */
  summary: Summary | null
  /** The record ends before the run did: torn by a crash, or damaged. */
  isTorn: boolean
  /** What is wrong with the record; the totals are of what comes before. */
  damage: string | null
}

export interface TotalsOptions {
  /** Lengths of intervals to cut on the way. */
  spansMs?: readonly number[]
  /** Called for each of them and, again, for each that late figures have changed. */
  onInterval?: (interval: Interval) => void
}

/**
 * Rebuilds what a run came to from its events, also after a crash and up to a damaged record.
 *
 * @throws {HistoryError} HISTORY_NOT_A_RUN when there are no events
 */
export async function totalsOf(recording: Recording, options: TotalsOptions = {}): Promise<Totals> {
  const { spansMs = [], onInterval = () => {} } = options
  // The clock stands still: a record has no time but that of its events.
  const view = new RunView(() => 0)
  const cutter = spansMs.length === 0 ? null : new IntervalCutter({ spansMs, onInterval })
  if (cutter !== null) view.onCommit = (event, delta) => cutter.commit(event, delta, view.startedAt)
  let damage: string | null = null
  try {
    for await (const event of recording.events()) {
      if (event.type === 'snapshot') cutter?.begin(event)
      view.apply(event)
    }
  } catch (error) {
    const isDamage = error instanceof HistoryError && error.code === 'HISTORY_DAMAGED'
    if (error instanceof MetricsError)
      damage = `figures in ${recording.path} cannot be read: ${error.message}`
    else if (isDamage) damage = error.message
    else throw error
  }
  cutter?.end(view.elapsedMs())
  const summary = view.summary ?? recording.summary
  const loadMs = summary === null ? view.elapsedMs() : summary.durationSeconds * 1000
  const warmUp = summary?.warmUp ?? null
  const warmUpMs = warmUp === null ? recording.spec.warmUpMs : warmUp.seconds * 1000
  return {
    runId: recording.runId,
    path: recording.path,
    spec: recording.spec,
    state: view.state,
    startedAt: view.startedAt,
    endedAt: view.endedAt,
    loadSeconds: Math.max(0, loadMs - Math.min(loadMs, warmUpMs)) / 1000,
    aggregate: view.aggregate,
    view,
    summary,
    isTorn: view.endedAt === null,
    damage,
  }
}
