import assert from 'node:assert/strict'
import { tearDownNote } from '@loads-runner/protocol'
import { profileOf, scenarioOf } from '@loads-runner/protocol/testing'
import { agentKey, RunView } from '../src/run-view.ts'
import {
  agentRow,
  agentView,
  constantRate,
  constantUsers,
  EventMaker,
  executionKey,
  hitKey,
  spec,
  summary,
} from '../src/testing.ts'

describe('RunView', () => {
  it('adds up commits', () => {
    const view = new RunView()
    const maker = new EventMaker()
    view.apply(maker.snapshot())
    for (const hits of [3, 4]) view.apply(maker.commit(hits))
    assert.equal(view.aggregate.hits().count, 7)
    assert.equal(view.finished, 7)
    assert.equal(view.progress(), 0.7)
    assert.ok(view.live.rates().hitsPerSecond > 0)
  })

  it('starts anew from a later snapshot, without counting anything twice', () => {
    const view = new RunView()
    const early = new EventMaker()
    view.apply(early.snapshot())
    view.apply(early.commit(3))
    const late = new EventMaker()
    view.apply(late.snapshot({ finished: 3, agents: [agentView('a1'), agentView('a2')] }))
    view.apply(late.commit(4))
    assert.equal(view.aggregate.hits().count, 4)
    assert.deepEqual(
      [...view.agents.values()].map((agent) => agent.id),
      ['a1', 'a2'],
    )
  })

  it('lets the clock run between events, and only while load is made', () => {
    let now = 0
    const view = new RunView(() => now)
    const maker = new EventMaker()
    view.apply(maker.snapshot())
    now = 5000
    assert.equal(view.elapsedMs(), 0)
    view.apply(maker.state('running'))
    now = 5400
    assert.equal(view.elapsedMs(), 400)
    view.apply(maker.commit(1))
    assert.equal(view.elapsedMs(), 1000)
    now = 5900
    view.apply(maker.state('draining', 'drain was asked for'))
    assert.equal(view.elapsedMs(), 1500, 'it never goes back')
    now = 6400
    assert.equal(view.elapsedMs(), 2000, 'users still finish')
    view.apply(maker.state('draining', tearDownNote))
    now = 9000
    assert.equal(view.elapsedMs(), 2000)
  })

  it('moves through timed stages and reaches the end once', () => {
    let now = 0
    const view = new RunView(() => now)
    const maker = new EventMaker()
    const stages = [10, 20].map((users) => constantUsers(users, 10_000))
    view.apply(maker.snapshot({ spec: spec({ profile: profileOf(...stages) }) }))
    view.apply(maker.state('running'))
    now = 5000
    assert.equal(view.progress(), 0.25)
    // Users of the first stage take their time to finish.
    now = 12_000
    assert.equal(view.progress(), 0.5)
    view.apply(maker.state('running', '', 1))
    assert.equal(view.progress(), 0.5)
    now = 17_000
    assert.equal(view.progress(), 0.75)
    view.apply(maker.finished())
    assert.equal(view.progress(), 1)
  })

  it('tells two incarnations of an agent apart', () => {
    const view = new RunView()
    view.apply(new EventMaker().snapshot({ agents: [] }))
    view.apply({ type: 'agent', at: 0, agent: { ...agentView('a1', 'lost'), incarnation: 'old' }, note: '' })
    view.apply({
      type: 'agent',
      at: 0,
      agent: { ...agentView('a1', 'running'), incarnation: 'new' },
      note: '',
    })
    assert.equal(view.agentsIn('lost').length, 1)
    assert.equal(view.agentsIn('running').length, 1)
  })

  it('counts scenarios apart, and is done when the longest is', () => {
    let now = 0
    const view = new RunView(() => now)
    const maker = new EventMaker()
    const scenarios = [
      scenarioOf({ name: 'browsers', stages: [constantUsers(2, 10_000)] }),
      scenarioOf({ name: 'buyers', stages: [constantRate(5, 10_000)], startMs: 10_000 }),
    ]
    view.apply(maker.snapshot({ spec: spec({ profile: { scenarios } }) }))
    view.apply(maker.state('running'))
    assert.equal(view.plannedMs(), 20_000)
    view.apply(
      maker.commitOf(
        [
          [executionKey('success', 'browsers'), 7, 10_000],
          [executionKey('error', 'buyers'), 2, 10_000],
          [hitKey('buyers'), 4, 50_000],
        ],
        9,
      ),
    )
    now = 4000
    assert.equal(view.progress(), 0.25)
    const [browsers, buyers] = [view.scenarios.get('browsers')!, view.scenarios.get('buyers')!]
    assert.deepEqual([browsers.executions, browsers.failed], [7, 0])
    assert.deepEqual([buyers.executions, buyers.failed], [2, 2])
    assert.equal(browsers.rates().p95, null)
    assert.ok(Math.abs(buyers.rates().p95! - 50) < 1)
    assert.equal(view.failedExecutions, 2)
  })

  it('knows the schedule of open models: rates of the last seconds, drops, response times', () => {
    const view = new RunView(() => 0)
    const maker = new EventMaker()
    view.apply(maker.snapshot({ spec: spec({ profile: profileOf(constantRate(100, 60_000)) }) }))
    view.apply(maker.state('running'))
    assert.equal(view.startRates(), null)
    const response = { ...hitKey(), kind: 'hit-response' } as const
    const lateness = { ...hitKey(), kind: 'lateness' } as const
    for (let second = 1; second <= 10; second++) {
      const dropped = Math.max(0, second - 8) * 20
      // Closed scenarios start executions, too; those have no lateness.
      const changes = { planned: second * 100, started: second * 1000, dropped }
      const starts = second > 8 ? 80 : 100
      const recorded = [[response, 10, 80_000] as const, [lateness, starts, 1000] as const]
      view.apply(maker.commitOf(recorded, 100, changes))
    }
    assert.deepEqual(view.startRates(), { planned: 100, started: 92, dropped: 8 })
    assert.equal(view.dropped, 40)
    assert.ok(Math.abs(view.liveResponses.rates().p95! - 80) < 1)
    assert.equal(view.live.rates().p95, null)
  })

  it('has no schedule in closed models', () => {
    const view = new RunView(() => 0)
    const maker = new EventMaker()
    view.apply(maker.snapshot())
    view.apply(maker.state('running'))
    view.apply(maker.commit(1))
    view.apply(maker.commit(1))
    assert.equal(view.startRates(), null)
  })

  it('keeps the warm-up out of its totals and shows its rates', () => {
    let now = 0
    const view = new RunView(() => now)
    const maker = new EventMaker()
    view.apply(maker.snapshot({ spec: spec({ warmUpMs: 2000 }) }))
    assert.equal(view.inWarmUp, false)
    view.apply(maker.state('running'))
    view.apply(maker.commit(3, { warmUp: true }))
    assert.equal(view.inWarmUp, true)
    assert.equal(view.warmUpLeftMs(), 1000)
    assert.deepEqual([view.warmUpHits, view.aggregate.hits().count], [3, 0])
    assert.equal(view.live.rates().hitsPerSecond, 3)
    now = 2000
    view.apply(maker.commit(4))
    assert.equal(view.inWarmUp, false)
    assert.equal(view.aggregate.hits().count, 4)
  })

  it('keeps how thresholds and controls stand', () => {
    const view = new RunView()
    const thresholds = [{ expression: 'errors: rate<0.01', value: null, ok: null }]
    view.apply(new EventMaker().snapshot({ thresholds }))
    assert.deepEqual(view.thresholds, thresholds)
    const states = [{ expression: 'errors: rate<0.01', value: 0.5, ok: false }]
    view.apply({ type: 'thresholds', at: 0, elapsedMs: 1000, states })
    assert.deepEqual(view.thresholds, states)
    view.apply({
      type: 'control',
      at: 0,
      elapsedMs: 1000,
      scenario: 'main',
      target: 50,
      paused: true,
      by: 'ann@here',
    })
    assert.deepEqual([...view.controls], [['main', { target: 50, paused: true }]])
  })

  it('has no end where an operator decides, and counts where executions do', () => {
    const controlled = {
      type: 'externally-controlled',
      controls: 'users',
      start: 5,
      durationMs: null,
      spacing: 'uniform',
      users: 100,
      maxLateMs: 1000,
    } as const
    const view = new RunView(() => 0)
    view.apply(new EventMaker().snapshot({ spec: spec({ profile: profileOf(controlled) }) }))
    assert.deepEqual([view.plannedMs(), view.progress()], [null, 0])
    const shared = { type: 'shared-hits', users: 2, hits: 8, rampUpMs: 0, maxDurationMs: 60_000 } as const
    const counted = new RunView(() => 0)
    counted.apply(
      new EventMaker().snapshot({ spec: spec({ profile: profileOf(shared) }), finished: 3, interrupted: 1 }),
    )
    assert.deepEqual([counted.plannedMs(), counted.progress()], [null, 0.5])
  })

  it('keeps the latest notes, faults and log lines', () => {
    const view = new RunView()
    const maker = new EventMaker()
    const published = { at: 5, elapsedMs: 4, source: 'agent-1' }
    const note = (text: string) => ({ type: 'note', text, tags: {}, ...published }) as const
    view.apply(maker.snapshot({ annotations: [note('early')] }))
    assert.deepEqual(
      view.annotations.map((each) => each.type === 'note' && each.text),
      ['early'],
    )
    for (let index = 0; index < 1500; index++) {
      view.apply(note(`note ${index}`))
      view.apply({ type: 'log', at: index, level: 'info', source: 'broker', text: `line ${index}` })
    }
    view.apply({ type: 'fault', id: 'f', name: 'cut', state: 'begins', detail: '', ...published })
    assert.equal(view.annotations.length, 1000)
    assert.equal(view.annotations.at(-1)!.type, 'fault')
    assert.deepEqual(view.annotations[0], note('note 501'))
    assert.equal(view.log.length, 1000)
    assert.deepEqual(view.log[0], { at: 500, level: 'info', source: 'broker', text: 'line 500' })
    view.apply(maker.snapshot({ annotations: [note('after a gap')] }))
    assert.equal(view.annotations.length, 1, 'a snapshot has them all')
  })

  it('keeps what the target said last, of so many names', () => {
    const view = new RunView()
    view.apply(new EventMaker().snapshot())
    const observe = (elapsedMs: number, values: Record<string, number>) =>
      view.apply({ type: 'observation', at: elapsedMs, elapsedMs, source: 'observer', values })
    observe(1000, { cpu: 0.5, queue: 3 })
    observe(2000, { cpu: 0.7 })
    assert.deepEqual(view.observations.get('cpu'), {
      value: 0.7,
      at: 2000,
      elapsedMs: 2000,
      source: 'observer',
    })
    assert.equal(view.observations.get('queue')!.value, 3)
    for (let index = 0; index < 1200; index++) observe(3000 + index, { [`name ${index}`]: index, cpu: index })
    assert.equal(view.observations.size, 1000)
    assert.equal(view.observations.get('cpu')!.value, 1199)
    assert.ok(!view.observations.has('queue'))
  })

  it('knows how each agent does, by its windows', () => {
    const view = new RunView()
    const maker = new EventMaker()
    view.apply(maker.snapshot({ agents: [{ ...agentView('a1'), hits: 10, windows: 2 }] }))
    const window = (agent: string, number: number, hits: number, cpu: number) => {
      const times = { number, fromMs: number * 1000, toMs: number * 1000 + 1000 }
      const health = { activeUsers: hits, eventLoopLagMs: number, cpu, latenessMs: 1 }
      return { agent, incarnation: `${agent}-1`, hits, ...times, ...health }
    }
    view.apply(maker.commit(7, { windows: [window('a1', 3, 4, 0.4), window('a2', 3, 3, 0.3)] }))
    // Late: its hits count, how it did then does not.
    view.apply(maker.commit(5, { windows: [window('a1', 2, 5, 0.9)] }))
    const figures = [...view.agentFigures.values()].map(
      ({ agent, hits, windows, activeUsers, cpu, toMs }) => {
        return { agent, hits, windows, activeUsers, cpu, toMs }
      },
    )
    assert.deepEqual(figures, [
      { agent: 'a1', hits: 19, windows: 4, activeUsers: 4, cpu: 0.4, toMs: 4000 },
      { agent: 'a2', hits: 3, windows: 1, activeUsers: 3, cpu: 0.3, toMs: 4000 },
    ])
    assert.deepEqual([...view.agentFigures.keys()], [agentKey('a1', 'a1-1'), agentKey('a2', 'a2-1')])
    const rows = [{ ...agentRow('a1', 'here'), hits: 17 }]
    view.apply(maker.finished(summary({ agents: rows })))
    assert.equal(view.agentFigures.get(agentKey('a1', 'a1-1'))!.hits, 17)
  })

  it('hands over each commit with its figures, once they are in its totals', () => {
    const view = new RunView()
    const maker = new EventMaker()
    const seen: [number, number, number, number][] = []
    view.onCommit = (event, delta) => {
      const [series] = delta.series.values()
      seen.push([event.elapsedMs, series!.count, view.aggregate.hits().count, view.elapsedMs()])
    }
    view.apply(maker.snapshot())
    view.apply(maker.commit(3))
    view.apply(maker.commit(4))
    assert.deepEqual(seen, [
      [1000, 3, 3, 1000],
      [2000, 4, 7, 2000],
    ])
  })

  it('knows when the run was submitted, and when it ended', () => {
    const view = new RunView()
    const maker = new EventMaker()
    view.apply(maker.snapshot({ at: 100 }))
    view.apply({ type: 'state', at: 200, state: 'running', startedAt: 200, stage: 0, note: '' })
    view.apply(maker.snapshot({ at: 300, state: 'running', startedAt: 200 }))
    assert.deepEqual([view.submittedAt, view.startedAt, view.endedAt], [100, 200, null])
    view.apply({ type: 'state', at: 400, state: 'done', startedAt: 200, stage: 0, note: '' })
    view.apply({ ...maker.finished(), at: 405 })
    assert.equal(view.endedAt, 400)
    const late = new RunView()
    late.apply(maker.snapshot({ at: 400, state: 'done', startedAt: 200 }))
    assert.equal(late.endedAt, 400)
  })
})
