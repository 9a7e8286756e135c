import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import * as zmq from 'zeromq'
import type { Dialer } from '../../src/channel.ts'
import { dialer } from '../../src/channels/zeromq-dialer.ts'
import { listen } from '../../src/channels/zeromq-listener.ts'
import type { ZeromqListener } from '../../src/channels/zeromq-listener.ts'
import { codec } from '../../src/codec.ts'
import { parseEndpoint } from '../../src/endpoint.ts'
import { protocolVersion, signHello } from '../../src/hello.ts'
import { formatJoin, parseJoin } from '../../src/join.ts'
import { createCurvePair, createKeys } from '../../src/keys.ts'
import type { BrokerKeys, CurvePair } from '../../src/keys.ts'
import { Inbox, Peers, identityOf, logLine } from '../channel-conformance.ts'
import { childProcesses } from './child-processes.ts'

describe('ZeroMQ listener', () => {
  let keys: BrokerKeys
  let listener: ZeromqListener
  let peers: Peers
  let sockets: { close(): void }[]

  beforeEach(async () => {
    keys = createKeys()
    listener = await listen({ host: '127.0.0.1', port: 0, keys })
    peers = new Peers(listener)
    sockets = []
  })

  afterEach(async () => {
    for (const socket of sockets) socket.close()
    await listener.close()
  })

  const dialAs = (role: 'agent' | 'operator'): Dialer =>
    dialer(parseJoin(formatJoin(keys, role, listener.address)))

  /** A bare DEALER with the given keys, which says what it likes. */
  function rawDealer(curve: CurvePair | null, options: zmq.SocketOptions<zmq.Dealer> = {}): zmq.Dealer {
    const socket = new zmq.Dealer({
      linger: 0,
      ...(curve && {
        curveServerKey: keys.server.publicKey,
        curvePublicKey: curve.publicKey,
        curveSecretKey: curve.secretKey,
      }),
      ...options,
    })
    sockets.push(socket)
    socket.connect(`tcp://${listener.address}`)
    return socket
  }

  async function rawSocket(): Promise<Socket> {
    const { port } = parseEndpoint(listener.address)!
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    sockets.push({ close: () => void socket.destroy() })
    await once(socket, 'connect')
    return socket
  }

  /** Everybody else is still served. */
  async function assertServes(): Promise<void> {
    const near = await dialAs('agent').dialAsAgent(identityOf('witness'))
    const far = peers.all.findLast((peer) => peer.identity.id === 'witness')!
    assert.ok(far.role === 'agent')
    const inbox = new Inbox(far.connection)
    near.send(logLine('served'))
    assert.deepEqual(await inbox.take(1), [logLine('served')])
    await near.close()
  }

  const answerOf = async (socket: zmq.Dealer): Promise<unknown> => codec.decode((await socket.receive())[0]!)
  const nothingComes = (socket: zmq.Dealer) => {
    socket.receiveTimeout = 1_500
    return assert.rejects(socket.receive(), { code: 'EAGAIN' })
  }

  /** So many frames were dropped. */
  async function assertIgnored(count: number): Promise<void> {
    while (listener.ignored < count) await delay(10)
    assert.equal(listener.ignored, count)
  }

  describe('without a key', () => {
    it('a socket without CURVE gets no word in', async () => {
      const stranger = rawDealer(null)
      await stranger.send(codec.encode(['connect', protocolVersion]))
      await assertServes()
      await nothingComes(stranger)
      assert.equal(listener.ignored, 0)
      assert.equal(listener.peers <= 1, true)
    })

    it('a socket with a key of its own gets no word in', async () => {
      const stranger = rawDealer(createCurvePair())
      await stranger.send(codec.encode(['connect', protocolVersion]))
      await assertServes()
      await nothingComes(stranger)
      assert.equal(listener.ignored, 0)
    })

    it('random bytes, half a greeting and giant lengths over TCP change nothing', async () => {
      const greeting = Buffer.concat([
        Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]),
        Buffer.from('CURVE'.padEnd(20, '\0')),
        Buffer.alloc(32),
      ])
      const giantCommand = Buffer.alloc(9)
      giantCommand[0] = 0x06
      giantCommand.writeBigUInt64BE(1n << 40n, 1)
      const payloads = [
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7919) % 256)),
        greeting.subarray(0, 11),
        Buffer.concat([greeting, giantCommand, Buffer.alloc(100_000)]),
        Buffer.concat([greeting, Buffer.from([0x04, 200]), Buffer.alloc(200, 1)]),
      ]
      for (const payload of payloads) (await rawSocket()).write(payload)
      await assertServes()
      for (const payload of payloads) (await rawSocket()).end(payload)
      await assertServes()
      assert.equal(listener.ignored, 0)
    })

    it('is cut off when it sends more than a part holds before it is let in', async () => {
      const socket = await rawSocket()
      const before = process.memoryUsage().rss
      const head = Buffer.alloc(9)
      head[0] = 0x06
      head.writeBigUInt64BE(60n * 1024n * 1024n, 1)
      const greeting = Buffer.concat([
        Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]),
        Buffer.from('CURVE'.padEnd(20, '\0')),
        Buffer.alloc(32),
      ])
      socket.resume()
      socket.write(Buffer.concat([greeting, head]))
      const block = Buffer.alloc(1024 * 1024)
      const isClosed = new Promise((resolve) => socket.once('close', resolve))
      for (let i = 0; i < 60 && !socket.destroyed; i++) {
        socket.write(block)
        await delay(1)
      }
      await isClosed
      assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024)
      await assertServes()
    })
  })

  describe('with a key and without a role', () => {
    it('garbage is counted and never answered', async () => {
      const socket = rawDealer(keys.agent.curve)
      const garbage = [
        Buffer.alloc(0),
        Buffer.from([0xc1]),
        Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]),
        Buffer.from('not msgpack'),
        codec.encode(['connect', 'x']),
        codec.encode(['hello', 'operator', {}, new Uint8Array(64)]),
        codec.encode({ type: 'purge', requestId: 1 }),
        codec.encode([new Uint8Array(16), 'message', { type: 'purge', requestId: 1 }]),
        Buffer.alloc(200_000, 0x90),
      ]
      for (const bytes of garbage) await socket.send(bytes)
      await socket.send([codec.encode(['connect', protocolVersion]), 'two parts'])
      await assertIgnored(garbage.length + 1)
      await nothingComes(socket)
      assert.equal(peers.all.length, 0)
      await assertServes()
    })

    it('another version is refused in words, once', async () => {
      const socket = rawDealer(keys.agent.curve)
      await socket.send(codec.encode(['connect', 99, 'something', 'newer']))
      const [kind, code, text] = (await answerOf(socket)) as string[]
      assert.deepEqual([kind, code], ['refused', 'CHANNEL_VERSION'])
      assert.match(text!, new RegExp(`version ${protocolVersion} .* version 99`))
      await socket.send(codec.encode(['connect', 99]))
      await socket.send(codec.encode(['connect', protocolVersion]))
      await assertIgnored(2)
      await nothingComes(socket)
    })

    it("an agent's signature does not make an operator, over either door", async () => {
      for (const door of [keys.agent.curve, keys.operator.curve]) {
        const socket = rawDealer(door)
        await socket.send(codec.encode(['connect', protocolVersion]))
        const [, nonce] = (await answerOf(socket)) as [string, Uint8Array]
        const identity = identityOf('liar')
        const facts = { nonce, serverKey: keys.server.publicKey, role: 'operator' as const, identity }
        const signature = signHello(keys.agent.signing.secretKey, facts)
        await socket.send(codec.encode(['hello', 'operator', identity, signature]))
        const answer = (await answerOf(socket)) as string[]
        assert.deepEqual(answer.slice(0, 2), ['refused', 'CHANNEL_WRONG_ROLE'])
        // The nonce is spent.
        await socket.send(codec.encode(['hello', 'operator', identity, signature]))
        await nothingComes(socket)
      }
      assert.equal(peers.all.length, 0)
    })

    it("an operator's door with an agent's signature is an agent", async () => {
      const socket = rawDealer(keys.operator.curve)
      await socket.send(codec.encode(['connect', protocolVersion]))
      const [, nonce] = (await answerOf(socket)) as [string, Uint8Array]
      const identity = identityOf('humble')
      const facts = { nonce, serverKey: keys.server.publicKey, role: 'agent' as const, identity }
      await socket.send(
        codec.encode(['hello', 'agent', identity, signHello(keys.agent.signing.secretKey, facts)]),
      )
      const [kind, token] = (await answerOf(socket)) as [string, Uint8Array]
      assert.equal(kind, 'welcome')
      const { connection } = await peers.agent()
      const inbox = new Inbox<unknown>(connection)
      await socket.send(codec.encode([token, 'message', { type: 'list-runs', requestId: 1 }]))
      const [, bye, reason] = (await answerOf(socket)) as [Uint8Array, string, string]
      assert.deepEqual([bye, reason], ['bye', 'refused'])
      assert.deepEqual(inbox.messages, [])
    })

    it('a signature serves for its own nonce, broker and identity only', async () => {
      const attempt = async (change: Partial<Parameters<typeof signHello>[1]>) => {
        const socket = rawDealer(keys.agent.curve)
        await socket.send(codec.encode(['connect', protocolVersion]))
        const [, nonce] = (await answerOf(socket)) as [string, Uint8Array]
        const identity = identityOf('a')
        const facts = { nonce, serverKey: keys.server.publicKey, role: 'agent' as const, identity, ...change }
        const signature = signHello(keys.agent.signing.secretKey, facts)
        await socket.send(codec.encode(['hello', 'agent', identity, signature]))
        return ((await answerOf(socket)) as string[])[0]
      }
      assert.equal(await attempt({}), 'welcome')
      assert.equal(await attempt({ nonce: new Uint8Array(32) }), 'refused')
      assert.equal(await attempt({ serverKey: createCurvePair().publicKey }), 'refused')
      assert.equal(await attempt({ identity: identityOf('b') }), 'refused')
      assert.equal(await attempt({ role: 'operator' }), 'refused')
    })
  })

  describe('with a role', () => {
    it('a frame without the token of the connection ends it', async () => {
      const socket = rawDealer(keys.agent.curve)
      await socket.send(codec.encode(['connect', protocolVersion]))
      const [, nonce] = (await answerOf(socket)) as [string, Uint8Array]
      const identity = identityOf('a')
      const facts = { nonce, serverKey: keys.server.publicKey, role: 'agent' as const, identity }
      await socket.send(
        codec.encode(['hello', 'agent', identity, signHello(keys.agent.signing.secretKey, facts)]),
      )
      const { connection } = await peers.agent()
      const inbox = new Inbox(connection)
      await socket.send(codec.encode([new Uint8Array(16), 'message', { type: 'heartbeat' }]))
      assert.equal((await connection.closed).reason, 'lost')
      assert.deepEqual(inbox.messages, [])
      await assertServes()
    })

    it('garbage ends its own connection and no other', async () => {
      const other = await dialAs('operator').dialAsOperator(identityOf('o'))
      const operator = await peers.operator()
      const socket = rawDealer(keys.agent.curve)
      await socket.send(codec.encode(['connect', protocolVersion]))
      const [, nonce] = (await answerOf(socket)) as [string, Uint8Array]
      const identity = identityOf('a')
      const facts = { nonce, serverKey: keys.server.publicKey, role: 'agent' as const, identity }
      await socket.send(
        codec.encode(['hello', 'agent', identity, signHello(keys.agent.signing.secretKey, facts)]),
      )
      const { connection } = await peers.agent()
      await socket.send(Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]))
      assert.match((await connection.closed).message, /Refused here/)
      const inbox = new Inbox(operator.connection)
      other.send({ type: 'heartbeat' })
      assert.equal((await inbox.take(1)).length, 1)
    })

    it('several listeners in one process do not let in each other’s peers', async () => {
      const otherKeys = createKeys()
      const other = await listen({ host: '127.0.0.1', port: 0, keys: otherKeys })
      const otherPeers = new Peers(other)
      await dialer(parseJoin(formatJoin(otherKeys, 'agent', other.address))).dialAsAgent(identityOf('theirs'))
      assert.equal((await otherPeers.agent()).identity.id, 'theirs')

      // The other broker's public key with our role's pair: the door stays shut.
      const mixed = { ...keys, server: otherKeys.server }
      await assert.rejects(
        dialer(parseJoin(formatJoin(mixed, 'agent', other.address))).dialAsAgent(identityOf('x')),
        { code: 'CHANNEL_WRONG_KEY' },
      )
      await other.close()
      await assertServes()
    })
  })

  describe('and agents in other processes', () => {
    const children = childProcesses()

    async function forkAgent(close: boolean): Promise<ChildProcess> {
      const child = children.fork('agent-process.ts')
      child.send({ join: formatJoin(keys, 'agent', listener.address), close })
      await once(child, 'message')
      return child
    }

    it('notices a killed agent at once', async () => {
      const child = await forkAgent(false)
      const { connection } = await peers.agent()
      const inbox = new Inbox(connection)
      await inbox.take(1)
      child.kill('SIGKILL')
      // Not after ten seconds of silence.
      assert.deepEqual(await connection.closed, { reason: 'lost', message: 'The connection broke' })
    })

    it('is not held up by a frozen agent, whose share of memory is bounded', async () => {
      const child = await forkAgent(false)
      const frozen = await peers.agent()
      const near = await dialAs('agent').dialAsAgent(identityOf('other'))
      const other = await peers.agent()
      const inbox = new Inbox(near)
      child.kill('SIGSTOP')

      const bytes = new Uint8Array(1024 * 1024)
      let sent = 0
      while (sent < 200 && frozen.connection.backlog < 30) {
        frozen.connection.send({ type: 'bundle', runId: 'run', hash: '', last: false, bytes })
        other.connection.send({ type: 'ack', runId: 'run', number: sent })
        sent += 1
        await inbox.take(sent)
      }
      // All but a window waits here, where it is counted.
      assert.equal(frozen.connection.backlog, 30)
      assert.ok(sent <= 40, `${sent} MiB`)
      for (let i = 0; i < 100; i++)
        frozen.connection.send({ type: 'bundle', runId: 'run', hash: '', last: false, bytes })
      const ended = await frozen.connection.closed
      assert.equal(ended.reason, 'lost')
      assert.match(ended.message, /too slow/)
      await near.close()
    })

    it('lets a process end by itself that has closed its connection', async () => {
      const child = await forkAgent(true)
      const [code] = (await once(child, 'exit')) as [number]
      assert.equal(code, 0)
      const { connection } = await peers.agent()
      assert.equal((await connection.closed).reason, 'bye')
    })

    it('lets a process end by itself that has closed its listener', async () => {
      const script = `
        import { listen } from ${JSON.stringify(new URL('../../src/channels/zeromq-listener.ts', import.meta.url).href)}
        import { createKeys } from ${JSON.stringify(new URL('../../src/keys.ts', import.meta.url).href)}
        const listener = await listen({ host: '127.0.0.1', port: 0, keys: createKeys() })
        await listener.close()`
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
      children.keep(child)
      const [code] = (await once(child, 'exit')) as [number]
      assert.equal(code, 0)
    })
  })

  it('says where it cannot listen', async () => {
    const { port } = parseEndpoint(listener.address)!
    await assert.rejects(listen({ host: '127.0.0.1', port, keys }), {
      code: 'CHANNEL_BIND',
      address: listener.address,
    })
    await assert.rejects(listen({ host: 'no-such-name.invalid', port: 1, keys }), { code: 'CHANNEL_BIND' })
    await assertServes()
  })

  it('listens on IPv6', async function () {
    const other = await listen({ host: '::1', port: 0, keys }).catch(() => null)
    if (other === null) return this.skip()
    assert.match(other.address, /^\[::1\]:\d+$/)
    const otherPeers = new Peers(other)
    await dialer(parseJoin(formatJoin(keys, 'agent', other.address))).dialAsAgent(identityOf('six'))
    assert.equal((await otherPeers.agent()).identity.id, 'six')
    await other.close()
  })

  it('frees its port and can be opened again with the same keys', async () => {
    const { port } = parseEndpoint(listener.address)!
    await listener.close()
    listener = await listen({ host: '127.0.0.1', port, keys })
    peers = new Peers(listener)
    await assertServes()
  })
})
