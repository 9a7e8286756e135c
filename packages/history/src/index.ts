/**
 * What a run was: its state and totals, its figures second by second, live from its events or from disk; the store of
 * past runs; comparison and trends.
 *
 * @module
 */
export { intervalSpansMs, type AgentShare, type Interval } from './interval.ts'
export { RunView } from './run-view.ts'
export type { ScenarioView } from './scenario-view.ts'
export type { StartRates } from './start-rates.ts'
