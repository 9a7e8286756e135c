import assert from 'node:assert/strict'
import { hitsPerUser, scenarioOf } from '@loads-runner/protocol/testing'
import type { FakeAgent } from './support/fake-agent.ts'
import { checkBalance, World } from './support/world.ts'

const stage = hitsPerUser(2, 1)
/** Stages 0, 1 and 2 (users 0 to 5), and stage 3 (users 6 and 7). */
const scenarios = [
  scenarioOf({ name: 'browse', stages: [stage, stage, stage] }),
  scenarioOf({ name: 'buy', stages: [hitsPerUser(2, 4)] }),
]

describe('scenarios side by side', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  function end(agent: FakeAgent, stage: number): void {
    const session = agent.session()
    for (const { unit, from, count } of session.unitsOf(stage)) session.execute(unit, from, count)
    session.send(agent.connection)
    agent.endStage(session, stage)
  }

  it('begin at once, go on each at its own pace, and the run ends when all are through', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const run = await world.began(agents, { profile: { scenarios } })
    const begun = () => agents.map((agent) => agent.session().begun)
    await world.until('both first stages', () => begun().every(({ length }) => length === 2))
    assert.deepEqual(begun(), [
      [0, 3],
      [0, 3],
    ])
    const note = 'scenario browse: stage 1 of 3, scenario buy: stage 1 of 1'
    assert.equal(run.ofType('state').at(-1)!.note, note)

    for (const agent of agents) end(agent, 0)
    await world.until('stage 1', () => begun().every((each) => each.includes(1)))
    assert.equal(run.ofType('state').at(-1)!.note, 'scenario browse: stage 2 of 3')
    assert.equal(run.ofType('state').at(-1)!.stage, 1)

    // What an agent says of the other scenario does not move this one.
    end(agents[0], 3)
    end(agents[0], 1)
    await world.pass(1000)
    assert.ok(begun().every((each) => !each.includes(2)))
    end(agents[1], 3)
    await world.until('buy is through', () => /buy is through/.test(run.ofType('state').at(-1)!.note))
    assert.ok(agents.every((agent) => !agent.types().includes('finish')))

    end(agents[1], 1)
    await world.until('stage 2', () => begun().every((each) => each.includes(2)))
    for (const agent of agents) end(agent, 2)
    const summary = await world.finished(run)
    assert.equal(summary.exitCode, 0, summary.reasons.join())
    assert.equal(summary.tests.finished, 3 * 2 + 8)
    assert.equal(summary.schedule.planned, 3 * 2 + 8)
    checkBalance(summary)
  })

  it('of a lost agent go on elsewhere: only what was not over for it', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents, { profile: { scenarios } })
    await world.until('both first stages', () => two.session().begun.length === 2)
    end(two, 0)
    two.session().execute(7, 0, 3)
    two.session().send(two.connection)
    await world.until('taken', () => two.session().acked === 1)
    await two.leave()
    await world.until('moved', () => one.session().moved.length > 0)
    assert.deepEqual(one.session().moved, [
      { unit: 3, stage: 1, fromIteration: 0 },
      { unit: 5, stage: 2, fromIteration: 0 },
      { unit: 7, stage: 3, fromIteration: 3 },
    ])
    for (const stage of [0, 3]) end(one, stage)
    await world.until('stage 1', () => one.session().stage === 1)
    end(one, 1)
    await world.until('stage 2', () => one.session().stage === 2)
    end(one, 2)
    const summary = await world.finished(run)
    assert.equal(summary.tests.finished, 14)
    assert.deepEqual(
      summary.agents.map(({ ledger }) => ledger.planned),
      [10, 4],
    )
    checkBalance(summary)
  })

  it('are waited for again where units come to an agent that had ended its own', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents, { profile: { scenarios } })
    end(one, 0)
    end(one, 3)
    await world.until('taken', () => one.session().acked === 1)
    await two.leave()
    await world.until('moved', () => one.session().moved.length === 4)
    await world.pass(1000)
    assert.deepEqual(one.session().begun, [0, 3])
    one.endStage(one.session(), 0)
    await world.until('stage 1', () => one.session().stage === 1)
    assert.ok(!one.types().includes('finish'))
    for (const stage of [1, 2]) {
      await world.until(`stage ${stage}`, () => one.session().stage === stage)
      one.endStage(one.session(), stage)
    }
    await world.pass(1000)
    assert.ok(!one.types().includes('finish'))
    one.endStage(one.session(), 3)
    await world.finished(run)
  })

  it('under way are said again, all of them, to an agent whose link was broken', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await world.began(agents, { profile: { scenarios } })
    for (const agent of agents) end(agent, 0)
    await world.until('stage 1', () => two.session().stage === 1)
    two.breakLink()
    await world.until('closed', () => two.closed)
    two.session().begun.length = 0
    await two.dial()
    two.session().resend(two.connection)
    await world.until('said again', () => two.session().begun.length === 2)
    assert.deepEqual(two.session().begun, [1, 3])
    for (const agent of agents) for (const stage of [1, 3]) end(agent, stage)
    await world.until('stage 2', () => agents.every((agent) => agent.session().stage === 2))
    for (const agent of agents) end(agent, 2)
    const summary = await world.finished(run)
    assert.equal(summary.tests.finished, 14)
    assert.equal(one.session().begun.length, 4)
  })

  it('of an agent that ends early are named in what it is blamed for', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const run = await world.began(agents, { profile: { scenarios } })
    for (const agent of agents) agent.session().send(agent.connection, true)
    const summary = await world.finished(run)
    assert.equal(summary.exitCode, 5)
    assert.match(
      summary.reasons.join(),
      /a1 ended early, in scenario browse: stage 1 of 3, scenario buy: stage 1 of 1/,
    )
  })
})
