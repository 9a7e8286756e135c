import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AgentToBroker } from '../src/messages/agent-to-broker.ts'
import type { BrokerToAgent } from '../src/messages/broker-to-agent.ts'
import type { AgentConnection, Connection, Dialer, Identity, Listener, Peer } from '../src/channel.ts'

/** A fresh channel of the kind under test. */
export interface ChannelUnderTest {
  listener: Listener
  /** Dials as agent. */
  agents: Dialer
  /** Dials as operator. */
  operators: Dialer
}

export type AgentPeer = Extract<Peer, { role: 'agent' }>
export type OperatorPeer = Extract<Peer, { role: 'operator' }>

export function identityOf(id: string): Identity {
  return { id, incarnation: `${id}-1`, host: 'here', pid: 1, version: '0', slots: 1, labels: { zone: 'x' } }
}

/** Collects peers; `next` waits for one. */
export class Peers {
  readonly all: Peer[] = []
  #waiting: ((peer: Peer) => void)[] = []
  #given = 0

  constructor(listener: Listener) {
    listener.onPeer((peer) => {
      this.all.push(peer)
      this.#hand()
    })
  }

  async agent(): Promise<AgentPeer> {
    const peer = await this.#next()
    assert.equal(peer.role, 'agent')
    return peer as AgentPeer
  }

  async operator(): Promise<OperatorPeer> {
    const peer = await this.#next()
    assert.equal(peer.role, 'operator')
    return peer as OperatorPeer
  }

  #next(): Promise<Peer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#hand()
    })
  }

  #hand(): void {
    while (this.#given < this.all.length && this.#waiting.length > 0)
      this.#waiting.shift()!(this.all[this.#given++]!)
  }
}

/** Collects messages; `take` waits until there are so many. */
export class Inbox<In> {
  readonly messages: In[] = []
  #wanted = 0
  #arrived: (() => void) | null = null

  constructor(connection: { onMessage(handler: (message: In) => void): void }) {
    connection.onMessage((message) => {
      this.messages.push(message)
      if (this.messages.length >= this.#wanted) this.#arrived?.()
    })
  }

  async take(count: number): Promise<In[]> {
    if (this.messages.length < count)
      await new Promise<void>((resolve) => {
        this.#wanted = count
        this.#arrived = resolve
      })
    return this.messages
  }
}

/** Sends as fast as the connection takes it: false means wait. */
export async function sendAll<Out>(
  connection: Pick<Connection<Out, unknown>, 'send' | 'backlog'>,
  messages: Iterable<Out>,
): Promise<number> {
  let refusals = 0
  for (const message of messages) {
    if (connection.send(message)) continue
    refusals += 1
    while (connection.backlog > 100) await nextTurn()
  }
  return refusals
}

export const logLine = (text: string): AgentToBroker => ({ type: 'log', runId: 'run', level: 'info', text })
const bundlePart = (number: number, size: number): BrokerToAgent => ({
  type: 'bundle',
  runId: 'run',
  hash: String(number),
  last: false,
  bytes: new Uint8Array(size).fill(number % 256),
})

/** What every channel does. Each implementation calls this with a way to open one. */
export function channelConformance(open: () => Promise<ChannelUnderTest>): void {
  let channel: ChannelUnderTest
  let peers: Peers

  beforeEach(async () => {
    channel = await open()
    peers = new Peers(channel.listener)
  })

  afterEach(async () => {
    await channel.listener.close()
  })

  async function connectAgent(id = 'a'): Promise<{ near: AgentConnection; far: AgentPeer }> {
    const near = await channel.agents.dialAsAgent(identityOf(id))
    return { near, far: await peers.agent() }
  }

  it('hands out a peer with its role and identity', async () => {
    await channel.agents.dialAsAgent(identityOf('a'))
    const agent = await peers.agent()
    assert.deepEqual(agent.identity, identityOf('a'))

    await channel.operators.dialAsOperator(identityOf('o'))
    const operator = await peers.operator()
    assert.deepEqual(operator.identity, identityOf('o'))
  })

  it('keeps the order of 10,000 messages each way, big ones among them', async () => {
    const { near, far } = await connectAgent()
    const total = 10_000
    const isBig = (i: number) => i % 1_000 === 7
    const upward = new Inbox(far.connection)
    const downward = new Inbox(near)

    await Promise.all([
      sendAll(
        near,
        (function* () {
          for (let i = 0; i < total; i++)
            yield logLine(isBig(i) ? `${i}:${'x'.repeat(1024 * 1024)}` : `${i}:`)
        })(),
      ),
      sendAll(
        far.connection,
        (function* () {
          for (let i = 0; i < total; i++) yield bundlePart(i, isBig(i) ? 1024 * 1024 : 10)
        })(),
      ),
    ])
    await Promise.all([upward.take(total), downward.take(total)])

    upward.messages.forEach((message, i) => {
      assert.ok(message.type === 'log')
      assert.equal(message.text.length, `${i}:`.length + (isBig(i) ? 1024 * 1024 : 0))
      assert.ok(message.text.startsWith(`${i}:`))
    })
    downward.messages.forEach((message, i) => {
      assert.ok(message.type === 'bundle')
      assert.equal(message.hash, String(i))
      assert.equal(message.bytes.length, isBig(i) ? 1024 * 1024 : 10)
      assert.equal(message.bytes.at(-1), i % 256)
    })
  })

  it('carries a message of 20 MiB', async () => {
    const { near, far } = await connectAgent()
    const inbox = new Inbox(near)
    const bytes = new Uint8Array(20 * 1024 * 1024)
    for (let i = 0; i < bytes.length; i += 997) bytes[i] = i % 251
    far.connection.send({ type: 'bundle', runId: 'run', hash: 'h', last: true, bytes })
    const [message] = await inbox.take(1)
    assert.ok(message?.type === 'bundle')
    assert.equal(Buffer.compare(message.bytes, bytes), 0)
  })

  it('refuses to send a message above the size limit, and goes on', async () => {
    const { near, far } = await connectAgent()
    const inbox = new Inbox(near)
    const part = bundlePart(1, 64 * 1024 * 1024)
    assert.throws(() => far.connection.send(part), { code: 'MESSAGE_TOO_LARGE' })
    far.connection.send(bundlePart(2, 1))
    assert.equal((await inbox.take(1)).length, 1)
  })

  it('says false while much waits, true again later, and loses nothing of it', async () => {
    const { near, far } = await connectAgent()
    const total = 3_000
    const results = Array.from({ length: total }, (_, i) => near.send(logLine(String(i))))
    assert.equal(results[0], true)
    assert.equal(results.at(-1), false)
    assert.ok(near.backlog > 1_000, `backlog ${near.backlog}`)

    const inbox = new Inbox(far.connection)
    await inbox.take(total)
    assert.deepEqual(
      inbox.messages.map((message) => (message.type === 'log' ? message.text : '')),
      Array.from({ length: total }, (_, i) => String(i)),
    )
    assert.equal(near.backlog, 0)
    assert.equal(near.send(logLine('last')), true)
    assert.equal((await inbox.take(total + 1)).length, total + 1)
  })

  it('drops a peer that takes nothing in, with the reason, and keeps serving others', async () => {
    const slow = await connectAgent('slow')
    const quick = await connectAgent('quick')
    const inbox = new Inbox(quick.near)
    // Nobody listens on slow.near, so nothing is taken in.
    let sent = 0
    while (
      sent < 30_000 &&
      (slow.far.connection.send({ type: 'stop', runId: 'run', mode: 'kill' }) || sent < 20_000)
    )
      sent += 1
    const ended = await slow.far.connection.closed
    assert.equal(ended.reason, 'lost')
    assert.match(ended.message, /too slow: 10000 messages/)
    assert.equal((await slow.near.closed).reason, 'lost')
    assert.match((await slow.near.closed).message, /too slow/)

    quick.far.connection.send({ type: 'stop', runId: 'run', mode: 'drain' })
    assert.deepEqual(await inbox.take(1), [{ type: 'stop', runId: 'run', mode: 'drain' }])
  })

  it('keeps messages for a handler that is set late', async () => {
    const { near, far } = await connectAgent()
    const early = new Inbox(far.connection)
    far.connection.send({ type: 'ack', runId: 'run', number: 1 })
    far.connection.send({ type: 'ack', runId: 'run', number: 2 })
    near.send({ type: 'heartbeat' })
    await early.take(1)
    for (let turn = 0; turn < 20; turn++) await nextTurn()

    const late = new Inbox(near)
    far.connection.send({ type: 'ack', runId: 'run', number: 3 })
    const acks = await late.take(3)
    assert.deepEqual(
      acks.map((message) => message.type === 'ack' && message.number),
      [1, 2, 3],
    )
  })

  it('copies: neither side sees what the other does to a message', async () => {
    const { near, far } = await connectAgent()
    const inbox = new Inbox(near)
    const sent = bundlePart(5, 300) as Extract<BrokerToAgent, { type: 'bundle' }>
    far.connection.send(sent)
    sent.bytes.fill(9)
    sent.hash = 'changed'
    const [message] = await inbox.take(1)
    assert.ok(message?.type === 'bundle')
    assert.equal(message.hash, '5')
    assert.deepEqual([...new Set(message.bytes)], [5])
    message.bytes.fill(1)
    assert.equal(sent.bytes[0], 9)
    assert.equal(Object.getPrototypeOf(message.bytes), Uint8Array.prototype)
  })

  it('refuses an invalid message, which is never delivered', async () => {
    const { near, far } = await connectAgent()
    const inbox = new Inbox(far.connection)
    near.send({ type: 'prepared', runId: 'run', workers: -1 })
    const ended = await near.closed
    assert.equal(ended.reason, 'refused')
    assert.match(ended.message, /workers/)
    assert.equal((await far.connection.closed).reason, 'closed')
    assert.deepEqual(inbox.messages, [])
  })

  it("refuses an operator's verb from an agent", async () => {
    const { near, far } = await connectAgent()
    const inbox = new Inbox<unknown>(far.connection)
    const answers = new Inbox<unknown>(near)
    near.send({ type: 'purge', requestId: 1 } as never)
    assert.equal((await near.closed).reason, 'refused')
    assert.deepEqual(inbox.messages, [])
    assert.deepEqual(answers.messages, [])
  })

  it('refuse tells the other side why, and ends both', async () => {
    const { near, far } = await connectAgent()
    far.connection.refuse('another agent has this name')
    assert.deepEqual(await near.closed, { reason: 'refused', message: 'another agent has this name' })
    assert.equal((await far.connection.closed).reason, 'closed')
  })

  it('close says bye after everything that was sent', async () => {
    const { near, far } = await connectAgent()
    const inbox = new Inbox(far.connection)
    for (let i = 0; i < 2_000; i++) near.send(logLine(String(i)))
    await near.close()
    assert.equal((await near.closed).reason, 'closed')
    assert.equal((await far.connection.closed).reason, 'bye')
    assert.equal(inbox.messages.length, 2_000)
  })

  it('close by the broker says bye too', async () => {
    const { near, far } = await connectAgent()
    const inbox = new Inbox(near)
    far.connection.send({ type: 'ack', runId: 'run', number: 1 })
    await far.connection.close()
    assert.equal((await far.connection.closed).reason, 'closed')
    assert.equal((await near.closed).reason, 'bye')
    assert.equal(inbox.messages.length, 1)
  })

  it('close waits for a second at most for a side that takes nothing in', async () => {
    const { near, far } = await connectAgent()
    for (let i = 0; i < 1_000; i++) near.send(logLine(String(i)))
    const startedAt = performance.now()
    await near.close()
    const tookMs = performance.now() - startedAt
    assert.ok(tookMs > 900, `${tookMs} ms`)
    assert.deepEqual(await near.closed, {
      reason: 'closed',
      message: 'Closed here; the other side did not confirm in time',
    })
    await far.connection.close()
  })

  it('both sides may close at once, and more than once', async () => {
    const { near, far } = await connectAgent()
    await Promise.all([near.close(), far.connection.close(), near.close(), far.connection.close()])
    await near.close()
    assert.equal((await near.closed).reason, 'closed')
    assert.equal((await far.connection.closed).reason, 'closed')
  })

  it('sends nothing after the end', async () => {
    const { near, far } = await connectAgent()
    const inbox = new Inbox(far.connection)
    await near.close()
    assert.equal(near.send({ type: 'heartbeat' }), false)
    assert.equal(near.backlog, 0)
    await far.connection.closed
    assert.equal(far.connection.send({ type: 'ack', runId: 'run', number: 1 }), false)
    assert.deepEqual(inbox.messages, [])
  })

  it('closing the listener says bye to all and refuses newcomers', async () => {
    const first = await connectAgent('a')
    const operator = await channel.operators.dialAsOperator(identityOf('o'))
    await channel.listener.close()
    assert.equal((await first.near.closed).reason, 'bye')
    assert.equal((await operator.closed).reason, 'bye')
    // Another program may listen there by now; it is not the one that was meant.
    await assert.rejects(channel.agents.dialAsAgent(identityOf('late')), ({ code }: { code: string }) =>
      ['CHANNEL_UNREACHABLE', 'CHANNEL_WRONG_KEY'].includes(code),
    )
  })

  it('keeps 20 agents and 5 operators apart', async () => {
    const agents = await Promise.all(
      Array.from({ length: 20 }, (_, i) => channel.agents.dialAsAgent(identityOf(`agent-${i}`))),
    )
    const operators = await Promise.all(
      Array.from({ length: 5 }, (_, i) => channel.operators.dialAsOperator(identityOf(`operator-${i}`))),
    )
    assert.equal(peers.all.length, 25)
    const heard = new Map<string, Inbox<unknown>>()
    for (const peer of peers.all) {
      heard.set(peer.identity.id, new Inbox<unknown>(peer.connection))
      if (peer.role === 'agent')
        for (let i = 0; i < 50; i++) peer.connection.send({ type: 'ack', runId: peer.identity.id, number: i })
      else
        for (let i = 0; i < 50; i++)
          peer.connection.send({ type: 'reply', requestId: i, result: { to: peer.identity.id } })
    }
    const agentInboxes = agents.map((connection) => new Inbox(connection))
    const operatorInboxes = operators.map((connection) => new Inbox(connection))
    for (let i = 0; i < 50; i++) {
      agents.forEach((connection, a) => connection.send(logLine(`agent-${a}`)))
      operators.forEach((connection, o) =>
        connection.send({ type: 'has-bundle', requestId: i, hash: `operator-${o}` }),
      )
    }

    for (const [i, inbox] of agentInboxes.entries())
      assert.deepEqual(
        await inbox.take(50),
        Array.from({ length: 50 }, (_, number) => ({ type: 'ack', runId: `agent-${i}`, number })),
      )
    for (const [i, inbox] of operatorInboxes.entries())
      assert.deepEqual(
        await inbox.take(50),
        Array.from({ length: 50 }, (_, requestId) => ({
          type: 'reply',
          requestId,
          result: { to: `operator-${i}` },
        })),
      )
    for (let i = 0; i < 20; i++)
      assert.deepEqual(await heard.get(`agent-${i}`)!.take(50), Array(50).fill(logLine(`agent-${i}`)))
    for (let i = 0; i < 5; i++)
      assert.deepEqual(
        await heard.get(`operator-${i}`)!.take(50),
        Array.from({ length: 50 }, (_, requestId) => ({
          type: 'has-bundle',
          requestId,
          hash: `operator-${i}`,
        })),
      )
  })

  it('keeps peers for a handler that is set late', async () => {
    const other = await open()
    await other.agents.dialAsAgent(identityOf('early'))
    const late = new Peers(other.listener)
    assert.equal((await late.agent()).identity.id, 'early')
    await other.listener.close()
  })

  it('may send and close from inside a handler', async () => {
    const { near, far } = await connectAgent()
    far.connection.onMessage((message) => {
      if (message.type !== 'log') return
      far.connection.send({ type: 'ack', runId: 'run', number: 7 })
      void far.connection.close()
    })
    const inbox = new Inbox(near)
    near.send(logLine('go'))
    near.send(logLine('ignored'))
    assert.deepEqual(await inbox.take(1), [{ type: 'ack', runId: 'run', number: 7 }])
    assert.equal((await near.closed).reason, 'bye')
  })
}
