import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { AgentToBroker, OperatorToBroker } from '@loads-runner/protocol'
import { hitsPerUser, profileOf, specOf } from '@loads-runner/protocol/testing'
import type { FakeAgent } from './support/fake-agent.ts'
import { World } from './support/world.ts'

describe('Broker', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  async function rows(): Promise<string[]> {
    const { agents } = await (await world.console()).ask({ type: 'ping' })
    return agents.map(({ id }) => id)
  }

  it('fences an agent when a second process takes its name, and turns the first one away', async () => {
    const agents = await world.agents(2)
    for (const agent of agents) agent.onStage = () => {}
    const console = await world.console()
    const { runId } = await console.ask({ type: 'submit', spec: specOf({ agents: 2 }) })
    const run = console.run(runId)
    await world.until('running', () => agents.every((agent) => agent.sessions.get(runId)?.stage === 0))
    const [one, old] = agents as [FakeAgent, FakeAgent]

    const second = await world.agent('a2').dial()
    await world.until('fenced', () => run.agentStates('a2').at(-1) === 'fenced')
    await world.until('closed', () => old.closed)
    await old.dial()
    await world.until('turned away', () => old.closed)
    const { reason, message } = await old.connection.closed
    assert.equal(reason, 'refused')
    assert.match(message, /another process \(\d+ on [\w-]+\) has taken the name a2; give each agent/)
    assert.equal(second.closed, false)
    old.session().execute(5, 0, 3)
    old.session().send(old.connection)

    // The new process knows nothing of the run: what it says of it does not count either.
    second.say({ type: 'stage-done', runId, stage: 0, units: 0 })
    await world.until('told to forget', () => second.types().includes('release'))
    await world.until('moved', () => one.session().moved.length === 5)
    one.runStage(one.session(), 0)
    await world.until('finished', () => run.summary !== null)
    const { summary } = run
    assert.deepEqual(
      summary!.agents.map(({ id, state }) => [id, state]),
      [
        ['a1', 'done'],
        ['a2', 'fenced'],
      ],
    )
    assert.equal(summary!.tests.finished, 30)
    assert.deepEqual(await rows(), ['a1', 'a2'])
  })

  it('takes silent agents off the list, and lets them come back', async () => {
    const [agent, other] = await world.agents(2)
    agent!.pause()
    await world.pass(5000)
    assert.deepEqual(await rows(), ['a1', 'a2'])
    await world.pass(3000)
    assert.deepEqual(await rows(), ['a2'])
    agent!.resume()
    await agent!.dial()
    assert.deepEqual((await rows()).sort(), ['a1', 'a2'])
    await other!.leave()
    await world.settle()
    assert.deepEqual(await rows(), ['a1'])
  })

  it('does not take its own standstill for silence of its agents', async () => {
    const agents = await world.agents(2)
    for (const agent of agents) agent.onStage = () => {}
    const console = await world.console()
    const { runId } = await console.ask({ type: 'submit', spec: specOf({ agents: 2 }) })
    await world.until('running', () => agents.every((agent) => agent.sessions.get(runId)?.stage === 0))
    world.clock.freeze(60_000)
    await world.pass(3000)
    for (const agent of agents) agent.runStage(agent.session(), 0)
    await world.until('finished', () => console.run(runId).summary !== null)
    assert.equal(console.run(runId).summary!.exitCode, 0)
    assert.ok(world.log.some(({ text }) => /stood still for 59\d\d\d|stood still for 60\d\d\d/.test(text)))
  })

  it('tells an agent to forget a run that is over or was never known', async () => {
    const [agent] = await world.agents(1)
    const console = await world.console()
    const { runId } = await console.ask({ type: 'submit', spec: specOf() })
    await world.until('finished', () => console.run(runId).summary !== null)
    await world.settle()
    const before = console.run(runId).events.length
    agent!.session().execute(0, 3, 9)
    agent!.session().send(agent!.connection)
    agent!.say({ type: 'stage-done', runId: 'never', stage: 0, units: 0 })
    await world.settle()
    assert.deepEqual(
      agent!.received.slice(-2).map((message) => [message.type, message.runId]),
      [
        ['release', runId],
        ['release', 'never'],
      ],
    )
    // A late result neither revives the run nor changes its figures.
    assert.equal(console.run(runId).events.length, before)
    const { runs } = await console.ask({ type: 'list-runs' })
    assert.deepEqual(
      runs.map(({ state, hits }) => [state, hits]),
      [['done', 30]],
    )
  })

  it('lets everybody go when it is closed, once', async () => {
    const [agent] = await world.agents(1)
    const console = await world.console()
    await Promise.all([world.broker.close(), world.broker.close()])
    await world.settle()
    assert.equal(agent!.closed, true)
    assert.equal((await console.connection.closed).reason, 'bye')
  })

  describe('whatever valid messages come, in whatever order', () => {
    const runId = fc.constantFrom('first', 'second', 'never')
    const small = fc.nat(4)
    const ledger = fc.record({
      planned: small,
      started: small,
      finished: small,
      interrupted: small,
      dropped: small,
    })
    const said: fc.Arbitrary<AgentToBroker> = fc.oneof(
      fc.record({ type: fc.constant('heartbeat' as const) }),
      fc.record({
        type: fc.constant('need-bundle' as const),
        runId,
        hash: fc.constantFrom('', 'ab'.repeat(32)),
      }),
      fc.record({ type: fc.constant('prepared' as const), runId, workers: small }),
      fc.record({ type: fc.constant('armed' as const), runId }),
      fc.record({ type: fc.constant('cannot-run' as const), runId, exitCode: small, message: fc.string() }),
      fc.record({ type: fc.constant('stage-done' as const), runId, stage: small, units: small }),
      fc.record({
        type: fc.constant('lease-rows' as const),
        runId,
        feed: fc.constantFrom('a', 'b'),
        size: fc.constantFrom(3, 4),
        count: small,
      }),
      fc.record({ type: fc.constant('session-lost' as const), runId, reason: fc.string() }),
      fc.record({ type: fc.constant('released' as const), runId }),
      fc.record({
        type: fc.constant('log' as const),
        runId,
        level: fc.constant('info' as const),
        text: fc.string(),
      }),
      fc.record({
        type: fc.constant('window' as const),
        runId,
        number: small,
        fromMs: small,
        toMs: small,
        final: fc.boolean(),
        activeUsers: small,
        ledger,
        progress: fc.array(small, { maxLength: 5 }),
        delta: fc.oneof(fc.constant(Uint8Array.of(1, 0, 0)), fc.uint8Array({ maxLength: 12 })),
        generator: fc.record({
          eventLoopLagMs: small,
          cpu: small,
          gcMs: small,
          latenessMs: small,
          portsExhausted: fc.boolean(),
        }),
        rows: fc.array(fc.record({ feed: fc.constantFrom('a', 'b'), used: fc.array(small) })),
      }),
    )
    const requestId = fc.nat(1000)
    const mode = fc.constantFrom('drain' as const, 'cancel' as const, 'kill' as const)
    const error = fc.option(fc.string(), { nil: null })
    const asked: fc.Arbitrary<OperatorToBroker> = fc.oneof(
      fc.record({ type: fc.constant('ping' as const), requestId }),
      fc.record({ type: fc.constant('list-runs' as const), requestId }),
      fc.record({ type: fc.constant('has-bundle' as const), requestId, hash: fc.string() }),
      fc.record({
        type: fc.constant('put-bundle' as const),
        requestId,
        hash: fc.string(),
        last: fc.boolean(),
        bytes: fc.uint8Array(),
      }),
      fc.record({
        type: fc.constant('subscribe' as const),
        requestId,
        runId: fc.option(runId, { nil: null }),
      }),
      fc.record({
        type: fc.constant('stop' as const),
        requestId,
        runId,
        mode,
        reason: fc.constant('operator' as const),
      }),
      fc.record({
        type: fc.constant('control' as const),
        requestId,
        runId,
        scenario: fc.constantFrom(null, 'main', 'never'),
        target: fc.option(small, { nil: null }),
        paused: fc.option(fc.boolean(), { nil: null }),
      }),
      fc.record({ type: fc.constant('purge' as const), requestId }),
      fc.record({ type: fc.constant('set-up-done' as const), requestId, runId, data: fc.string(), error }),
      fc.record({ type: fc.constant('tear-down-done' as const), requestId, runId, error }),
      fc.record({ type: fc.constant('received' as const), runId, sequence: small }),
      fc.record({
        type: fc.constant('agent-exited' as const),
        requestId,
        agent: fc.constantFrom('a1', 'a9'),
        note: fc.string(),
      }),
    )
    type Step =
      | { who: number; agent: AgentToBroker }
      | { console: OperatorToBroker }
      | { passMs: number }
      | { helpful: number }
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 6, arbitrary: fc.record({ who: fc.nat(2), agent: said }) },
      { weight: 2, arbitrary: fc.record({ console: asked }) },
      { weight: 2, arbitrary: fc.record({ passMs: fc.constantFrom(20, 600, 3000) }) },
      // Now and then an agent does what it should, so that runs get beyond their first state.
      { weight: 4, arbitrary: fc.record({ helpful: fc.nat(2) }) },
    )

    it('stays up, keeps its books balanced, and every run can still be ended', async function () {
      this.timeout(120_000)
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, conducted) => {
          const own = await new World().open()
          try {
            await scenario(own, steps, conducted)
            assert.deepEqual(own.defects(), [])
          } finally {
            await own.close()
          }
        }),
        { numRuns: 60 },
      )
    })

    async function scenario(own: World, steps: Step[], conducted: boolean): Promise<void> {
      const agents = [0, 1, 2].map((index) => own.agent(`a${index}`, { slots: 2 }))
      for (const agent of agents) {
        agent.onPrepare = () => null
        agent.onArm = () => null
        agent.onStage = () => {}
        agent.onFinish = () => {}
        agent.onStop = () => {}
        await agent.dial()
      }
      const console = await own.console()
      const stage = hitsPerUser(4, 2)
      const profile = profileOf(stage, stage)
      const ids: Record<string, string> = { never: 'never' }
      for (const name of ['first', 'second']) {
        const spec = specOf({ agents: 2, profile, conducted: conducted && name === 'first' })
        ids[name] = (await console.ask({ type: 'submit', spec })).runId
      }
      for (const each of steps) {
        if ('agent' in each) agents[each.who]!.say(renamed(each.agent, ids))
        else if ('console' in each) console.connection.send(renamed(each.console, ids))
        else if ('passMs' in each) await own.pass(each.passMs)
        else help(agents[each.helpful]!)
        await own.settle()
      }
      for (const name of ['first', 'second']) {
        const runId = ids[name]!
        await console.ask({ type: 'stop', runId, mode: 'kill', reason: 'operator' })
        // A conducted run may wait for its tear-down: the second kill says that nobody will come.
        await own.pass(20_000)
        await console.ask({ type: 'stop', runId, mode: 'kill', reason: 'operator' })
        const watcher = await own.console()
        await watcher.ask({ type: 'subscribe', runId })
        await own.until(`${name} has ended`, () => watcher.run(runId).summary !== null, 30_000)
        const summary = watcher.run(runId).summary!
        for (const { ledger } of summary.agents) assert.equal(ledger.started, ledger.reported + ledger.lost)
        const { windowsOwed, windowsReceived, ratio } = summary.coverage
        assert.ok(windowsReceived <= windowsOwed && ratio >= 0 && ratio <= 1)
        assert.notEqual(summary.exitCode, 70)
      }
    }

    function help(agent: FakeAgent): void {
      const last = agent.received.findLast((message) => message.type !== 'ack')
      if (last === undefined) return
      const { runId } = last
      if (last.type === 'prepare') agent.say({ type: 'prepared', runId, workers: 1 })
      else if (last.type === 'arm') agent.say({ type: 'armed', runId })
      else if (last.type === 'start-stage') agent.runStage(agent.session(runId), last.stage)
      else if (last.type === 'stop' || last.type === 'finish')
        agent.session(runId).send(agent.connection, true)
    }

    function renamed<T extends AgentToBroker | OperatorToBroker>(message: T, ids: Record<string, string>): T {
      if (!('runId' in message) || message.runId === null) return message
      return { ...message, runId: ids[message.runId] ?? message.runId }
    }
  })
})
