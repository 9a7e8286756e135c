/**
 * What tests of several packages begin with: summaries, agents, and the events of a run as a broker makes them.
 *
 * @module
 */
import type { SeriesKey, Stats, Summary } from '@loads-runner/metrics'
import { bucketOf, Delta, DeltaEncoder, emptySeriesDelta } from '@loads-runner/metrics'
import type { AgentView, CommitEvent, RunEvent, RunSpec, SnapshotEvent } from '@loads-runner/protocol'
import { hitsPerUser, profileOf, specOf } from '@loads-runner/protocol/testing'
import type { LoadModel } from '@loads-runner/testcase/load'

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
    scenarios: [],
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
        responseTime: null,
      },
    ],
    checks: [],
    steps: [],
    phases: [],
    connections: { opened: 1, closed: 0, tlsHandshakes: 0, tlsResumed: 0 },
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
    schedule: { planned: 1, started: 1, dropped: 0, latenessP99: null, lateness: null },
    feeds: [],
    generator: { limited: false, eventLoopLagP99: 1, cpu: 0.1, gcShare: 0, warnings: [], tainted: [] },
    warmUp: null,
    thresholds: [],
    ...changes,
  }
}

export function agentRow(
  id: string,
  host: string,
  state: 'done' | 'lost' | 'fenced' = 'done',
): Summary['agents'][number] {
  const ledger = { planned: 1, started: 1, finished: 1, reported: 1, lost: 0, dropped: 0 }
  return { id, host, state, hits: 1, windows: 1, windowsLost: 0, ledger }
}

export function spec(changes: Partial<RunSpec> = {}): RunSpec {
  return specOf({ profile: profileOf(hitsPerUser(2, 5)), seed: 7, bundle: 'abc', ...changes })
}

export function agentView(id: string, state: AgentView['state'] = 'running'): AgentView {
  const figures = { activeUsers: 1, hits: 0, windows: 0, windowsMissing: 0 }
  return { id, incarnation: `${id}-1`, host: 'here', state, ...figures }
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
      planned: 0,
      dropped: 0,
      thresholds: [],
      annotations: [],
      delta: this.#encoder.encodeFull(new Delta()),
      ...changes,
    }
  }

  state(state: Extract<RunEvent, { type: 'state' }>['state'], note = '', stage = 0): RunEvent {
    return { type: 'state', at: 0, state, startedAt: state === 'running' ? 1 : null, stage, note }
  }

  /** `hits` answers of 10 ms, one per execution, within a second. */
  commit(hits: number, changes: Partial<CommitEvent> = {}): CommitEvent {
    const key = { kind: 'http', test: 'T.test_a', name: '/', method: 'GET', status: '200', tags: {} } as const
    return this.commitOf([[key, hits, 10_000]], hits, changes)
  }

  /** So many samples of so many microseconds in these series, of `finished` executions, within a second. */
  commitOf(
    series: readonly (readonly [SeriesKey, number, number])[],
    finished: number,
    changes: Partial<CommitEvent> = {},
  ): CommitEvent {
    const delta = new Delta()
    for (const [key, count, micros] of series) {
      const timed = { ...emptySeriesDelta(key, null), count, sum: count * micros, min: micros, max: micros }
      delta.add({ ...timed, buckets: new Map([[bucketOf(micros), count]]) })
    }
    this.#finished += finished
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
      planned: this.#finished,
      dropped: 0,
      warmUp: false,
      generator: { eventLoopLagMs: 0, cpu: 0, latenessMs: 0 },
      delta: this.#encoder.encode(delta),
      ...changes,
    }
  }

  finished(result: Summary = summary()): RunEvent {
    const state = result.verdict === 'aborted' ? 'aborted' : 'done'
    return { type: 'finished', at: 0, state, summary: JSON.stringify(result) }
  }
}

export function constantUsers(users: number, durationMs: number): LoadModel {
  return { type: 'constant-users', users, durationMs, rampUpMs: 0 }
}

export function constantRate(rate: number, durationMs: number): LoadModel {
  return { type: 'constant-rate', rate, durationMs, spacing: 'uniform', users: 100, maxLateMs: 30_000 }
}

function tagsOf(scenario: string | null): Record<string, string> {
  return scenario === null ? {} : { scenario }
}

export function executionKey(status: string, scenario: string | null = null): SeriesKey {
  return { kind: 'execution', test: 'T.test_a', name: 'T.test_a', method: '', status, tags: tagsOf(scenario) }
}

export function hitKey(scenario: string | null = null): SeriesKey {
  return { kind: 'http', test: 'T.test_a', name: '/', method: 'GET', status: '200', tags: tagsOf(scenario) }
}
