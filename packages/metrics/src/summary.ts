import type { Aggregate, ConnectionTotals, SocketTotals } from './aggregate.ts'
import type { HitKind, HitPhase } from './series.ts'
import type { Stats } from './stats.ts'

/** How a run ended. */
export type Verdict = 'passed' | 'failed' | 'incomplete' | 'generator-limited' | 'aborted' | 'infrastructure'

/**
 * The result of a run, as `--json` writes it: schema `loads.summary/1`. Times in milliseconds unless the name says
 * otherwise; counts are whole; every field is present, unknown is null.
 */
export interface Summary {
  schema: 'loads.summary/1'
  runId: string
  seed: number
  verdict: Verdict
  exitCode: number
  /** Sentences: everything that speaks against the run. */
  reasons: string[]
  /** ISO 8601; null when no load was made. */
  started: string | null
  durationSeconds: number
  tests: {
    started: number
    finished: number
    successes: number
    failures: number
    errors: number
    interrupted: number
    lost: number
  }
  hits: {
    count: number
    failed: number
    interrupted: number
    perSecond: number
    bytesIn: number
    bytesOut: number
  }
  serviceTime: Stats
  /** Of first hits of executions, from the intended start of the execution. Open models only. */
  responseTime: Stats | null
  executions: {
    test: string
    started: number
    successes: number
    failures: number
    errors: number
    interrupted: number
    duration: Stats
    responseTime: Stats | null
  }[]
  /** By scenario, where a run has several. */
  scenarios: {
    name: string
    started: number
    successes: number
    failures: number
    errors: number
    interrupted: number
    duration: Stats
    responseTime: Stats | null
  }[]
  series: {
    kind: HitKind
    test: string
    name: string
    method: string
    status: string
    tags: Record<string, string>
    count: number
    failed: number
    /** Some hits of this name may be in an overflow series, or this is one. */
    partial: boolean
    serviceTime: Stats
    /** Of those hits that were the first of their execution, from its intended start. Open models only. */
    responseTime: Stats | null
  }[]
  checks: { name: string; test: string; ok: number; failed: number; tags: Record<string, string> }[]
  steps: { name: string; test: string; tags: Record<string, string>; duration: Stats }[]
  /** Parts of the time of hits, where they were measured; the same name and method of all tests together. */
  phases: { name: string; method: string; phase: HitPhase; time: Stats }[]
  connections: ConnectionTotals
  websockets: SocketTotals
  counters: Record<string, number>
  /** Null under `(other)`: the latest of several gauges says nothing. */
  gauges: Record<string, number | null>
  timings: Record<string, Stats>
  errorGroups: {
    type: string
    message: string
    count: number
    firstSeen: string
    lastSeen: string
    sample: string
  }[]
  agents: {
    id: string
    host: string
    state: 'done' | 'lost' | 'fenced'
    /** Those of the warm-up included, as in its ledger. */
    hits: number
    windows: number
    windowsLost: number
    ledger: {
      planned: number
      started: number
      finished: number
      reported: number
      lost: number
      /** Open models: fell due and never started. */
      dropped: number
    }
  }[]
  coverage: {
    windowsOwed: number
    windowsReceived: number
    ratio: number
    /** hitsAtMost: what the agent may have made in that time, at its fastest pace; null when none is known. */
    missing: { agent: string; fromSecond: number; toSecond: number; hitsAtMost: number | null }[]
  }
  /** Open models: what fell due, and what became of it. planned = started + dropped once nothing waits any more. */
  schedule: {
    planned: number | null
    started: number
    dropped: number
    latenessP99: number | null
    lateness: Stats | null
  }
  /** Rows of data files that were leased: each was used once, but for those that may have been used twice. */
  feeds: {
    name: string
    rows: number
    used: number
    /** Leased by agents that ended or were lost before they said that they used them. */
    returned: number
    /** rows - used. */
    leftOver: number
    /** Of the used ones: a lost agent, or a missing window, may have used them before. */
    perhapsTwice: number
  }[]
  generator: {
    /** The generator was the limit of an open model: its figures say more about it than about the target. */
    limited: boolean
    eventLoopLagP99: number | null
    /** Mean cores in use, all agents together. */
    cpu: number | null
    /** Share of the time (0 to 1) in which a load thread collected garbage, of the worst agent. */
    gcShare: number | null
    warnings: string[]
    /** Times in which an agent did not keep up: what was measured there and then is doubtful. */
    tainted: { agent: string; fromSecond: number; toSecond: number; reasons: TaintReason[] }[]
  }
  /** What was recorded before the figures began to count; null when the run had no warm-up. */
  warmUp: { seconds: number; hits: number; executions: number } | null
  thresholds: { expression: string; value: number | null; ok: boolean; abortOnFail: boolean }[]
}

/** Why the figures of a moment are doubtful. */
export type TaintReason = 'event-loop-lag' | 'cpu' | 'gc' | 'lateness' | 'ports'

/** What is known about a run besides what was recorded in it. */
export interface RunFacts {
  runId: string
  seed: number
  /** Epoch milliseconds at which load began; null when none was made. */
  startedAt: number | null
  /** Epoch milliseconds. */
  endedAt: number
  verdict: Verdict
  exitCode: number
  reasons: string[]
  agents: Summary['agents']
  coverage: Summary['coverage']
  /** Executions that began on agents that were lost with them. */
  lostExecutions: number
  /** Null when the run is bounded by time. Open models: executions that fell due. */
  plannedExecutions: number | null
  /** Executions that fell due and never started. */
  droppedExecutions: number
  /** Of runs with leased feeds. */
  feeds?: Summary['feeds']
  generator: Summary['generator']
  thresholds: Summary['thresholds']
  /** Seconds during which load was made, those of the warm-up included. */
  loadSeconds: number
  /** The first seconds of the load, whose figures count apart; null without a warm-up. */
  warmUp: { seconds: number; aggregate: Aggregate } | null
  /** The run had more names than its catalogue has room for. */
  overflowed: boolean
}
