import { ThresholdWatch } from '@loads-runner/metrics'
import type { Threshold, Verdict } from '@loads-runner/metrics'
import { HistoryError } from './errors.ts'
import { openRecording, type Recording } from './recording.ts'
import type { StoredRun } from './stored-run.ts'
import { summaryValue } from './summary-value.ts'
import { totalsOf, type Totals } from './totals.ts'
import { parseTrendMetric } from './trend-metric.ts'

/** What a metric came to in one run. */
export interface TrendPoint {
  runId: string
  /** Of its directory. */
  path: string
  /** Epoch milliseconds; null when no load was made. */
  startedAt: number | null
  /** Milliseconds, a share, a number ... as {@link parseTrendMetric} says; null: nothing, or too little, was recorded. */
  value: number | null
  verdict: Verdict | null
}

/**
 * A metric over several runs, oldest first. It is read from their summaries; where a summary cannot tell (a percentile
 * of several series, a run that was killed), it is taken from the stored histograms.
 *
 * @throws {HistoryError} HISTORY_METRIC, HISTORY_NOT_A_RUN, HISTORY_DAMAGED
 */
export async function trend(runs: readonly (Recording | StoredRun)[], metric: string): Promise<TrendPoint[]> {
  const { wanted } = parseTrendMetric(metric)
  const points: TrendPoint[] = []
  for (const run of runs) {
    const recording = 'events' in run ? run : await openRecording(run.path)
    points.push(await pointOf(recording, wanted))
  }
  return points.sort((one, other) => (one.startedAt ?? 0) - (other.startedAt ?? 0))
}

async function pointOf(recording: Recording, wanted: readonly Threshold[]): Promise<TrendPoint> {
  const { runId, path, summary } = recording
  const started = summary?.started ?? null
  const known = summary === null ? undefined : firstOf(wanted, (each) => summaryValue(each, summary))
  if (summary !== null && known !== undefined) {
    const startedAt = started === null ? null : Date.parse(started)
    return { runId, path, startedAt, value: known, verdict: summary.verdict }
  }
  const totals = await totalsOf(recording).catch((error: unknown) => {
    // Without events there is nothing to ask; the run is in the list all the same.
    if (error instanceof HistoryError && error.code === 'HISTORY_NOT_A_RUN') return null
    throw error
  })
  const startedAt = totals?.startedAt ?? (started === null ? null : Date.parse(started))
  const value = totals === null ? null : (firstOf(wanted, (each) => totalsValue(each, totals)) ?? null)
  return { runId, path, startedAt, value, verdict: summary?.verdict ?? null }
}

/** The first value that is not null; undefined as soon as one cannot be told. */
function firstOf(
  wanted: readonly Threshold[],
  valueOf: (threshold: Threshold) => number | null | undefined,
): number | null | undefined {
  for (const each of wanted) {
    const value = valueOf(each)
    if (value !== null) return value
  }
  return null
}

/** As a threshold of the run would have it. */
function totalsValue(threshold: Threshold, totals: Totals): number | null {
  const watch = new ThresholdWatch([threshold])
  const toMs = totals.loadSeconds * 1000
  watch.apply(totals.aggregate.toDelta(), 0, toMs)
  watch.drop(totals.view.dropped, 0, toMs)
  return watch.standings()[0]!.value
}
