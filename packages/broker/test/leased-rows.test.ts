import assert from 'node:assert/strict'
import type { FakeAgent } from './support/fake-agent.ts'
import { World } from './support/world.ts'

const feed = 'users.csv'

describe('leased rows', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  async function lease(agent: FakeAgent, count: number, size = 100): Promise<[string, number, number]> {
    const { leased, runId } = agent.session()
    const before = leased.length
    agent.say({ type: 'lease-rows', runId, feed, size, count })
    await world.until('an answer', () => leased.length > before)
    return leased.at(-1)!
  }

  function end(agent: FakeAgent): void {
    agent.runStage(agent.session(), 0)
  }

  it('are given to one agent each, and what became of them is in the summary', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents)
    assert.deepEqual(await lease(one, 10), [feed, 0, 10])
    assert.deepEqual(await lease(two, 10), [feed, 10, 10])
    assert.deepEqual(await lease(one, 5), [feed, 20, 5])
    one.session().useRows(feed, 0, 10, 20, 2)
    two.session().useRows(feed, 10, 3)
    for (const agent of agents) end(agent)
    const summary = await world.finished(run)
    assert.deepEqual(summary.feeds, [
      { name: feed, rows: 100, used: 15, returned: 10, leftOver: 85, perhapsTwice: 0 },
    ])
  })

  it('of a lost agent that it did not use go to others; those that it may have used are counted', async () => {
    const agents = (await world.agents(3)) as [FakeAgent, FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents, { minCoverage: 0 })
    await lease(two, 10)
    two.session().useRows(feed, 0, 4)
    two.session().send(two.connection)
    await world.until('taken', () => two.session().acked === 0)
    await two.leave()
    await world.until('lost', () => run.agentStates('a2').at(-1) === 'lost')
    assert.deepEqual(await lease(one, 20), [feed, 4, 20])
    one.session().useRows(feed, 4, 10)
    for (const agent of [one, agents[2]]) end(agent)
    const summary = await world.finished(run)
    assert.deepEqual(summary.feeds, [
      { name: feed, rows: 100, used: 14, returned: 16, leftOver: 86, perhapsTwice: 6 },
    ])
  })

  it('of an agent that left in good order were not used by it', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents)
    await lease(two, 10)
    two.session().useRows(feed, 0, 4)
    two.session().send(two.connection)
    two.say({ type: 'released', runId: two.session().runId })
    await world.until('lost', () => run.agentStates('a2').at(-1) === 'lost')
    await lease(one, 20)
    one.session().useRows(feed, 4, 10)
    end(one)
    const summary = await world.finished(run)
    assert.equal(summary.exitCode, 0, summary.reasons.join())
    assert.equal(summary.feeds[0]!.perhapsTwice, 0)
    assert.equal(summary.feeds[0]!.used, 14)
  })

  it('that a missing window may have used are counted, too', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents, { minCoverage: 0 })
    await lease(two, 10)
    two.session().useRows(feed, 0, 4)
    two.session().cut()
    two.session().send(two.connection, true)
    await world.until('done', () => run.agentStates('a2').at(-1) === 'done')
    assert.deepEqual(await lease(one, 10), [feed, 0, 10])
    one.session().useRows(feed, 0, 10)
    end(one)
    const summary = await world.finished(run)
    assert.equal(summary.feeds[0]!.perhapsTwice, 10)
  })

  it('end: who asks then gets none, and whoever watches is told once', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents)
    assert.deepEqual(await lease(one, 10, 4), [feed, 0, 4])
    assert.deepEqual(await lease(two, 10, 4), [feed, 0, 0])
    assert.deepEqual(await lease(two, 10, 4), [feed, 0, 0])
    const said = () =>
      run.logs().filter((text) => /all 4 rows of users\.csv are leased: a2 gets none/.test(text))
    await world.until('said', () => said().length > 0)
    assert.equal(said().length, 1)
    for (const agent of agents) end(agent)
    await world.finished(run)
  })

  it('of files that differ end the run, with the reason', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents)
    for (const agent of agents) agent.onStop = (session) => session.send(agent.connection, true)
    await lease(one, 10, 100)
    assert.deepEqual(await lease(two, 10, 90), [feed, 0, 0])
    const summary = await world.finished(run)
    assert.equal(summary.exitCode, 4)
    assert.match(summary.reasons[0]!, /users\.csv has 90 rows on a2 and 100 on a1/)
  })

  it('are asked for before load began, or after an agent has ended, in vain', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents, { minCoverage: 0 })
    two.session().send(two.connection, true)
    two.say({ type: 'lease-rows', runId: two.session().runId, feed, size: 10, count: 5 })
    assert.deepEqual(await lease(one, 5, 10), [feed, 0, 5])
    assert.deepEqual(two.session().leased, [])
    end(one)
    await world.finished(run)
  })
})
