import type { Stats, Summary } from '@loads-runner/metrics'

/**
 * What a page knows of a run. The server makes it of the run's events, the live page keeps it up to date with
 * {@link RunUpdate}s, the report has it written into itself. Plain JSON; no module of Node may be imported here, since
 * this file runs in browsers. Times of the run (`...Ms`) are milliseconds since its load began, durations of hits
 * are milliseconds, `at` is milliseconds since the epoch.
 */
export interface RunModel {
  head: RunHead
  totals: RunTotals
  points: Points
  heatmap: Heatmap
  series: SeriesRow[]
  errors: ErrorRow[]
  agents: AgentRow[]
  thresholds: ThresholdRow[]
  bands: Band[]
  marks: Mark[]
  log: LogLine[]
  /** Figures of the target itself, by name. */
  observed: Record<string, { fromMs: number[]; value: number[] }>
  /** Null until the run has ended. */
  summary: Summary | null
}

export interface RunHead {
  runId: string
  /** What was run, as typed. */
  names: string[]
  project: string | null
  user: string | null
  labels: Record<string, string>
  state: string
  /** Why it is in that state, where that is known. */
  note: string
  seed: number
  submittedAt: number
  startedAt: number | null
  elapsedMs: number
  /** Null where executions, or an operator, decide. */
  plannedMs: number | null
  /** 0 to 1. */
  progress: number
  warmUpMs: number
  scenarios: ScenarioHead[]
}

export interface ScenarioHead {
  name: string
  /** Its load in words: `50 users for 30 s`. */
  load: string
  /** What can be changed while it goes on; null: nothing. */
  controls: 'users' | 'rate' | null
  target: number | null
  paused: boolean
}

export interface RunTotals {
  hits: number
  failedHits: number
  executions: number
  failures: number
  errors: number
  activeUsers: number
  /** Open models; null elsewhere. */
  planned: number | null
  started: number
  dropped: number
  bytesIn: number
  bytesOut: number
  serviceTime: Stats
  /** Open models; null elsewhere. */
  responseTime: Stats | null
  /** Windows received of windows owed, 0 to 1. */
  coverage: number
}

/** The run over time: one entry of each column per point, in order of time. Null: nothing was measured. */
export interface Points {
  fromMs: number[]
  /** Length of each point: 1,000, 10,000 or 60,000; older points of long runs are longer. */
  spanMs: number[]
  hitsPerSecond: number[]
  failedPerSecond: number[]
  executionsPerSecond: number[]
  /** Executions that ended as failure or error. */
  errorsPerSecond: number[]
  activeUsers: number[]
  /** Open models: starts that fell due, that began, that were dropped. Null in other models. */
  plannedPerSecond: (number | null)[]
  startedPerSecond: (number | null)[]
  droppedPerSecond: (number | null)[]
  p50: (number | null)[]
  p95: (number | null)[]
  p99: (number | null)[]
  max: (number | null)[]
  responseP50: (number | null)[]
  responseP95: (number | null)[]
  responseP99: (number | null)[]
  bytesInPerSecond: number[]
  bytesOutPerSecond: number[]
  /** The worst agent, in milliseconds. */
  eventLoopLagMs: number[]
  latenessMs: number[]
  /** Cores in use, all agents together. */
  cpu: number[]
}

/** How often hits took how long, over time. */
export interface Heatmap {
  /** Lower ends of the rows in milliseconds, ascending, evenly spaced on a logarithmic scale. */
  bounds: number[]
  /** One column per point: when, how long, and row, count, row, count ... of those rows that are not empty. */
  columns: { fromMs: number; spanMs: number; cells: number[] }[]
}

/** One line of the table: hits of one name, or a check, a step, a counter, a gauge, a timing of the user's. */
export interface SeriesRow {
  /** Stays the same; what is replaced by. */
  id: string
  kind: string
  test: string
  name: string
  method: string
  status: string
  tags: Record<string, string>
  count: number
  failed: number
  /** Counters and gauges; null for the rest. */
  value: number | null
  perSecond: number
  /** Null for series without durations. */
  time: Stats | null
  /** Of all hits of this name, whatever their status and tags; in its first line alone, and where it has several. */
  merged?: Stats
  /**
   * The latest part of the run, oldest first, in steps of `spanMs`: a line of 60 numbers at most. Steps grow with the
   * run, so that it shows all of the run for an hour.
   */
  spark: { spanMs: number; count: number[]; p95: (number | null)[] }
}

export interface ErrorRow {
  type: string
  message: string
  count: number
  firstSeen: number
  lastSeen: number
  sample: string
}

export interface AgentRow {
  id: string
  incarnation: string
  host: string
  state: string
  activeUsers: number
  hits: number
  /** Of all hits of the run, 0 to 1. */
  share: number
  eventLoopLagMs: number
  cpu: number
  latenessMs: number
  windows: number
  windowsMissing: number
}

export interface ThresholdRow {
  expression: string
  value: number | null
  ok: boolean | null
  /** The value with its unit, as the console writes it. */
  text: string
  /** What it was, each time that it was said: [elapsedMs, value, ok]. */
  past: [number, number | null, boolean | null][]
}

/** A time of the run in which something was different. */
export interface Band {
  id: string
  kind: 'fault' | 'warm-up' | 'stage' | 'tainted' | 'missing' | 'paused'
  label: string
  detail: string
  fromMs: number
  /** Null: it goes on. */
  toMs: number | null
}

/** A moment of the run. */
export interface Mark {
  kind: 'note' | 'control' | 'agent' | 'threshold' | 'state'
  atMs: number
  label: string
  source: string
}

export interface LogLine {
  at: number
  level: 'info' | 'warning' | 'error'
  source: string
  text: string
}

/** A new line of the table, whole, or what has changed in one. */
export type SeriesChange = Pick<SeriesRow, 'id'> & Partial<SeriesRow>

/** Lines of the log that a model keeps: the latest. */
export const mostLogLines = 1_000

/** What has changed since the update before. What is absent has not. */
export interface RunUpdate {
  head?: RunHead
  totals?: RunTotals
  /** Replace all points from the first one's `fromMs` on. */
  points?: Points
  /** Replace all columns from the first one's `fromMs` on. */
  columns?: Heatmap['columns']
  /** Old points were made longer: these replace everything. */
  allPoints?: Points
  /** The rows of the heatmap are others now; `allColumns` comes with them. */
  bounds?: number[]
  allColumns?: Heatmap['columns']
  /** By id; those with a new id are whole and come after the rest. */
  series?: SeriesChange[]
  /** All of them, as all lists below. */
  errors?: ErrorRow[]
  agents?: AgentRow[]
  thresholds?: ThresholdRow[]
  bands?: Band[]
  marks?: Mark[]
  /** New lines only. The latest {@link mostLogLines} are kept. */
  log?: LogLine[]
  /** By name: replace all values from the first one's `fromMs` on. */
  observed?: Record<string, { fromMs: number[]; value: number[] }>
  summary?: Summary
}

/** One line in the list of runs. */
export interface RunListRow {
  runId: string
  names: string[]
  project: string | null
  user: string | null
  labels: Record<string, string>
  state: string
  verdict: string | null
  submittedAt: number
  startedAt: number | null
  endedAt: number | null
  agents: number
  hits: number
  /** Milliseconds; null without hits or before the end. */
  p95: number | null
  errorRate: number | null
}
