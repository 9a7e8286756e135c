import assert from 'node:assert/strict'
import type { RunSpec } from '@loads-runner/protocol'
import { hitsPerUser, profileOf, specOf } from '@loads-runner/protocol/testing'
import type { FakeAgent } from './support/fake-agent.ts'
import type { SeenRun } from './support/fake-console.ts'
import { checkBalance, World } from './support/world.ts'

describe('a lost agent', () => {
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

  /** Three agents have reported two windows each; then the second one is gone, with executions under way. */
  async function midway(
    changes: Partial<RunSpec>,
  ): Promise<{ run: SeenRun; agents: [FakeAgent, FakeAgent, FakeAgent] }> {
    const agents = (await world.agents(3)) as [FakeAgent, FakeAgent, FakeAgent]
    const profile = profileOf(hitsPerUser(6, 10))
    const run = await began(agents, { profile, ...changes })
    for (const agent of agents) {
      const session = agent.session()
      const { first } = session.share.ranges[0]!
      session.execute(first, 0, 3)
      session.send(agent.connection)
      session.execute(first, 3, 3, 1)
      session.send(agent.connection)
    }
    await world.until('two windows each', () => agents.every((agent) => agent.session().acked === 1))
    await world.pass(2000)
    return { run, agents }
  }

  /** The others run what is left, their own and what was moved to them. */
  function complete(agents: FakeAgent[]): void {
    for (const agent of agents) {
      const session = agent.session()
      const { first } = session.share.ranges[0]!
      session.execute(first, 5, 5)
      session.interrupt(1)
      session.execute(first + 1, 0, 10)
      for (const { unit, fromIteration } of session.moved)
        session.execute(unit, fromIteration, 10 - fromIteration)
      session.send(agent.connection)
      agent.endStage(session, 0)
    }
  }

  it('respread: its users go on elsewhere from their last reported iteration', async () => {
    const { run, agents } = await midway({ onAgentLoss: 'respread' })
    const [one, two, three] = agents
    await two.leave()
    await world.until('said', () => run.agentStates('a2').at(-1) === 'lost')
    const [before, after] = run
      .ofType('agent')
      .filter(({ agent }) => agent.id === 'a2')
      .slice(-2)
    assert.deepEqual([before!.agent.hits, before!.agent.windowsMissing], [0, 0])
    // Five executions in two windows; then about as many seconds of silence as it was heard before.
    const { hits, windows, windowsMissing } = after!.agent
    assert.deepEqual([hits, windows], [5, 2])
    await world.until('users moved', () => one.session().moved.length + three.session().moved.length === 2)
    assert.deepEqual(one.session().moved, [{ unit: 2, stage: 0, fromIteration: 5 }])
    assert.deepEqual(three.session().moved, [{ unit: 3, stage: 0, fromIteration: 0 }])
    complete([one, three])
    const summary = await finished(run)
    assert.deepEqual(
      summary.agents.map(({ id, state, ledger }) => [id, state, ledger]),
      [
        ['a1', 'done', { planned: 25, started: 26, finished: 25, reported: 26, lost: 0, dropped: 0 }],
        ['a2', 'lost', { planned: 5, started: 6, finished: 5, reported: 5, lost: 1, dropped: 0 }],
        ['a3', 'done', { planned: 30, started: 31, finished: 30, reported: 31, lost: 0, dropped: 0 }],
      ],
    )
    checkBalance(summary)
    // Everything that was planned has been made, and what is missing is named.
    assert.equal(summary.tests.finished, 60)
    assert.equal(summary.schedule.planned, 60)
    assert.equal(summary.exitCode, 5)
    assert.equal(summary.coverage.missing.length, 1)
    const [missing] = summary.coverage.missing
    assert.equal(missing!.agent, 'a2')
    assert.ok(windowsMissing >= 1)
    assert.equal(windowsMissing, summary.agents[1]!.windowsLost)
    assert.equal(missing!.fromSecond, 2)
    assert.ok(missing!.toSecond > 2 && missing!.toSecond < 4, `${missing!.toSecond}`)
    assert.equal(
      summary.agents[1]!.windowsLost,
      summary.coverage.windowsOwed - summary.coverage.windowsReceived,
    )
    assert.deepEqual(run.agentStates('a2').slice(-2), ['running', 'lost'])
    assert.match(run.logs().join('\n'), /2 users of a2 go on on a1, a3/)
  })

  it('that left in good order owes nothing, gets no other run, and its users go on', async () => {
    const { run, agents } = await midway({ onAgentLoss: 'respread' })
    const [one, two, three] = agents
    two.session().interrupt(1)
    two.session().send(two.connection)
    two.say({ type: 'released', runId: two.session().runId })
    await world.until('users moved', () => one.session().moved.length + three.session().moved.length === 2)
    const next = await (await world.console()).ask({ type: 'submit', spec: specOf({ agents: 1 }) })
    await world.pass(1000)
    assert.equal(two.sessions.has(next.runId), false)
    await two.leave()
    complete([one, three])
    const summary = await finished(run)
    assert.equal(summary.exitCode, 0, summary.reasons.join())
    assert.equal(summary.coverage.ratio, 1)
    assert.deepEqual(
      summary.agents.map(({ id, state, windowsLost }) => [id, state, windowsLost]),
      [
        ['a1', 'done', 0],
        ['a2', 'lost', 0],
        ['a3', 'done', 0],
      ],
    )
    assert.equal(summary.tests.finished, 60)
    checkBalance(summary)
  })

  it('respread: with a survivor that had ended its stage, the next stage waits for the moved users', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const stage = hitsPerUser(2, 4)
    const run = await began(agents, { profile: profileOf(stage, stage) })
    const [one, two] = agents
    one.session().execute(0, 0, 4)
    one.session().send(one.connection)
    one.say({ type: 'stage-done', runId: one.session().runId, stage: 0, units: 0 })
    await world.until('taken', () => one.session().acked === 0)
    await two.leave()
    await world.until('users moved', () => one.session().moved.length === 2)
    await world.pass(1000)
    assert.equal(one.session().stage, 0)
    one.session().execute(1, 0, 4)
    one.session().send(one.connection)
    one.say({ type: 'stage-done', runId: one.session().runId, stage: 0, units: 2 })
    await world.until('stage 1', () => one.session().stage === 1)
    one.runStage(one.session(), 1)
    const summary = await finished(run)
    assert.equal(summary.tests.finished, 16)
    checkBalance(summary)
  })

  it('respread: users that reached a survivor while it was ending go on with another', async () => {
    const { run, agents } = await midway({ onAgentLoss: 'respread' })
    const [one, two, three] = agents
    // The first agent says its last word while add-units is on its way to it.
    one.onAddUnits = (session) => {
      session.moved.length = 0
      session.send(one.connection, true)
    }
    await two.leave()
    await world.until('moved again', () => three.session().moved.length === 2)
    assert.deepEqual(
      three
        .session()
        .moved.map(({ unit }) => unit)
        .sort((a, b) => a - b),
      [2, 3],
    )
    complete([three])
    const summary = await finished(run)
    const planned = summary.agents.map(({ ledger }) => ledger.planned)
    assert.deepEqual(planned, [20, 5, 35])
  })

  it('continue: the run goes on short', async () => {
    const { run, agents } = await midway({ onAgentLoss: 'continue' })
    await agents[1].leave()
    await world.until('lost', () => run.agentStates('a2').at(-1) === 'lost')
    complete([agents[0], agents[2]])
    const summary = await finished(run)
    assert.equal(summary.tests.finished, 45)
    assert.equal(summary.agents[1]!.ledger.planned, 20)
    assert.equal(summary.agents[1]!.ledger.lost, 1)
    assert.equal(summary.exitCode, 5)
    assert.ok(!agents[0].types().includes('add-units'))
    checkBalance(summary)
  })

  it('fail: the others are cancelled and the run fails', async () => {
    const { run, agents } = await midway({ onAgentLoss: 'fail' })
    for (const agent of agents) agent.onStop = (session) => session.send(agent.connection, true)
    await agents[1].leave()
    const summary = await finished(run)
    assert.equal(summary.exitCode, 4)
    assert.equal(summary.verdict, 'infrastructure')
    assert.equal(run.state, 'failed')
    assert.match(summary.reasons[0]!, /agent a2 was lost, and the run is to fail then/)
    assert.deepEqual(
      agents[0].received.flatMap((message) => (message.type === 'stop' ? [message.mode] : [])),
      ['cancel'],
    )
    checkBalance(summary)
  })

  it('is suspect after two seconds, lost after its lease, and fenced when it comes back', async () => {
    const { run, agents } = await midway({ onAgentLoss: 'continue' })
    const [one, two, three] = agents
    const startMs = world.clock.monotonic()
    two.pause()
    await world.until('suspect', () => run.agentStates('a2').at(-1) === 'suspect')
    const suspectMs = world.clock.monotonic() - startMs
    assert.ok(suspectMs > 1000 && suspectMs < 3000, `suspect after ${suspectMs} ms`)
    await world.until('lost', () => run.agentStates('a2').at(-1) === 'lost')
    const lostMs = world.clock.monotonic() - startMs
    assert.equal(run.agentStates('a2').filter((state) => state === 'suspect').length, 1)
    assert.ok(lostMs > 5000 && lostMs < 7000, `lost after ${lostMs} ms`)
    await world.until('its link is closed', () => two.closed)

    // It wakes up, dials again as the same process, and sends what it has.
    two.resume()
    const late = two.session()
    late.execute(2, 5, 1)
    const window = late.cut()
    await two.dial()
    late.resend(two.connection)
    await world.until('fenced', () => run.agentStates('a2').at(-1) === 'fenced')
    await world.until('told to forget the run', () => two.received.at(-1)!.type === 'release')
    assert.ok(window.number > late.acked)
    complete([one, three])
    const summary = await finished(run)
    assert.equal(summary.tests.finished, 45)
    assert.equal(summary.agents[1]!.state, 'fenced')
    assert.ok(summary.coverage.missing[0]!.toSecond - summary.coverage.missing[0]!.fromSecond >= 6)
  })

  it('is not lost when it is only late: it is shown as running again', async () => {
    const { run, agents } = await midway({})
    agents[1].pause()
    await world.pass(4000)
    agents[1].resume()
    await world.until('running again', () => run.agentStates('a2').slice(-2).join() === 'suspect,running')
    complete(agents)
    const summary = await finished(run)
    assert.equal(summary.exitCode, 0)
    assert.equal(summary.tests.finished, 60)
  })

  it('whose link breaks goes on where it was when the same process dials again in time', async () => {
    const { run, agents } = await midway({})
    const two = agents[1]
    const session = two.session()
    two.breakLink()
    await world.until('closed', () => two.closed)
    session.execute(2, 5, 2)
    session.cut()
    await world.pass(1500)
    await two.dial()
    session.acked = 0
    session.resend(two.connection)
    await world.until('caught up', () => session.acked === 2)
    // It may have missed it; one that has begun the stage takes no notice.
    assert.equal(two.received.filter((message) => message.type === 'start-stage').length, 2)
    session.execute(2, 7, 3)
    session.interrupt(1)
    session.execute(3, 0, 10)
    session.send(two.connection)
    two.endStage(session, 0)
    complete([agents[0], agents[2]])
    const summary = await finished(run)
    assert.equal(summary.exitCode, 0)
    assert.equal(summary.tests.finished, 60)
    assert.equal(summary.coverage.ratio, 1)
  })

  it('hears, once it is back, what was said while its link was broken', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const stage = hitsPerUser(2, 1)
    const run = await began(agents, { profile: profileOf(stage, stage) })
    const { runId } = two.session()
    two.say({ type: 'stage-done', runId, stage: 0, units: 0 })
    await world.settle()
    two.breakLink()
    await world.until('closed', () => two.closed)
    one.say({ type: 'stage-done', runId, stage: 0, units: 0 })
    await world.until('stage 1', () => one.session().stage === 1)
    assert.equal(two.session().stage, 0)
    await two.dial()
    await world.until('stage 1 there too', () => two.session().stage === 1)
    for (const agent of agents) agent.runStage(agent.session(), 1)
    assert.equal((await finished(run)).coverage.ratio, 1)
  })

  it('is asked again for what its link broke before it could answer', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [, two] = agents
    const { onPrepare, onArm } = two
    const back = async (asked: string) => {
      await world.until(`asked to ${asked}`, () => two.types().includes(asked))
      two.breakLink()
      await world.until('closed', () => two.closed)
      two.onPrepare = onPrepare
      if (asked === 'arm') two.onArm = onArm
      await two.dial()
    }
    two.onPrepare = two.onArm = () => null
    const beginning = began(agents)
    await back('prepare')
    await back('arm')
    const run = await beginning
    for (const agent of agents) agent.runStage(agent.session(), 0)
    assert.equal((await finished(run)).coverage.ratio, 1)
    for (const asked of ['prepare', 'arm'])
      assert.equal(two.types().filter((type) => type === asked).length, 2)
  })

  it('gets units again that were on their way when its link broke; the stage waits for them', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const stage = hitsPerUser(2, 4)
    const run = await began(agents, { profile: profileOf(stage, stage) })
    const [one, two] = agents
    const { runId } = one.session()
    one.runStage(one.session(), 0)
    await world.until('taken', () => one.session().acked === 0)
    one.pause()
    await two.leave()
    await world.until('moved', () => run.agentStates('a2').at(-1) === 'lost')
    one.breakLink()
    await world.until('closed', () => one.closed)
    assert.equal(one.session().moved.length, 0)
    await one.dial()
    one.session().relink()
    // It had ended its own units and does not know of the others yet.
    one.say({ type: 'stage-done', runId, stage: 0, units: 0 })
    await world.until('users moved', () => one.session().moved.length === 2)
    await world.pass(1000)
    assert.equal(one.session().stage, 0)
    one.session().execute(1, 0, 4)
    one.session().send(one.connection)
    one.endStage(one.session(), 0)
    await world.until('stage 1', () => one.session().stage === 1)
    one.runStage(one.session(), 1)
    const summary = await finished(run)
    assert.equal(summary.tests.finished, 16)
    checkBalance(summary)
  })

  it('is told again to finish when its link broke before it could', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const [one, two] = agents
    const run = await began(agents)
    const finish = two.onFinish
    two.onFinish = () => {}
    for (const agent of agents) agent.runStage(agent.session(), 0)
    await world.until('told to finish', () => two.types().includes('finish'))
    two.breakLink()
    await world.until('closed', () => two.closed)
    two.onFinish = finish
    await two.dial()
    two.session().resend(two.connection)
    const summary = await finished(run)
    assert.equal(summary.coverage.ratio, 1)
    assert.deepEqual(summary.reasons, [])
    assert.equal(one.types().filter((type) => type === 'finish').length, 1)
  })

  it('whose session died is lost at once and stays registered', async () => {
    const { run, agents } = await midway({ onAgentLoss: 'continue' })
    agents[1].say({ type: 'session-lost', runId: agents[1].session().runId, reason: 'out of memory' })
    await world.until('lost', () => run.agentStates('a2').at(-1) === 'lost', 1000)
    assert.match(run.ofType('agent').at(-1)!.note, /its session is gone: out of memory/)
    complete([agents[0], agents[2]])
    await finished(run)
    const { agents: rows } = await (await world.console()).ask({ type: 'ping' })
    assert.equal(rows.length, 3)
  })

  it('ends the run when no agent is left', async () => {
    const { run, agents } = await midway({ onAgentLoss: 'respread' })
    for (const agent of agents) await agent.leave()
    const summary = await finished(run)
    assert.equal(summary.exitCode, 4)
    assert.match(summary.reasons[0]!, /no agent is left/)
    assert.equal(summary.tests.lost, 3)
    assert.equal(summary.coverage.missing.length, 3)
    checkBalance(summary)
  })
})
