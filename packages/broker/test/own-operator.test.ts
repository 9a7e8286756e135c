import assert from 'node:assert/strict'
import { createInProcessChannel } from '@loads-runner/protocol'
import { controlledUsers, scenarioOf, specOf } from '@loads-runner/protocol/testing'
import { Broker } from '../src/broker.ts'
import { World } from './support/world.ts'

const controlled = scenarioOf({
  stages: [controlledUsers()],
})

describe('a process that holds a broker', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  it('is an operator of its own: it changes, pauses and stops runs that others have started, under its name', async () => {
    const agents = await world.agents(1)
    await world.began(agents, { profile: { scenarios: [controlled] } })
    const { runId } = agents[0]!.session()
    const page = await world.console('page@desk', world.inside)
    const { runs } = await page.ask({ type: 'watch-runs' })
    assert.deepEqual(
      runs.map((row) => row.runId),
      [runId],
    )
    await page.ask({ type: 'subscribe', runId })
    const change = { type: 'control', runId, scenario: null, target: null, paused: null } as const
    assert.deepEqual(await page.ask({ ...change, target: 7 }), { scenario: 'main', target: 7, paused: false })
    assert.deepEqual(await page.ask({ ...change, paused: true }), {
      scenario: 'main',
      target: 7,
      paused: true,
    })
    await world.settle()
    const run = page.run(runId)
    assert.deepEqual(
      run.ofType('control').map(({ target, paused, by }) => [target, paused, by]),
      [
        [7, false, 'page@desk'],
        [7, true, 'page@desk'],
      ],
    )
    assert.equal(agents[0]!.session().changes.get(0)?.at(-1)?.target, 7)
    agents[0]!.onStop = (session) => session.send(agents[0]!.connection, true)
    await page.ask({ type: 'stop', runId, mode: 'drain', reason: 'operator' })
    await world.finished(run)
    assert.equal(
      run.ofType('state').find(({ state }) => state === 'draining')!.note,
      'drain was asked for by page@desk',
    )
    assert.deepEqual(run.summary!.reasons, ['stopped by an operator'])
  })

  it('says which signal stopped it, besides who', async () => {
    const agents = await world.agents(1)
    const run = await world.began(agents)
    const { runId } = agents[0]!.session()
    const console = await world.console()
    await console.ask({ type: 'stop', runId, mode: 'cancel', reason: 'SIGINT' })
    await world.settle()
    assert.equal(run.ofType('state').at(-1)!.note, 'cancel was asked for by ann (SIGINT)')
  })

  it('that takes nothing in holds up nobody, and is given a snapshot when it goes on', async () => {
    const agents = await world.agents(1)
    const [agent] = agents
    const run = await world.began(agents)
    const { runId } = agent!.session()
    const slow = await world.console('page@desk', world.inside)
    slow.frozen = true
    await slow.ask({ type: 'subscribe', runId })
    for (let window = 0; window < 400; window++) {
      agent!.session().execute(0, window, 1)
      agent!.session().send(agent!.connection)
      await world.pass(120)
    }
    await world.until('acknowledged', () => agent!.session().acked === 399)
    assert.equal(slow.run(runId).events.length, 256)
    agent!.endStage(agent!.session(), 0)
    await world.finished(run)
    slow.frozen = false
    slow.acknowledge(runId)
    await world.until('caught up', () => slow.run(runId).summary !== null)
    assert.ok(slow.run(runId).skipped > 100)
    assert.equal(slow.run(runId).aggregate.hits().count, 400)
  })

  it('is told of each run with what its outputs need; nobody else is', async () => {
    const agents = await world.agents(1)
    const outputs = ['influx:http://loads:hush@db:8086/loads', 'json:all.json']
    const run = await world.began(agents, { outputs })
    const { runId } = agents[0]!.session()
    assert.deepEqual(
      world.submitted.map((each) => [each.runId, each.spec.outputs]),
      [[runId, outputs]],
    )
    assert.deepEqual(run.snapshot.spec.outputs, ['influx:http://[redacted]@db:8086/loads', 'json:all.json'])
    assert.deepEqual(agents[0]!.session().spec.outputs, [])
  })

  it('may fail at a run without harm to it', async () => {
    const { listener, dialer } = createInProcessChannel()
    const log: string[] = []
    const broker = new Broker({
      listeners: [listener],
      stateDir: null,
      version: '1',
      log: (_, text) => log.push(text),
      onRun: () => {
        throw new Error('no output')
      },
    })
    await broker.start()
    try {
      assert.equal(broker.address, 'in-process')
      const identity = { id: 'ann', incarnation: '1', host: 'h', pid: 1, version: '1', slots: 0, labels: {} }
      const connection = await dialer.dialAsOperator(identity)
      const answer = new Promise<unknown>((resolve) => connection.onMessage(resolve))
      connection.send({ type: 'submit', requestId: 1, spec: specOf({ waitForAgentsMs: 1000 }) })
      assert.equal(((await answer) as { type: string }).type, 'reply')
      assert.match(log.join(), /start of run .* failed: .*no output/)
    } finally {
      await broker.close()
    }
  })
})
