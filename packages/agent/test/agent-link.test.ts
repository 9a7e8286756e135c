import assert from 'node:assert/strict'
import {
  ChannelError,
  createInProcessChannel,
  type AgentToBroker,
  type Identity,
  type Peer,
} from '@loads-runner/protocol'
import { profileOf, specOf } from '@loads-runner/protocol/testing'
import { Agent } from '../src/agent.ts'
import { bundleOf } from './helpers/scripted-broker.ts'

type AgentPeer = Extract<Peer, { role: 'agent' }>

const identity: Identity = {
  id: 'a1',
  incarnation: '1',
  host: 'host',
  pid: 1,
  version: '1',
  slots: 1,
  labels: {},
}

const spec = specOf({ names: ['page.TestPage'], tests: [], bundle: '0'.repeat(64) })

describe('the link of an agent to its broker', () => {
  const { listener, dialer } = createInProcessChannel()
  const waiting: ((peer: AgentPeer) => void)[] = []
  const arrived: AgentPeer[] = []
  listener.onPeer((peer) => {
    assert.equal(peer.role, 'agent')
    arrived.push(peer as AgentPeer)
    waiting.shift()?.(peer as AgentPeer)
  })
  let logs: string[] = []
  let agent: Agent

  beforeEach(() => {
    logs = []
    arrived.length = 0
    agent = new Agent({
      dialer,
      identity,
      workDir: null,
      sessions: 'in-process',
      log: (_level, text) => logs.push(text),
    })
  })

  afterEach(() => agent.stop())

  after(() => listener.close())

  function nextPeer(): Promise<AgentPeer> {
    return new Promise((resolve) => waiting.push(resolve))
  }

  async function started(): Promise<AgentPeer> {
    const [peer] = await Promise.all([nextPeer(), agent.start()])
    return peer
  }

  it('dials again when the broker hangs up, and not at once', async () => {
    const first = await started()
    const startedAt = performance.now()
    const again = nextPeer()
    await first.connection.close()
    await again
    assert.ok(performance.now() - startedAt >= 90, 'it has dialed again at once')
    assert.equal(logs[0], 'the broker is out of reach: Closed by the other side')
  })

  it('waits for a broker that does not answer, such as one behind a network that is cut', async () => {
    let dials = 0
    const late = new Agent({
      dialer: {
        ...dialer,
        dialAsAgent: (who) => {
          if (dials++ > 0) return dialer.dialAsAgent(who)
          return Promise.reject(new ChannelError('CHANNEL_TIMEOUT', 'broker:1', 'it says nothing'))
        },
      },
      identity,
      workDir: null,
      sessions: 'in-process',
      log: (_level, text) => logs.push(text),
    })
    await late.start()
    assert.equal(dials, 2)
    assert.deepEqual(logs, ['it says nothing; trying again'])
    await late.stop()
  })

  it('ends when the broker does not want it', async () => {
    const { connection } = await started()
    connection.refuse('another process has the name a1')
    assert.deepEqual(await agent.ended, {
      done: false,
      reason: 'the broker refuses it: another process has the name a1',
    })
    assert.equal(arrived.length, 1)
  })

  it('leaves notes out while the broker is out of reach, and says so when it is back', async () => {
    // Load that goes on without a broker, in this thread: each execution is a note, made when its turn has come.
    const bundle = await bundleOf(`
import { TestCase } from '@loads-runner/testcase'
export class TestNotes extends TestCase {
  async test_a() { await globalThis.turnToNote(); this.annotate('note ' + this.iteration) }
}`)
    const profile = profileOf({ type: 'constant-users', users: 1, durationMs: 300_000, rampUpMs: 0 })
    const tests = bundle.tests.map(({ label, weight }) => ({ label, weight }))
    const whole = specOf({
      tests: bundle.tests,
      bundle: bundle.hash,
      profile: { scenarios: profile.scenarios.map((scenario) => ({ ...scenario, tests })) },
      workers: 0,
      windowMs: 100,
    })
    let wake = () => {}
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await new Promise<void>((resolve) => (wake = resolve))
    }
    const turns: (() => void)[] = []
    const turnToNote = () => {
      const turn = new Promise<void>((resolve) => turns.push(resolve))
      wake()
      return turn
    }
    /** So many notes are made. */
    const note = async (count: number) => {
      for (let made = 0; made < count; made++) {
        await until(() => turns.length > 0)
        turns.shift()!()
      }
      await until(() => turns.length > 0)
    }
    const heard: AgentToBroker[] = []
    const listen = ({ connection }: AgentPeer) =>
      connection.onMessage((message) => {
        heard.push(message)
        if (message.type === 'need-bundle') {
          const { bytes, hash } = bundle
          connection.send({ type: 'bundle', runId: 'run', hash, last: true, bytes })
        } else if (message.type === 'prepared') connection.send({ type: 'arm', runId: 'run', data: '{}' })
        else if (message.type === 'armed') connection.send({ type: 'start-stage', runId: 'run', stage: 0 })
        wake()
      })
    const notes = () =>
      heard.flatMap((message) =>
        message.type === 'annotate' && message.annotation.type === 'note' ? [message.annotation.text] : [],
      )
    let mayDial = Promise.resolve()
    agent = new Agent({
      dialer: { ...dialer, dialAsAgent: (who) => mayDial.then(() => dialer.dialAsAgent(who)) },
      identity,
      workDir: null,
      sessions: 'in-process',
      log: (_level, text) => logs.push(text),
    })
    Object.assign(globalThis, { turnToNote })
    try {
      const first = await started()
      listen(first)
      const share = { ranges: [{ first: 0, count: 1 }] }
      first.connection.send({ type: 'prepare', runId: 'run', spec: whole, share })
      await note(1)
      await until(() => notes().length === 1)
      let dial = () => {}
      mayDial = new Promise<void>((resolve) => (dial = resolve))
      await first.connection.close()
      await note(3)
      const again = nextPeer()
      dial()
      const second = await again
      listen(second)
      await until(() => heard.some(({ type }) => type === 'log'))
      const said = heard.find((message) => message.type === 'log')!
      assert.equal(said.text, '3 notes were left out: the broker was out of reach when they were made')
      await note(1)
      await until(() => notes().length === 2)
      assert.deepEqual(notes(), ['note 0', 'note 4'])
      second.connection.send({ type: 'stop', runId: 'run', mode: 'cancel' })
      await until(() => heard.some((message) => message.type === 'window' && message.final))
      second.connection.send({ type: 'release', runId: 'run', reason: 'over' })
      await until(() => heard.some(({ type }) => type === 'released'))
    } finally {
      Reflect.deleteProperty(globalThis, 'turnToNote')
    }
  })

  it('says once that it has released a run, however often it is told to', async () => {
    const { connection } = await started()
    const heard: AgentToBroker['type'][] = []
    const released = new Promise<void>((resolve) => {
      connection.onMessage((message) => {
        if (message.type === 'heartbeat') return
        heard.push(message.type)
        if (message.type === 'released' && message.runId === 'other') resolve()
      })
    })
    connection.send({ type: 'prepare', runId: 'run', spec, share: { ranges: [{ first: 0, count: 1 }] } })
    for (let time = 0; time < 3; time++) connection.send({ type: 'release', runId: 'run', reason: 'over' })
    connection.send({ type: 'release', runId: 'other', reason: 'never heard of it' })
    await released
    assert.deepEqual(heard.toSorted(), ['need-bundle', 'released', 'released'])
    assert.deepEqual(logs, ['run run: page.TestPage', 'run run is over'])
  })
})
