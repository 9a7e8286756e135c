import assert from 'node:assert/strict'
import { tearDownNote } from '@loads-runner/protocol'
import { RunView } from '../src/run-view.ts'
import { agentView, EventMaker, spec } from './fixtures.ts'

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
    const stages = [10, 20].map((users) => ({ users, iterations: null, durationMs: 10_000 }))
    view.apply(maker.snapshot({ spec: spec({ profile: { stages, rampUpMs: 0, delayMs: 0 } }) }))
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
})
