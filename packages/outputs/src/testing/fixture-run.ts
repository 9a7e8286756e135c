import {
  Aggregate,
  Delta,
  DeltaEncoder,
  Recorder,
  summarize,
  WindowCutter,
  type SeriesDelta,
  type Summary,
} from '@loads-runner/metrics'
import type { AgentView, CommittedWindow, RunEvent } from '@loads-runner/protocol'
import { profileOf, scenarioOf, specOf } from '@loads-runner/protocol/testing'
import { namesOf, type FixtureNames } from './fixture-names.ts'

/** Milliseconds since the epoch at which the fixture's load begins, where nothing else is said: 2026-01-01 00:00 UTC. */
export const fixtureStart = Date.UTC(2026, 0, 1)

/** Seconds of load in the fixture; the first {@link fixtureWarmUpSeconds} of them are its warm-up. */
export const fixtureSeconds = 13
export const fixtureWarmUpSeconds = 2

export interface FixtureOptions {
  runId?: string
  startedAt?: number
  /** `hostile`: everything that users name is markup, control characters, separators, quotes, emoji, 500 characters. */
  names?: 'plain' | 'hostile'
}

/**
 * The events of a small run of two agents, the same in every process: an open model of 20 executions per second for
 * 13 s, the first 2 of them its warm-up; answers, failed and refused hits, errors, checks, steps, a counter, a gauge, a
 * timing; one window that arrives two seconds late; a note, a fault, an observation, a threshold that is crossed, an
 * operator's change, a log line.
 */
export function fixtureRun(options: FixtureOptions = {}): RunEvent[] {
  return made(options).events
}

/** What that run adds up to: the summary that its last event carries. */
export function fixtureSummary(options: FixtureOptions = {}): Summary {
  return made(options).summary
}

/** One of its two agents, with the very recorder that load threads have. */
class FixtureAgent {
  readonly id: string
  readonly #cutter = new WindowCutter()
  readonly #recorder: Recorder
  readonly #names: FixtureNames
  #now = 0
  windows = 0
  hits = 0

  constructor(id: string, names: FixtureNames) {
    this.id = id
    this.#names = names
    this.#recorder = new Recorder({
      maxSeries: 1000,
      define: (definition) => this.#cutter.add(definition),
      now: () => this.#now,
    })
  }

  /** Ten executions: nine answers, one of every second of them failed, one refused; durations depend on the second. */
  makeSecond(second: number, at: number): Delta {
    this.#now = at
    const recorder = this.#recorder
    const { test, home, login, tag, check, step, counter, gauge, timing, message } = this.#names
    const tags = { [tag.name]: tag.value }
    for (let each = 0; each < 10; each++) {
      const micros = 5_000 + ((second * 10 + each * 7) % 90) * 1_000
      recorder.internal('execution.started', test, 1)
      recorder.lateness(test, each * 10, null)
      recorder.hit('http', test, home, 'GET', '200', false, micros, 1_000, 100, null)
      recorder.hitResponse(test, home, 'GET', '200', micros + each * 10, null)
      this.hits++
      const refused = each === 9
      if (refused) recorder.hit('http', test, login, 'POST', 'refused', true, 500, 0, 0, tags)
      else
        recorder.hit(
          'http',
          test,
          login,
          'POST',
          each % 5 === 0 ? '500' : '200',
          each % 5 === 0,
          micros * 2,
          200,
          300,
          tags,
        )
      this.hits++
      recorder.check(test, check, each % 5 !== 0, null)
      recorder.step(test, step, micros * 3, null)
      recorder.count(counter, 3)
      recorder.timing(timing, micros / 2)
      const outcome = refused ? 'error' : each === 5 ? 'failure' : 'success'
      if (refused) recorder.error(test, 'TypeError', message, () => `TypeError: ${message}\n    at ${test}`)
      recorder.execution(test, outcome, micros * 3, null)
      recorder.response(test, outcome, micros * 3 + each * 10, null)
    }
    recorder.gauge(gauge, second + (this.id === 'agent-2' ? 0.5 : 0))
    this.windows++
    return this.#cutter.cut()
  }

  window(second: number): CommittedWindow {
    return {
      agent: this.id,
      incarnation: `${this.id}-1`,
      number: second,
      fromMs: second * 1_000,
      toMs: (second + 1) * 1_000,
      activeUsers: 5,
      hits: 20,
      eventLoopLagMs: 1 + second / 10,
      cpu: 0.25,
      latenessMs: 0.09,
    }
  }

  view(state: AgentView['state']): AgentView {
    return {
      id: this.id,
      incarnation: `${this.id}-1`,
      host: `host-of-${this.id}`,
      state,
      activeUsers: state === 'running' ? 5 : 0,
      hits: this.hits,
      windows: this.windows,
      windowsMissing: 0,
    }
  }
}

/** The second of agent 2 that arrives two seconds late. */
const lateSecond = 6

function made({ runId = 'fixture-run', startedAt = fixtureStart, names: kind = 'plain' }: FixtureOptions): {
  events: RunEvent[]
  summary: Summary
} {
  const names = namesOf(kind)
  const agents = [new FixtureAgent('agent-1', names), new FixtureAgent('agent-2', names)]
  const encoder = new DeltaEncoder()
  const counted = new Aggregate()
  const warmUp = new Aggregate()
  const events: RunEvent[] = []
  const thresholds = [{ expression: 'http_req_failed: rate<0.01', abortOnFail: false, delayAbortMs: 0 }]
  let ended = 0

  const commit = (second: number, windows: CommittedWindow[], delta: Delta, atSecond = second): void => {
    const inWarmUp = second < fixtureWarmUpSeconds
    ;(inWarmUp ? warmUp : counted).apply(delta)
    ended += windows.length * 10
    const elapsedMs = (atSecond + 1) * 1_000 + 200
    events.push({
      type: 'commit',
      at: startedAt + elapsedMs,
      windows,
      activeUsers: 10,
      elapsedMs,
      started: ended,
      finished: ended,
      interrupted: 0,
      planned: (atSecond + 1) * 20,
      dropped: 0,
      warmUp: inWarmUp,
      generator: { eventLoopLagMs: 1, cpu: 0.5, latenessMs: 0.09 },
      delta: encoder.encode(delta),
    })
  }
  const at = (second: number) => ({ at: startedAt + second * 1_000, elapsedMs: second * 1_000 })
  const state = (name: 'preparing' | 'running' | 'draining', second: number, note = ''): RunEvent => ({
    type: 'state',
    at: startedAt + second * 1_000,
    state: name,
    startedAt: name === 'preparing' ? null : startedAt,
    stage: 0,
    note,
  })

  const model = {
    type: 'constant-rate',
    rate: 20,
    durationMs: fixtureSeconds * 1_000,
    spacing: 'uniform',
    users: 100,
    maxLateMs: 30_000,
  } as const
  events.push({
    type: 'snapshot',
    at: startedAt - 2_000,
    runId,
    state: 'queued',
    spec: specOf({
      names: [names.test],
      tests: [{ label: names.test, className: 'TestShop', method: 'test_buy', weight: 1 }],
      profile: {
        scenarios: [
          scenarioOf({ ...profileOf(model).scenarios[0]!, tests: [{ label: names.test, weight: 1 }] }),
        ],
      },
      seed: 7,
      agents: 2,
      labels: { [names.tag.name]: names.tag.value },
      project: names.project,
      user: 'somebody@somewhere',
      warmUpMs: fixtureWarmUpSeconds * 1_000,
      thresholds,
      outputs: [],
    }),
    startedAt: null,
    elapsedMs: 0,
    stage: 0,
    agents: agents.map((agent) => agent.view('preparing')),
    activeUsers: 0,
    started: 0,
    finished: 0,
    interrupted: 0,
    planned: 0,
    dropped: 0,
    thresholds: [],
    annotations: [],
    delta: encoder.encodeFull(new Delta()),
  })
  events.push(state('preparing', -1.5), state('running', 0))

  let late: SeriesDelta[] = []
  for (let second = 0; second < fixtureSeconds; second++) {
    const [one, two] = agents as [FixtureAgent, FixtureAgent]
    const merged = one.makeSecond(second, startedAt + second * 1_000 + 500)
    const other = two.makeSecond(second, startedAt + second * 1_000 + 600)
    const windows = [one.window(second)]
    if (second === lateSecond) late = [...other.series.values()]
    else {
      merged.merge(other)
      windows.push(two.window(second))
    }
    commit(second, windows, merged)
    if (second === lateSecond + 2) {
      const delta = new Delta()
      for (const series of late) delta.add(series)
      commit(lateSecond, [two.window(lateSecond)], delta, second)
    }
    events.push(...asideOf(second))
  }

  function asideOf(second: number): RunEvent[] {
    const when = at(second + 1.3)
    if (second === 3)
      return [
        {
          type: 'note',
          text: names.note,
          tags: { [names.tag.name]: names.tag.value },
          source: 'agent-1',
          ...when,
        },
      ]
    if (second === 4)
      return [
        {
          type: 'fault',
          id: 'f1',
          name: names.fault,
          state: 'begins',
          detail: names.note,
          source: 'conductor',
          ...when,
        },
      ]
    if (second === 5)
      return [
        { type: 'control', scenario: 'main', target: 20, paused: false, by: 'somebody@somewhere', ...when },
      ]
    if (second === 7)
      return [
        {
          type: 'fault',
          id: 'f1',
          name: names.fault,
          state: 'ends',
          detail: names.note,
          source: 'conductor',
          ...when,
        },
      ]
    if (second === 8)
      return [{ type: 'observation', values: { [names.observed]: 42.5 }, source: 'conductor', ...when }]
    if (second === 9)
      return [{ type: 'log', at: when.at, level: 'warning', source: 'agent-2', text: names.message }]
    if (second === 10)
      return [
        {
          type: 'thresholds',
          states: [{ expression: thresholds[0]!.expression, value: 0.15, ok: false }],
          ...when,
        },
      ]
    return []
  }

  events.push(
    ...agents.map(
      (agent) => ({ type: 'agent', at: at(fixtureSeconds).at, agent: agent.view('done'), note: '' }) as const,
    ),
  )
  events.push(state('draining', fixtureSeconds, 'tear-down'))
  const { count, failed } = counted.hits()
  const summary = summarize(counted, {
    runId,
    seed: 7,
    startedAt,
    endedAt: startedAt + fixtureSeconds * 1_000,
    verdict: 'failed',
    exitCode: 99,
    reasons: [`threshold crossed: ${thresholds[0]!.expression}`],
    agents: agents.map(({ id, hits, windows }) => {
      const executions = windows * 10
      const ledger = {
        planned: executions,
        started: executions,
        finished: executions,
        reported: executions,
        lost: 0,
        dropped: 0,
      }
      return { id, host: `host-of-${id}`, state: 'done', hits, windows, windowsLost: 0, ledger }
    }),
    coverage: { windowsOwed: 2 * fixtureSeconds, windowsReceived: 2 * fixtureSeconds, ratio: 1, missing: [] },
    lostExecutions: 0,
    plannedExecutions: 20 * fixtureSeconds,
    droppedExecutions: 0,
    generator: { limited: false, eventLoopLagP99: 2, cpu: 0.5, gcShare: 0.01, warnings: [], tainted: [] },
    thresholds: [
      { expression: thresholds[0]!.expression, value: failed / count, ok: false, abortOnFail: false },
    ],
    loadSeconds: fixtureSeconds,
    warmUp: { seconds: fixtureWarmUpSeconds, aggregate: warmUp },
    overflowed: false,
  })
  events.push({
    type: 'finished',
    at: at(fixtureSeconds + 0.5).at,
    state: 'done',
    summary: JSON.stringify(summary),
  })
  return { events, summary }
}
