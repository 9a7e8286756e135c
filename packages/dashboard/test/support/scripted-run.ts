import {
  Aggregate,
  bucketOf,
  Delta,
  DeltaEncoder,
  emptySeriesDelta,
  summarize,
  type SeriesKey,
  type Summary,
} from '@loads-runner/metrics'
import type { CommitEvent, RunEvent, RunSpec, SnapshotEvent } from '@loads-runner/protocol'
import { profileOf, specOf } from '@loads-runner/protocol/testing'

export interface ScriptOptions {
  runId?: string
  /** Hits of how many names. */
  series?: number
  agents?: number
  warmUpMs?: number
  /** An open model: with starts that fall due, response times and lateness. */
  open?: boolean
  spec?: Partial<RunSpec>
  /** Names of hits; the rest are numbered. */
  names?: readonly string[]
  seed?: number
  /** Epoch milliseconds at which load begins. */
  startedAt?: number
}

/** A run as a broker tells it, with figures that metrics' own encoder wrote: the same for the same options. */
export class ScriptedRun {
  readonly runId: string
  readonly startedAt: number
  readonly spec: RunSpec
  readonly #options: Required<Omit<ScriptOptions, 'spec'>>
  readonly #encoder = new DeltaEncoder()
  readonly #counted = new Aggregate()
  readonly #warmUp = new Aggregate()
  #random: number
  #second = 0
  #sums = { started: 0, finished: 0, interrupted: 0, planned: 0, dropped: 0 }

  constructor(options: ScriptOptions = {}) {
    const { runId = 'run-1', series = 5, agents = 2, warmUpMs = 0, open = true } = options
    const { names = [], seed = 1, startedAt = 1_700_000_000_000 } = options
    this.#options = { runId, series, agents, warmUpMs, open, names, seed, startedAt }
    this.runId = runId
    this.startedAt = startedAt
    this.#random = seed * 7919
    const model = open
      ? ({
          type: 'constant-rate',
          rate: 100,
          durationMs: 60_000,
          spacing: 'uniform',
          users: 50,
          maxLateMs: 30_000,
        } as const)
      : ({ type: 'constant-users', users: 10, durationMs: 60_000, rampUpMs: 0 } as const)
    this.spec = specOf({
      profile: profileOf(model),
      seed: 42,
      agents,
      warmUpMs,
      thresholds: [{ expression: 'http_req_duration: p(95)<200', abortOnFail: false, delayAbortMs: 0 }],
      ...options.spec,
    })
  }

  get seconds(): number {
    return this.#second
  }

  snapshot(changes: Partial<SnapshotEvent> = {}): SnapshotEvent {
    return {
      type: 'snapshot',
      at: this.startedAt - 1_000,
      runId: this.runId,
      state: 'queued',
      spec: this.spec,
      startedAt: null,
      elapsedMs: 0,
      stage: 0,
      agents: this.#agents('preparing'),
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

  /** What a reader gets that comes now, or has left events out. */
  snapshotNow(changes: Partial<SnapshotEvent> = {}): SnapshotEvent {
    return this.snapshot({
      at: this.startedAt + this.#second * 1000,
      state: 'running',
      startedAt: this.startedAt,
      elapsedMs: this.#second * 1000,
      agents: this.#agents('running'),
      ...this.#sums,
      delta: this.#encoder.encodeFull(this.#counted.toDelta()),
      ...changes,
    })
  }

  running(): RunEvent {
    return {
      type: 'state',
      at: this.startedAt,
      state: 'running',
      startedAt: this.startedAt,
      stage: 0,
      note: '',
    }
  }

  /** The events before the first figures. */
  begin(): RunEvent[] {
    const armed = this.#agents('running').map((agent): RunEvent => ({
      type: 'agent',
      at: this.startedAt,
      agent,
      note: '',
    }))
    return [this.snapshot(), this.running(), ...armed]
  }

  /** Figures that come so many seconds late: as much again as a second has. */
  late(bySeconds: number): CommitEvent {
    const commit = this.second()
    this.#second--
    const backMs = (bySeconds + 1) * 1000
    const moved = (ms: number) => Math.max(0, ms - backMs)
    return {
      ...commit,
      elapsedMs: commit.elapsedMs - 1000,
      windows: commit.windows.map((window) => ({
        ...window,
        fromMs: moved(window.fromMs),
        toMs: Math.max(1000, moved(window.toMs)),
      })),
    }
  }

  /** The next second of load, all agents in one commit. */
  second(): CommitEvent {
    const { series, agents, warmUpMs, open, names } = this.#options
    const second = this.#second++
    const delta = new Delta()
    const add = (key: Partial<SeriesKey> & Pick<SeriesKey, 'kind' | 'name'>, count: number, scale = 1) => {
      const whole: SeriesKey = { test: 'Shop.test_buy', method: '', status: '', tags: {}, ...key }
      delta.add(this.#samples(whole, count, scale))
    }
    let hits = 0
    for (let index = 0; index < series; index++) {
      const count = this.#whole(12)
      if (count === 0) continue
      hits += count
      const name = names[index] ?? `/path/${index}`
      const isBad = index % 5 === 3
      add({ kind: 'http', name, method: 'GET', status: isBad ? '503' : '200' }, count, 1 + (index % 7))
      if (open) add({ kind: 'hit-response', name, method: 'GET', status: isBad ? '503' : '200' }, count, 2)
    }
    const executions = this.#whole(20)
    if (executions > 0) {
      add({ kind: 'execution', name: 'Shop.test_buy', status: 'success' }, executions, 5)
      add({ kind: 'step', name: 'log in' }, executions, 2)
      add({ kind: 'check', name: 'a total', status: 'ok' }, executions)
    }
    const failures = this.#whole(3)
    if (failures > 0) {
      add({ kind: 'execution', name: 'Shop.test_buy', status: 'failure' }, failures, 5)
      add({ kind: 'check', name: 'a total', status: 'failed' }, failures)
      const key: SeriesKey = {
        kind: 'error',
        test: 'Shop.test_buy',
        name: 'e1',
        method: '',
        status: '',
        tags: {},
      }
      const at = this.startedAt + second * 1000
      const detail = { type: 'AssertionError', message: 'no total', sample: 'at shop.ts:4', firstSeen: at }
      delta.add({ ...emptySeriesDelta(key, detail), count: failures, lastAt: at + 500 })
    }
    const started = executions + failures
    const start: SeriesKey = {
      kind: 'internal',
      test: 'Shop.test_buy',
      name: 'execution.started',
      method: '',
      status: '',
      tags: {},
    }
    delta.add({ ...emptySeriesDelta(start, null), value: started })
    if (open && started > 0) add({ kind: 'lateness', name: 'Shop.test_buy' }, started)
    const counter: SeriesKey = { kind: 'counter', test: '', name: 'orders', method: '', status: '', tags: {} }
    delta.add({ ...emptySeriesDelta(counter, null), count: 1, value: 3 })
    const gauge: SeriesKey = { ...counter, kind: 'gauge', name: 'queue' }
    delta.add({
      ...emptySeriesDelta(gauge, null),
      count: 1,
      value: second % 17,
      lastAt: this.startedAt + second,
    })

    this.#sums.started += started
    this.#sums.finished += started
    const dropped = open ? this.#whole(2) : 0
    this.#sums.planned += open ? started + dropped : 0
    this.#sums.dropped += dropped
    const isWarmUp = (second + 1) * 1000 <= warmUpMs
    if (isWarmUp) this.#warmUp.apply(delta)
    else this.#counted.apply(delta)
    return {
      type: 'commit',
      at: this.startedAt + (second + 1) * 1000 + 200,
      windows: Array.from({ length: agents }, (_, index) => ({
        agent: `agent-${index + 1}`,
        incarnation: `i-${index + 1}`,
        number: second,
        fromMs: second * 1000,
        toMs: (second + 1) * 1000,
        activeUsers: 5 + index,
        hits: Math.floor(hits / agents) + (index < hits % agents ? 1 : 0),
        eventLoopLagMs: 1 + index,
        cpu: 0.5,
        latenessMs: 0.25,
      })),
      activeUsers: agents * 5,
      elapsedMs: (second + 1) * 1000 + 200,
      ...this.#sums,
      warmUp: isWarmUp,
      generator: { eventLoopLagMs: agents, cpu: 0.5 * agents, latenessMs: 0.25 },
      delta: this.#encoder.encode(delta),
    }
  }

  /** The summary that the broker makes of the same figures. */
  summary(changes: Partial<Summary> = {}): Summary {
    const { agents, warmUpMs, open, runId } = this.#options
    const seconds = this.#second
    const made = summarize(this.#counted, {
      runId,
      seed: 42,
      startedAt: this.startedAt,
      endedAt: this.startedAt + seconds * 1000,
      verdict: 'passed',
      exitCode: 0,
      reasons: [],
      agents: Array.from({ length: agents }, (_, index) => ({
        id: `agent-${index + 1}`,
        host: 'here',
        state: 'done',
        hits: 10,
        windows: seconds,
        windowsLost: 0,
        ledger: { planned: 0, started: 0, finished: 0, reported: 0, lost: 0, dropped: 0 },
      })),
      coverage: {
        windowsOwed: seconds * agents,
        windowsReceived: seconds * agents - 1,
        ratio: 1 - 1 / Math.max(1, seconds * agents),
        missing: [{ agent: 'agent-2', fromSecond: 3, toSecond: 4, hitsAtMost: 20 }],
      },
      lostExecutions: 0,
      plannedExecutions: open ? this.#sums.planned : null,
      droppedExecutions: this.#sums.dropped,
      generator: {
        limited: false,
        eventLoopLagP99: 1,
        cpu: 0.5,
        gcShare: 0,
        warnings: [],
        tainted: [{ agent: 'agent-1', fromSecond: 1, toSecond: 2, reasons: ['event-loop-lag'] }],
      },
      thresholds: [{ expression: 'http_req_duration: p(95)<200', value: 12.5, ok: true, abortOnFail: false }],
      loadSeconds: seconds,
      warmUp: warmUpMs > 0 ? { seconds: warmUpMs / 1000, aggregate: this.#warmUp } : null,
      overflowed: false,
    })
    return { ...made, ...changes }
  }

  finished(changes: Partial<Summary> = {}): RunEvent {
    return {
      type: 'finished',
      at: this.startedAt + this.#second * 1000 + 500,
      state: 'done',
      summary: JSON.stringify(this.summary(changes)),
    }
  }

  /** A whole run. */
  *events(seconds: number): Generator<RunEvent> {
    yield* this.begin()
    for (let second = 0; second < seconds; second++) yield this.second()
    yield this.finished()
  }

  #agents(state: SnapshotEvent['agents'][number]['state']): SnapshotEvent['agents'] {
    return Array.from({ length: this.#options.agents }, (_, index) => ({
      id: `agent-${index + 1}`,
      incarnation: `i-${index + 1}`,
      host: 'here',
      state,
      activeUsers: 0,
      hits: 0,
      windows: 0,
      windowsMissing: 0,
    }))
  }

  /** `count` durations around 10 ms. */
  #samples(key: SeriesKey, count: number, scale: number) {
    const delta = { ...emptySeriesDelta(key, null), count, bytesIn: count * 500, bytesOut: count * 90 }
    if (key.status === '503') delta.failed = count
    if (key.kind === 'check') return delta
    const buckets = new Map<number, number>()
    for (let sample = 0; sample < count; sample++) {
      const micros = Math.round(scale * 1000 * (1 + 10 * this.#next() ** 4))
      delta.sum += micros
      delta.min = Math.min(delta.min, micros)
      delta.max = Math.max(delta.max, micros)
      const bucket = bucketOf(micros)
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
    }
    return { ...delta, buckets }
  }

  #whole(below: number): number {
    return Math.floor(this.#next() * below)
  }

  #next(): number {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) >>> 0
    return ((this.#random >>> 8) & 0xffff) / 65_536
  }
}
