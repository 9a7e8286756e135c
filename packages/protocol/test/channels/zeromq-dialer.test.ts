import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { dialer } from '../../src/channels/zeromq-dialer.ts'
import { listen } from '../../src/channels/zeromq-listener.ts'
import { parseEndpoint } from '../../src/endpoint.ts'
import { formatJoin, parseJoin } from '../../src/join.ts'
import { createKeys } from '../../src/keys.ts'
import type { BrokerKeys } from '../../src/keys.ts'
import { Inbox, identityOf, logLine } from '../channel-conformance.ts'
import { childProcesses } from './child-processes.ts'

describe('ZeroMQ dialer', () => {
  const keys = createKeys()
  const identity = identityOf('a')
  const dialTo = (address: string, with_: BrokerKeys = keys) =>
    dialer(parseJoin(formatJoin(with_, 'agent', address))).dialAsAgent(identity)

  async function serve(onConnect: (socket: Socket) => void): Promise<{ address: string; close(): void }> {
    const open = new Set<Socket>()
    const server = createServer((socket) => {
      open.add(socket)
      socket.on('error', () => {})
      onConnect(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      close() {
        for (const socket of open) socket.destroy()
        server.close()
      },
    }
  }

  it('says that nothing listens there', async () => {
    // A port that nobody is given, and nobody uses.
    const address = '127.0.0.1:1'
    await assert.rejects(dialTo(address), {
      code: 'CHANNEL_UNREACHABLE',
      address,
      message: /^Nothing listens at /,
    })
  })

  it('says that a name does not resolve', async () => {
    await assert.rejects(dialTo('no-such-name.invalid:7776'), { code: 'CHANNEL_UNREACHABLE' })
  })

  it("says that the broker's key is another one", async () => {
    const listener = await listen({ host: '127.0.0.1', port: 0, keys })
    await assert.rejects(dialTo(listener.address, createKeys()), { code: 'CHANNEL_WRONG_KEY' })
    await listener.close()
  })

  it('says that the broker got new role keys', async () => {
    const listener = await listen({ host: '127.0.0.1', port: 0, keys })
    await assert.rejects(dialTo(listener.address, { ...createKeys(), server: keys.server }), {
      code: 'CHANNEL_WRONG_KEY',
    })
    await listener.close()
  })

  it('says that a join string is for another role, here and at the broker', async () => {
    const listener = await listen({ host: '127.0.0.1', port: 0, keys })
    const join = parseJoin(formatJoin(keys, 'agent', listener.address))
    await assert.rejects(dialer(join).dialAsOperator(identity), { code: 'CHANNEL_WRONG_ROLE' })
    await assert.rejects(dialer({ ...join, role: 'operator' }).dialAsOperator(identity), {
      code: 'CHANNEL_WRONG_ROLE',
    })
    await listener.close()
  })

  it('says that what listens there is no broker', async () => {
    const web = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await assert.rejects(dialTo(web.address), { code: 'CHANNEL_WRONG_KEY' })
    web.close()
    const silent = await serve(() => {})
    const startedAt = performance.now()
    await assert.rejects(dialTo(silent.address), { code: 'CHANNEL_TIMEOUT' })
    const tookMs = performance.now() - startedAt
    assert.ok(tookMs > 4_500, `${tookMs} ms`)
    silent.close()
  })

  it('finds a broker by name, whichever family it listens on', async () => {
    const listener = await listen({ host: '127.0.0.1', port: 0, keys })
    const { port } = parseEndpoint(listener.address)!
    const connection = await dialTo(`localhost:${port}`)
    await connection.close()
    await listener.close()
  })

  describe('and a broker in another process', () => {
    const children = childProcesses()

    async function forkBroker(port: number): Promise<{ child: ChildProcess; address: string }> {
      const child = children.fork('broker-process.ts')
      child.send({ keys, port })
      const [{ address }] = (await once(child, 'message')) as [{ address: string }]
      return { child, address }
    }

    it('loses a killed broker at once, and dials the next one at the same address', async () => {
      const { child, address } = await forkBroker(0)
      const first = await dialTo(address)
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      const { reason, message } = await first.closed
      assert.equal(reason, 'lost')
      // Not after ten seconds of silence.
      assert.match(message, /^The connection to the broker at .* broke$/)
      await first.close()

      await exit
      await forkBroker(parseEndpoint(address)!.port)
      const second = await dialTo(address)
      const inbox = new Inbox(second)
      second.send(logLine('four'))
      assert.deepEqual(await inbox.take(1), [{ type: 'ack', runId: 'run', number: 4 }])
      await second.close()
    })

    it('loses a frozen broker after ten silent seconds', async () => {
      const { child, address } = await forkBroker(0)
      const startedAt = performance.now()
      const connection = await dialTo(address)
      child.kill('SIGSTOP')
      const { reason, message } = await connection.closed
      const tookMs = performance.now() - startedAt
      assert.equal(reason, 'lost')
      assert.match(message, /10 s/)
      assert.ok(tookMs > 9_900, `${tookMs} ms`)
    }).timeout(120_000)

    it('keeps an idle connection for longer than the silence that ends one', async () => {
      const { address } = await forkBroker(0)
      const connection = await dialTo(address)
      const inbox = new Inbox(connection)
      await delay(12_000)
      connection.send(logLine('still here'))
      assert.deepEqual(await inbox.take(1), [{ type: 'ack', runId: 'run', number: 10 }])
      await connection.close()
    }).timeout(120_000)

    it('is told the reason when the broker closes it', async () => {
      const { child, address } = await forkBroker(0)
      const connection = await dialTo(address)
      const report = once(child, 'message')
      connection.send({ type: 'stage-done', runId: 'run', stage: -1, units: 0 })
      assert.equal((await connection.closed).reason, 'refused')
      const [{ closed }] = (await report) as [{ closed: { reason: string; message: string } }]
      assert.equal(closed.reason, 'closed')
      assert.match(closed.message, /stage/)
    })
  })
})
