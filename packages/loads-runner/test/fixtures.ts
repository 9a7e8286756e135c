import type { Stats, Summary } from '@loads-runner/metrics'
import { bucketOf, Delta, DeltaEncoder, emptySeriesDelta } from '@loads-runner/metrics'
import type { AgentView, RunEvent, RunSpec } from '@loads-runner/protocol'

type SnapshotEvent = Extract<RunEvent, { type: 'snapshot' }>
type CommitEvent = Extract<RunEvent, { type: 'commit' }>

export function stats(values: Partial<Stats> = {}): Stats {
  const unknown = {
    min: null,
    mean: null,
    p50: null,
    p90: null,
    p95: null,
    p99: null,
    p999: null,
    p9999: null,
    max: null,
  }
  return { count: 0, sum: 0, trustedTo: 0, ...unknown, ...values } as Stats
}

/** A summary of one hit, as the first local run of a user gives it. */
export function summary(changes: Partial<Summary> = {}): Summary {
  const time = stats({
    count: 1,
    sum: 10,
    min: 10,
    mean: 10,
    p50: 10,
    p90: 10,
    p95: 10,
    p99: 10,
    p999: 10,
    p9999: 10,
    max: 10,
  })
  return {
    schema: 'loads.summary/1',
    runId: 'r1',
    seed: 7,
    verdict: 'passed',
    exitCode: 0,
    reasons: [],
    started: '2026-11-21T00:00:00.000Z',
    durationSeconds: 0.0256,
    tests: { started: 1, finished: 1, successes: 1, failures: 0, errors: 0, interrupted: 0, lost: 0 },
    hits: { count: 1, failed: 0, interrupted: 0, perSecond: 39.06, bytesIn: 120, bytesOut: 80 },
    serviceTime: time,
    responseTime: null,
    executions: [
      {
        test: 'TestWebSite.test_es',
        started: 1,
        successes: 1,
        failures: 0,
        errors: 0,
        interrupted: 0,
        duration: time,
        responseTime: null,
      },
    ],
    series: [
      {
        kind: 'http',
        test: 'TestWebSite.test_es',
        name: 'http://localhost:9200/',
        method: 'GET',
        status: '200',
        tags: {},
        count: 1,
        failed: 0,
        partial: false,
        serviceTime: time,
      },
    ],
    websockets: {
      opened: 0,
      closed: 0,
      messagesSent: 0,
      messagesReceived: 0,
      bytesSent: 0,
      bytesReceived: 0,
    },
    counters: {},
    gauges: {},
    timings: {},
    errorGroups: [],
    agents: [agentRow('local', 'here')],
    coverage: { windowsOwed: 1, windowsReceived: 1, ratio: 1, missing: [] },
    schedule: { planned: 1, started: 1, dropped: 0, latenessP99: null },
    generator: { limited: false, eventLoopLagP99: 1, cpu: 0.1, warnings: [] },
    thresholds: [],
    ...changes,
  }
}

export function agentRow(
  id: string,
  host: string,
  state: 'done' | 'lost' | 'fenced' = 'done',
): Summary['agents'][number] {
  const ledger = { planned: 1, started: 1, finished: 1, reported: 1, lost: 0 }
  return { id, host, state, hits: 1, windows: 1, windowsLost: 0, ledger }
}

export function spec(changes: Partial<RunSpec> = {}): RunSpec {
  return {
    names: ['example.TestWebSite.test_es'],
    tests: [{ label: 'TestWebSite.test_es', className: 'TestWebSite', method: 'test_es', weight: 1 }],
    profile: { stages: [{ users: 2, iterations: 5, durationMs: null }], rampUpMs: 0, delayMs: 0 },
    seed: 7,
    agents: 1,
    workers: null,
    target: {
      serverUrl: null,
      timeoutMs: 1000,
      insecure: false,
      ca: null,
      cert: null,
      key: null,
      proxy: null,
    },
    params: {},
    env: {},
    secrets: {},
    labels: {},
    project: null,
    user: null,
    testRunner: null,
    bundle: 'abc',
    conducted: false,
    windowMs: 1000,
    maxSeries: 1000,
    minCoverage: 1,
    onAgentLoss: 'respread',
    leaseMs: 6000,
    maxOrphanMs: 30_000,
    drainMs: 30_000,
    testTimeoutMs: 60_000,
    waitForAgentsMs: 0,
    ...changes,
  }
}

export function agentView(id: string, state: AgentView['state'] = 'running'): AgentView {
  return { id, incarnation: `${id}-1`, host: 'here', state, activeUsers: 1, windows: 0 }
}

/** Events as a broker makes them: one encoder, cumulative figures. */
export class EventMaker {
  readonly #encoder = new DeltaEncoder()
  #finished = 0
  #elapsedMs = 0

  snapshot(changes: Partial<SnapshotEvent> = {}): SnapshotEvent {
    return {
      type: 'snapshot',
      at: 0,
      runId: 'r1',
      state: 'queued',
      spec: spec(),
      startedAt: null,
      elapsedMs: 0,
      stage: 0,
      agents: [agentView('a1', 'preparing')],
      activeUsers: 0,
      started: 0,
      finished: 0,
      interrupted: 0,
      delta: this.#encoder.encodeFull(new Delta()),
      ...changes,
    }
  }

  state(state: Extract<RunEvent, { type: 'state' }>['state'], note = '', stage = 0): RunEvent {
    return { type: 'state', at: 0, state, startedAt: state === 'running' ? 1 : null, stage, note }
  }

  /** `hits` answers of 10 ms, one per execution, within a second. */
  commit(hits: number, changes: Partial<CommitEvent> = {}): CommitEvent {
    const delta = new Delta()
    const key = { kind: 'http', test: 'T.test_a', name: '/', method: 'GET', status: '200', tags: {} } as const
    const series = {
      ...emptySeriesDelta(key, null),
      count: hits,
      sum: hits * 10_000,
      min: 10_000,
      max: 10_000,
    }
    delta.add({ ...series, buckets: new Map([[bucketOfTenMillis, hits]]) })
    this.#finished += hits
    this.#elapsedMs += 1000
    return {
      type: 'commit',
      at: 0,
      windows: [],
      activeUsers: 2,
      elapsedMs: this.#elapsedMs,
      started: this.#finished,
      finished: this.#finished,
      interrupted: 0,
      generator: { eventLoopLagMs: 0, cpu: 0 },
      delta: this.#encoder.encode(delta),
      ...changes,
    }
  }

  finished(result: Summary = summary()): RunEvent {
    const state = result.verdict === 'aborted' ? 'aborted' : 'done'
    return { type: 'finished', at: 0, state, summary: JSON.stringify(result) }
  }
}

const bucketOfTenMillis = bucketOf(10_000)
