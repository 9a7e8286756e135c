import assert from 'node:assert/strict'
import { hitsPerUser, profileOf, scenarioOf } from '@loads-runner/protocol/testing'
import type { ConstantRate } from '@loads-runner/testcase/load'
import type { FakeAgent } from './support/fake-agent.ts'
import { checkBalance, World } from './support/world.ts'

/** Six lanes: of each agent of three two. */
const rate: ConstantRate = {
  type: 'constant-rate',
  rate: 60,
  durationMs: 10_000,
  spacing: 'uniform',
  users: 6,
  maxLateMs: 1000,
}
const perLane = 100

describe('open models', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  /** Every lane of the agent makes its starts up to `until`, the last `dropped` of them too late. */
  function work(agent: FakeAgent, until: number, dropped = 0, stage = 0): void {
    const session = agent.session()
    for (const { unit, from } of session.unitsOf(stage)) {
      const at = Math.max(from, session.startsOf(unit))
      session.startLane(unit, at, until - at, dropped)
    }
  }

  function end(agent: FakeAgent): void {
    agent.session().send(agent.connection)
    agent.endStage(agent.session(), 0)
  }

  it('have planned what fell due: started and dropped', async () => {
    const agents = await world.agents(3)
    const run = await world.began(agents, { profile: profileOf(rate) })
    for (const [index, agent] of agents.entries()) {
      work(agent, perLane, index)
      end(agent)
    }
    const summary = await world.finished(run)
    assert.equal(summary.exitCode, 0, summary.reasons.join())
    assert.equal(summary.schedule.planned, 600)
    assert.equal(summary.schedule.started, 594)
    assert.equal(summary.schedule.dropped, 6)
    assert.deepEqual(
      summary.agents.map(({ ledger }) => [ledger.planned, ledger.started, ledger.dropped]),
      [
        [200, 200, 0],
        [200, 198, 2],
        [200, 196, 4],
      ],
    )
    checkBalance(summary)
  })

  it('keep their rate when an agent is lost: its lanes go on from their last reported start, each start once', async () => {
    const agents = (await world.agents(3)) as [FakeAgent, FakeAgent, FakeAgent]
    const [one, two, three] = agents
    const run = await world.began(agents, { profile: profileOf(rate) })
    work(one, 30)
    work(two, 30, 3)
    work(three, 30)
    // Seven more fell due and waited when it was lost: others make them.
    two.session().wait(7)
    for (const agent of agents) agent.session().send(agent.connection)
    await world.until('taken', () => agents.every((agent) => agent.session().acked === 0))
    await two.leave()
    await world.until('moved', () => one.session().moved.length + three.session().moved.length === 2)
    assert.deepEqual(one.session().moved, [{ unit: 2, stage: 0, fromIteration: 30 }])
    assert.deepEqual(three.session().moved, [{ unit: 3, stage: 0, fromIteration: 30 }])
    assert.match(run.logs().join('\n'), /2 lanes of the schedule of a2 go on on a1, a3/)
    for (const agent of [one, three]) {
      work(agent, perLane, 1)
      end(agent)
    }
    const summary = await world.finished(run)
    const { planned, started, dropped } = summary.schedule
    assert.deepEqual([planned, started, dropped], [600, 588, 12])
    assert.deepEqual(
      summary.agents.map(({ ledger }) => [ledger.planned, ledger.dropped]),
      [
        [270, 3],
        [60, 6],
        [270, 3],
      ],
    )
    checkBalance(summary)
  })

  it('go on short when that is asked for: planned is what was reported', async () => {
    const agents = (await world.agents(3)) as [FakeAgent, FakeAgent, FakeAgent]
    const run = await world.began(agents, { profile: profileOf(rate), onAgentLoss: 'continue' })
    work(agents[1], 30)
    agents[1].session().wait(7)
    agents[1].session().send(agents[1].connection)
    await world.until('taken', () => agents[1].session().acked === 0)
    await agents[1].leave()
    await world.until('lost', () => run.agentStates('a2').at(-1) === 'lost')
    for (const agent of [agents[0], agents[2]]) {
      work(agent, perLane)
      end(agent)
    }
    const summary = await world.finished(run)
    assert.deepEqual(
      summary.agents.map(({ ledger }) => ledger.planned),
      [200, 67, 200],
    )
    assert.equal(summary.schedule.planned, 467)
    assert.equal(summary.schedule.started, 460)
  })

  it('with fewer users than agents leave some agents without work; these end the stage at once', async () => {
    const agents = (await world.agents(3)) as [FakeAgent, FakeAgent, FakeAgent]
    const run = await world.began(agents, { profile: profileOf({ ...rate, users: 2 }) })
    assert.deepEqual(
      agents.map((agent) => agent.session().share.ranges[0]!.count),
      [1, 1, 0],
    )
    end(agents[2])
    work(agents[0], 300)
    work(agents[1], 100)
    for (const agent of agents.slice(0, 2)) agent.session().send(agent.connection)
    await world.until('taken', () => agents.slice(0, 2).every((agent) => agent.session().acked === 0))
    await agents[1].leave()
    await world.until('moved', () => agents[0].session().moved.length === 1)
    work(agents[0], 300)
    end(agents[0])
    const summary = await world.finished(run)
    assert.equal(summary.schedule.planned, 600)
    assert.equal(summary.schedule.started, 600)
  })

  it('beside closed ones: the books of both are right, with a loss, too', async () => {
    const scenarios = [
      scenarioOf({ name: 'open', stages: [rate] }),
      scenarioOf({ name: 'closed', stages: [hitsPerUser(6, 10)] }),
    ]
    const agents = (await world.agents(3)) as [FakeAgent, FakeAgent, FakeAgent]
    const run = await world.began(agents, { profile: { scenarios } })
    for (const agent of agents) {
      agent.session().plan(20)
      work(agent, 50, 1)
      const [first] = agent.session().unitsOf(1)
      agent.session().execute(first!.unit, 0, 5)
      agent.session().send(agent.connection)
    }
    await world.until('taken', () => agents.every((agent) => agent.session().acked === 0))
    await agents[2].leave()
    await world.until('moved', () => agents.slice(0, 2).every((agent) => agent.session().moved.length === 2))
    for (const agent of agents.slice(0, 2)) {
      const session = agent.session()
      work(agent, perLane)
      const [first, second, moved] = session.unitsOf(1)
      session.execute(first!.unit, 5, 5)
      session.execute(second!.unit, 0, 10)
      session.execute(moved!.unit, moved!.from, moved!.count)
      session.plan(moved!.count)
      session.send(agent.connection)
      for (const stage of [0, 1]) agent.endStage(session, stage)
    }
    const summary = await world.finished(run)
    const { planned, started, dropped } = summary.schedule
    assert.deepEqual([planned, started, dropped], [660, 654, 6])
    assert.deepEqual(
      summary.agents.map(({ ledger }) => ledger.planned),
      [150 + 100 + 25, 150 + 100 + 30, 100 + 5],
    )
    checkBalance(summary)
  })
})
