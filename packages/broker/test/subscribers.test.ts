import assert from 'node:assert/strict'
import { specOf } from '@loads-runner/protocol/testing'
import { Subscribers } from '../src/subscribers.ts'
import type { OperatorPeerConnection } from '../src/subscribers.ts'
import type { BrokerToOperator, RunEvent, SnapshotEvent } from '@loads-runner/protocol'
import { World } from './support/world.ts'

/** The broker's end of a link to a console that takes in nothing by itself. */
class Pipe {
  readonly sent: Extract<BrokerToOperator, { type: 'event' }>[] = []
  broken = false

  get connection(): OperatorPeerConnection {
    return this as unknown as OperatorPeerConnection
  }

  send(message: BrokerToOperator): boolean {
    if (this.broken) throw new Error('too large')
    if (message.type === 'event') this.sent.push(message)
    return true
  }
}

function log(text: string): RunEvent {
  return { type: 'log', at: 0, level: 'info', source: 'broker', text }
}

function commitOf(size: number): RunEvent {
  const generator = { eventLoopLagMs: 0, cpu: 0, latenessMs: 0 }
  const sums = {
    activeUsers: 0,
    elapsedMs: 0,
    started: 0,
    finished: 0,
    interrupted: 0,
    planned: 0,
    dropped: 0,
  }
  return {
    type: 'commit',
    at: 0,
    windows: [],
    ...sums,
    generator,
    warmUp: false,
    delta: new Uint8Array(size),
  }
}

describe('Subscribers', () => {
  let snapshots: number
  let subscribers: Subscribers
  beforeEach(() => {
    snapshots = 0
    subscribers = new Subscribers('r1', () => {
      snapshots++
      return { type: 'snapshot', stage: snapshots, delta: new Uint8Array(1) } as unknown as SnapshotEvent
    })
  })

  it('begins with a snapshot and numbers events per subscriber', () => {
    const pipe = new Pipe()
    subscribers.publish(log('before'))
    subscribers.add(pipe.connection)
    subscribers.publish(log('after'))
    assert.deepEqual(
      pipe.sent.map(({ sequence, skipped, event }) => [sequence, skipped, event.type]),
      [
        [0, 0, 'snapshot'],
        [1, 0, 'log'],
      ],
    )
  })

  it('sends at most 256 events that were not taken in, then counts what it leaves out', () => {
    const frozen = new Pipe()
    const quick = new Pipe()
    subscribers.add(frozen.connection)
    subscribers.add(quick.connection)
    for (let index = 0; index < 10_000; index++) {
      subscribers.publish(log(`${index}`))
      subscribers.received(quick.connection, quick.sent.at(-1)!.sequence)
    }
    assert.equal(frozen.sent.length, 256)
    assert.equal(quick.sent.length, 10_001)

    // Half of it taken in: a fresh snapshot says how much was left out, and the stream goes on.
    subscribers.received(frozen.connection, 100)
    assert.equal(frozen.sent.length, 256)
    subscribers.received(frozen.connection, 127)
    const restart = frozen.sent.at(-1)!
    assert.equal(restart.event.type, 'snapshot')
    assert.equal(restart.skipped, 10_000 - 255)
    assert.equal(restart.sequence, 256)
    subscribers.publish(log('on'))
    assert.equal(frozen.sent.at(-1)!.sequence, 257)
    assert.equal(frozen.sent.at(-1)!.skipped, 0)
  })

  it('bounds bytes too, whatever the number of events', () => {
    const frozen = new Pipe()
    subscribers.add(frozen.connection)
    for (let index = 0; index < 100; index++) subscribers.publish(commitOf(1024 * 1024))
    assert.ok(frozen.sent.length < 11, `${frozen.sent.length} MiB were sent`)
    subscribers.received(frozen.connection, frozen.sent.at(-1)!.sequence)
    assert.equal(frozen.sent.at(-1)!.event.type, 'snapshot')
  })

  it('gives a slow reader the end of the run after its snapshot, and a late one too', () => {
    const slow = new Pipe()
    subscribers.add(slow.connection)
    for (let index = 0; index < 300; index++) subscribers.publish(log(`${index}`))
    subscribers.publish({ type: 'finished', at: 0, state: 'done', summary: '{}' })
    assert.equal(slow.sent.length, 256)
    subscribers.received(slow.connection, 255)
    assert.deepEqual(
      slow.sent.slice(-2).map(({ event }) => event.type),
      ['snapshot', 'finished'],
    )
    const late = new Pipe()
    subscribers.add(late.connection)
    assert.deepEqual(
      late.sent.map(({ event }) => event.type),
      ['snapshot', 'finished'],
    )
  })

  it('ignores confirmations of what was never sent, and old ones', () => {
    const pipe = new Pipe()
    subscribers.add(pipe.connection)
    subscribers.received(pipe.connection, 99)
    subscribers.received(new Pipe().connection, 0)
    for (let index = 0; index < 300; index++) subscribers.publish(log(`${index}`))
    subscribers.received(pipe.connection, 50)
    subscribers.received(pipe.connection, 20)
    assert.equal(pipe.sent.length, 256)
  })

  it('starts anew for a console that subscribes again', () => {
    const pipe = new Pipe()
    subscribers.add(pipe.connection)
    subscribers.publish(log('one'))
    subscribers.add(pipe.connection)
    assert.deepEqual(
      pipe.sent.map(({ event, sequence }) => [event.type, sequence]),
      [
        ['snapshot', 0],
        ['log', 1],
        ['snapshot', 2],
      ],
    )
    assert.equal(subscribers.size, 1)
  })

  it('drops a console whose link does not take an event, and serves the others', () => {
    const broken = new Pipe()
    const pipe = new Pipe()
    subscribers.add(broken.connection)
    subscribers.add(pipe.connection)
    broken.broken = true
    subscribers.publish(log('one'))
    assert.equal(subscribers.size, 1)
    assert.equal(pipe.sent.length, 2)
  })
})

describe('the event stream of a run', () => {
  it('gives a console that attaches late, or after the end, the totals of one that was there from the start', async () => {
    const world = await new World().open()
    const agents = await world.agents(2)
    for (const agent of agents) agent.onStage = () => {}
    const early = await world.console()
    const { runId } = await early.ask({ type: 'submit', spec: specOf({ agents: 2 }) })
    await world.until('running', () => agents.every((agent) => agent.sessions.get(runId)?.stage === 0))
    const late = await world.console()
    for (let round = 0; round < 6; round++) {
      for (const agent of agents) {
        agent.session().execute(agent.session().share.ranges[0]!.first, round, 1)
        agent.session().hit(`GET /${round}`, round + 1)
        agent.session().send(agent.connection)
      }
      // Attaches with windows under way.
      if (round === 3) await late.ask({ type: 'subscribe', runId: null })
      await world.pass(200)
    }
    for (const agent of agents) agent.endStage(agent.session(), 0)
    await world.until('finished', () => early.run(runId).summary !== null && late.run(runId).summary !== null)
    const after = await world.console()
    await after.ask({ type: 'subscribe', runId })
    await world.until('told', () => after.run(runId).summary !== null)

    const expected = early.run(runId)
    assert.equal(expected.aggregate.hits().count, 2 * (6 + 21))
    for (const run of [late.run(runId), after.run(runId)]) {
      assert.deepEqual(run.summary, expected.summary)
      assert.deepEqual(run.aggregate.hits(), expected.aggregate.hits())
      assert.deepEqual(run.aggregate.tests(), expected.aggregate.tests())
      assert.deepEqual(run.aggregate.serviceTime().stats(), expected.aggregate.serviceTime().stats())
    }
    assert.deepEqual(
      after.run(runId).events.map(({ type }) => type),
      ['snapshot', 'finished'],
    )
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  it('lets a frozen console miss events and catch up with the same totals', async () => {
    const world = await new World().open()
    const [agent] = await world.agents(1)
    agent!.onStage = () => {}
    const frozen = await world.console()
    frozen.frozen = true
    const { runId } = await frozen.ask({ type: 'submit', spec: specOf() })
    const quick = await world.console()
    await quick.ask({ type: 'subscribe', runId })
    await world.until('running', () => agent!.sessions.get(runId)?.stage === 0)
    for (let window = 0; window < 400; window++) {
      agent!.session().execute(0, window, 1)
      agent!.session().send(agent!.connection)
      await world.pass(150)
    }
    assert.equal(frozen.run(runId).events.length, 256)
    agent!.endStage(agent!.session(), 0)
    await world.until('finished', () => quick.run(runId).summary !== null)
    frozen.frozen = false
    frozen.acknowledge(runId)
    await world.until('caught up', () => frozen.run(runId).summary !== null)
    assert.ok(frozen.run(runId).skipped > 100)
    assert.equal(frozen.run(runId).snapshots, 2)
    assert.equal(frozen.run(runId).aggregate.hits().count, 400)
    assert.deepEqual(frozen.run(runId).summary, quick.run(runId).summary)
    await world.close()
  })
})
