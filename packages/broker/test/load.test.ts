import assert from 'node:assert/strict'
import type { RunSpec } from '@loads-runner/protocol'
import { hitsPerUser, profileOf } from '@loads-runner/protocol/testing'
import type { FakeAgent } from './support/fake-agent.ts'
import type { SeenRun } from './support/fake-console.ts'
import { World } from './support/world.ts'

describe('load', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  const began = (agents: FakeAgent[], changes?: Partial<RunSpec>) => world.began(agents, changes)
  const finished = (run: SeenRun) => world.finished(run)

  describe('windows', () => {
    it('counts a window once, however often it is sent, and acknowledges it again', async () => {
      const [agent] = await world.agents(1)
      const run = await began([agent!])
      const session = agent!.session()
      session.execute(0, 0, 3)
      session.send(agent!.connection)
      await world.until('acknowledged', () => session.acked === 0)
      session.execute(1, 0, 3)
      session.send(agent!.connection)
      const acks = () => agent!.types().filter((type) => type === 'ack').length
      const before = acks()
      for (const number of [0, 1, 1]) agent!.say(session.again(number))
      await world.until('acknowledged', () => session.acked === 1)
      agent!.say(session.again(1))
      await world.until('acknowledged again', () => acks() >= before + 3)
      session.send(agent!.connection, true)
      agent!.say(session.again(2))
      const summary = await finished(run)
      assert.equal(summary.tests.finished, 6)
      assert.equal(summary.hits.count, 6)
      assert.equal(summary.coverage.windowsReceived, 3)
      assert.equal(run.aggregate.hits().count, 6)
    })

    it('takes windows in order, whatever order they come in', async () => {
      const [agent] = await world.agents(1)
      const run = await began([agent!])
      const session = agent!.session()
      session.execute(0, 0, 3)
      session.cut()
      session.hit('GET /new', 4)
      session.cut()
      session.execute(1, 0, 2)
      session.cut()
      session.cut(true)
      session.relink()
      for (const number of [3, 2, 0, 1]) agent!.say(session.again(number))
      const summary = await finished(run)
      assert.deepEqual(summary.reasons, ['a1 ended early, in stage 1 of 1'])
      assert.equal(summary.hits.count, 9)
      assert.equal(summary.coverage.ratio, 1)
    })

    it('names a window that never comes, and takes the ones behind it', async () => {
      const [agent] = await world.agents(1)
      const run = await began([agent!])
      const session = agent!.session()
      session.execute(0, 0, 3)
      session.send(agent!.connection)
      session.execute(1, 0, 3)
      session.cut()
      session.execute(2, 0, 3)
      session.send(agent!.connection)
      session.send(agent!.connection, true)
      const summary = await finished(run)
      assert.equal(summary.verdict, 'incomplete')
      assert.equal(summary.exitCode, 5)
      assert.equal(run.state, 'incomplete')
      assert.deepEqual(summary.coverage, {
        windowsOwed: 4,
        windowsReceived: 3,
        ratio: 0.75,
        missing: [{ agent: 'a1', fromSecond: 1, toSecond: 2, hitsAtMost: 3 }],
      })
      assert.match(summary.reasons.join(), /1 of 4 windows are missing \(a1: 1 s to 2 s, 3 hits at most\)/)
      assert.equal(summary.hits.count, 6)
    })

    it('counts a damaged window as missing, says so, and still ends', async () => {
      const [agent] = await world.agents(1)
      const run = await began([agent!])
      const session = agent!.session()
      session.execute(0, 0, 3)
      session.send(agent!.connection)
      agent!.say({ ...session.cut(true), delta: Uint8Array.of(250, 1, 2) })
      const summary = await finished(run)
      assert.equal(summary.exitCode, 5)
      assert.equal(summary.coverage.windowsReceived, 1)
      assert.match(run.logs().join(), /window 1 of a1 cannot be read/)
    })

    it('commits windows of all agents together, at most half a second after the first', async () => {
      const agents = await world.agents(3)
      const run = await began(agents)
      const startMs = world.clock.monotonic()
      for (const agent of agents.slice(0, 2)) {
        agent.session().execute(agent.session().share.ranges[0]!.first, 0, 1)
        agent.session().send(agent.connection)
      }
      await world.until('committed', () => run.ofType('commit').length === 1)
      const tookMs = world.clock.monotonic() - startMs
      assert.ok(tookMs >= 400 && tookMs <= 600, `took ${tookMs} ms`)
      assert.deepEqual(
        run.ofType('commit')[0]!.windows.map(({ agent, number }) => [agent, number]),
        [
          ['a1', 0],
          ['a2', 0],
        ],
      )
      assert.equal(run.ofType('commit')[0]!.finished, 2)
    })

    it('commits a final window at once', async () => {
      const agents = await world.agents(2)
      const run = await began(agents)
      const startMs = world.clock.monotonic()
      agents[0]!.session().send(agents[0]!.connection, true)
      await world.until('committed', () => run.ofType('commit').length === 1)
      assert.ok(world.clock.monotonic() - startMs < 100)
    })

    it('says how many users are active, without those of agents that have ended or are lost', async () => {
      const agents = await world.agents(3)
      const run = await began(agents, { onAgentLoss: 'continue' })
      for (const [index, agent] of agents.entries()) {
        agent.session().activeUsers = 10 ** index
        agent.session().send(agent.connection)
      }
      const active = () => run.ofType('commit').at(-1)?.activeUsers
      await world.until('all are active', () => active() === 111)
      await agents[2]!.leave()
      await world.pass(1000)
      agents[1]!.session().send(agents[1]!.connection)
      await world.until('the lost one is not', () => active() === 11)
      agents[0]!.session().send(agents[0]!.connection, true)
      await world.until('the ended one is not', () => active() === 10)
    })

    it('does not wait once every agent has reported', async () => {
      const agents = await world.agents(2)
      const run = await began(agents)
      const startMs = world.clock.monotonic()
      for (const agent of agents) agent.session().send(agent.connection)
      await world.until('committed', () => run.ofType('commit').length === 1)
      assert.ok(world.clock.monotonic() - startMs < 200)
    })

    it('tells every agent when the catalogue is full, and folds the rest into overflow', async () => {
      const agents = await world.agents(2)
      const run = await began(agents, { maxSeries: 2 })
      const [one, two] = agents as [FakeAgent, FakeAgent]
      one.session().hit('GET /1', 1)
      one.session().hit('GET /2', 1)
      one.session().send(one.connection)
      await world.until('both know', () => agents.every((agent) => agent.types().includes('catalogue')))
      two.session().hit('GET /1', 5)
      two.session().hit('GET /3', 7)
      two.session().send(two.connection)
      for (const agent of agents) agent.session().send(agent.connection, true)
      const summary = await finished(run)
      const counts = Object.fromEntries(summary.series.map(({ name, count }) => [name, count]))
      assert.deepEqual(counts, { 'GET /1': 6, 'GET /2': 1, '(other)': 7 })
      assert.equal(summary.hits.count, 14)
      assert.ok(summary.series.every((series) => series.partial))
    })
  })

  describe('stages', () => {
    it('begins a stage only when every agent has ended the one before', async () => {
      const agents = await world.agents(2)
      const stage = hitsPerUser(2, 1)
      const profile = profileOf(stage, stage)
      const run = await began(agents, { profile })
      const [one, two] = agents as [FakeAgent, FakeAgent]
      const runId = one.session().runId
      one.say({ type: 'stage-done', runId, stage: 0, units: 0 })
      one.say({ type: 'stage-done', runId, stage: 0, units: 0 })
      one.say({ type: 'stage-done', runId, stage: 1, units: 0 })
      await world.pass(1000)
      assert.equal(one.session().stage, 0)
      two.say({ type: 'stage-done', runId, stage: 0, units: 0 })
      await world.until('stage 1', () => agents.every((agent) => agent.session().stage === 1))
      assert.equal(run.ofType('state').at(-1)!.stage, 1)
      assert.equal(run.ofType('state').at(-1)!.note, 'stage 2 of 2')
      for (const agent of agents) agent.runStage(agent.session(), 1)
      assert.equal((await finished(run)).exitCode, 0)
    })

    it('lets agents end when the last stage is over on all of them, not before', async () => {
      const agents = await world.agents(2)
      const run = await began(agents)
      const [one, two] = agents as [FakeAgent, FakeAgent]
      one.runStage(one.session(), 0)
      await world.pass(2000)
      assert.ok(!one.types().includes('finish'))
      two.runStage(two.session(), 0)
      const summary = await finished(run)
      assert.equal(summary.exitCode, 0)
      for (const agent of agents) assert.equal(agent.types().filter((type) => type === 'finish').length, 1)
    })

    it('does not wait for an agent that is lost, and blames one that ends early', async () => {
      const agents = await world.agents(3)
      const stage = hitsPerUser(3, 1)
      const profile = profileOf(stage, stage)
      const run = await began(agents, { profile, onAgentLoss: 'continue', minCoverage: 0 })
      const [one, two, three] = agents as [FakeAgent, FakeAgent, FakeAgent]
      const runId = one.session().runId
      one.say({ type: 'stage-done', runId, stage: 0, units: 0 })
      two.session().send(two.connection, true)
      await three.leave()
      await world.until('stage 1', () => one.session().stage === 1)
      one.runStage(one.session(), 1)
      const summary = await finished(run)
      assert.equal(summary.exitCode, 5)
      assert.match(summary.reasons.join(), /a2 ended early, in stage 1 of 2/)
    })
  })
})
