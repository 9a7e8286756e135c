/**
 * What people look at: the model of a run and its changes, the live page, the report.
 *
 * @module
 */
export { applyUpdate } from './apply-update.ts'
export { buildModel, type BuildOptions } from './build-model.ts'
export { DashboardServer, type DashboardOptions } from './dashboard-server.ts'
export { DashboardError, type DashboardErrorCode } from './errors.ts'
export { modelElementId, renderReport } from './render-report.ts'
export { mostLogLines } from './model.ts'
export type {
  AgentRow,
  Band,
  ErrorRow,
  Heatmap,
  LogLine,
  Mark,
  Points,
  RunHead,
  RunListRow,
  RunModel,
  RunTotals,
  RunUpdate,
  ScenarioHead,
  SeriesChange,
  SeriesRow,
  ThresholdRow,
} from './model.ts'
export type { PastRuns, RunSource } from './run-source.ts'
export { RunModeler, type RunModelerOptions } from './run-modeler.ts'
export { liveTiers, reportTiers, type Tiers } from './timeline.ts'
