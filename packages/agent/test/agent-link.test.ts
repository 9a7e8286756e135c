import assert from 'node:assert/strict'
import { createInProcessChannel, type AgentToBroker, type Identity, type Peer } from '@loads-runner/protocol'
import { specOf } from '@loads-runner/protocol/testing'
import { Agent } from '../src/agent.ts'

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

  it('ends when the broker does not want it', async () => {
    const { connection } = await started()
    connection.refuse('another process has the name a1')
    assert.deepEqual(await agent.ended, {
      reason: 'the broker refuses it: another process has the name a1',
    })
    assert.equal(arrived.length, 1)
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
