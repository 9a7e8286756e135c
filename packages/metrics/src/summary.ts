import type { Aggregate, SocketTotals } from './aggregate.ts'
import { hitKinds, overflowName, type HitKind } from './series.ts'
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
  }[]
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
    hits: number
    windows: number
    windowsLost: number
    ledger: { planned: number; started: number; finished: number; reported: number; lost: number }
  }[]
  coverage: {
    windowsOwed: number
    windowsReceived: number
    ratio: number
    /** hitsAtMost: what the agent may have made in that time, at its fastest pace; null when none is known. */
    missing: { agent: string; fromSecond: number; toSecond: number; hitsAtMost: number | null }[]
  }
  schedule: {
    planned: number | null
    started: number
    dropped: number
    latenessP99: number | null
  }
  generator: {
    limited: boolean
    eventLoopLagP99: number | null
    cpu: number | null
    warnings: string[]
  }
  thresholds: { expression: string; value: number | null; ok: boolean }[]
}

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
  /** Null when the run is bounded by time. */
  plannedExecutions: number | null
  generator: Summary['generator']
  /** Seconds during which load was made. */
  loadSeconds: number
  /** The run had more names than its catalogue has room for. */
  overflowed: boolean
}

/** Makes the summary of a run: pure. */
export function summarize(aggregate: Aggregate, facts: RunFacts): Summary {
  const hits = aggregate.hits()
  const tests = aggregate.tests()
  return {
    schema: 'loads.summary/1',
    runId: facts.runId,
    seed: facts.seed,
    verdict: facts.verdict,
    exitCode: facts.exitCode,
    reasons: [...facts.reasons],
    started: facts.startedAt === null ? null : isoTime(facts.startedAt),
    durationSeconds: facts.loadSeconds,
    tests: { ...tests, lost: facts.lostExecutions },
    hits: {
      count: hits.count,
      failed: hits.failed,
      interrupted: hits.interrupted,
      perSecond: facts.loadSeconds > 0 ? hits.count / facts.loadSeconds : 0,
      bytesIn: hits.bytesIn,
      bytesOut: hits.bytesOut,
    },
    serviceTime: aggregate.serviceTime().stats(),
    responseTime: null,
    executions: executionRows(aggregate),
    series: seriesRows(aggregate, facts.overflowed),
    websockets: aggregate.websockets(),
    // fromEntries: a name may be `__proto__`, which an assignment would swallow.
    counters: Object.fromEntries(aggregate.ofKind('counter').map(({ key, value }) => [key.name, value])),
    gauges: Object.fromEntries(
      aggregate.ofKind('gauge').map(({ key, value }) => [key.name, key.name === overflowName ? null : value]),
    ),
    timings: Object.fromEntries(
      aggregate.ofKind('timing').map((series) => [series.key.name, series.stats()]),
    ),
    errorGroups: errorRows(aggregate),
    agents: facts.agents,
    coverage: facts.coverage,
    schedule: { planned: facts.plannedExecutions, started: tests.started, dropped: 0, latenessP99: null },
    generator: facts.generator,
    thresholds: [],
  }
}

function executionRows(aggregate: Aggregate): Summary['executions'] {
  return aggregate.executions().map(({ test, totals, duration }) => ({
    test,
    started: totals.started,
    successes: totals.successes,
    failures: totals.failures,
    errors: totals.errors,
    interrupted: totals.interrupted,
    duration: duration.stats(),
    responseTime: null,
  }))
}

function seriesRows(aggregate: Aggregate, overflowed: boolean): Summary['series'] {
  return ([...hitKinds] as HitKind[])
    .flatMap((kind) => {
      // An agent may have overflowed before the catalogue was full, so no name of the kind is sure to be complete.
      const partial = overflowed || aggregate.hasOverflowed(kind)
      return aggregate.ofKind(kind).map((series) => ({
        kind,
        test: series.key.test,
        name: series.key.name,
        method: series.key.method,
        status: series.key.status,
        tags: { ...series.key.tags },
        count: series.count,
        failed: series.failed,
        partial,
        serviceTime: series.stats(),
      }))
    })
    .sort((one, other) => other.count - one.count)
}

function errorRows(aggregate: Aggregate): Summary['errorGroups'] {
  return aggregate.errorGroups().map(({ detail, count, lastSeen }) => ({
    type: detail.type,
    message: detail.message,
    count,
    firstSeen: isoTime(detail.firstSeen),
    lastSeen: isoTime(Math.max(lastSeen, detail.firstSeen)),
    sample: detail.sample,
  }))
}

/** Times come from other machines: one beyond what a date can hold must not break a summary. */
function isoTime(millis: number): string {
  const latest = 8.64e15
  return new Date(Math.min(latest, Math.max(-latest, millis))).toISOString()
}
