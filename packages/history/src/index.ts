/**
 * What a run was: its state and totals, its figures second by second, live from its events or from disk; the store of
 * past runs; comparison and trends.
 *
 * @module
 */
export { writeAtomically } from './atomic-file.ts'
export { AgentFigures } from './agent-figures.ts'
export {
  compareRuns,
  type ComparedRun,
  type Comparison,
  type ErrorChange,
  type SeriesComparison,
  type TimeChange,
  type TimeSide,
} from './compare-runs.ts'
export { HistoryError, type HistoryErrorCode } from './errors.ts'
export { intervalSpansMs, type AgentShare, type Interval } from './interval.ts'
export { IntervalCutter, type IntervalCutterOptions } from './interval-cutter.ts'
export { openRecording, type Recording, type TestSource } from './recording.ts'
export { pointLatestAt } from './latest-link.ts'
export type { PruneRequest, Pruned } from './prune.ts'
export type { RunKind } from './run-files.ts'
export type { RunFilter } from './run-filter.ts'
export { RunStore } from './run-store.ts'
export type { StoredRun } from './stored-run.ts'
export { agentKey, RunView, type LogLine, type Observed } from './run-view.ts'
export type { ScenarioView } from './scenario-view.ts'
export type { StartRates } from './start-rates.ts'
export { totalsOf, type Totals, type TotalsOptions } from './totals.ts'
export { trend, type TrendPoint } from './trend.ts'
export { parseTrendMetric, type TrendMetric } from './trend-metric.ts'
