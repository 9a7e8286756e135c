import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FaultRequest } from '../../src/rules/rule.ts'
import type { Peer } from '../support/peer.ts'
import { Proxied } from '../support/proxied.ts'
import { TcpBackend } from '../support/tcp-backend.ts'

const megabyte = Buffer.alloc(1 << 20, 'm')

/** Writes until nothing moves any more. @returns bytes that were taken */
async function fill(socket: Socket): Promise<number> {
  let written = 0
  let before = -1
  while (socket.bytesWritten - socket.writableLength !== before || socket.writableLength === 0) {
    before = socket.bytesWritten - socket.writableLength
    if (socket.writableLength < megabyte.length) {
      socket.write(megabyte)
      written += megabyte.length
    }
    await delay(150)
    if (written > 512 * megabyte.length) throw new Error('there is no back-pressure')
  }
  return socket.bytesWritten - socket.writableLength
}

/** Faults that hold or slow bytes, each in the way of a reader that does not read. */
const stages: readonly FaultRequest[] = [
  { type: 'noop' },
  { type: 'latency', attributes: { latency: 20 } },
  { type: 'bandwidth', attributes: { rate: 100_000 } },
  { type: 'slicer', attributes: { average_size: 10_000, size_variation: 100, delay: 0 } },
  { type: 'limit_data', attributes: { bytes: 2_000_000_000 } },
  { type: 'slow_close', attributes: { delay: 10 } },
  { type: 'corrupt', attributes: { rate: 0.001 } },
]

describe('back-pressure', () => {
  for (const direction of ['upstream', 'downstream'] as const)
    it(`#37 reaches who writes ${direction}, and lets go when the reader reads`, async () => {
      await using proxied = await Proxied.start(await TcpBackend.start())
      const { client, server } = await proxied.pair()
      const [writer, reader]: Peer[] = direction === 'upstream' ? [client, server] : [server, client]
      reader!.socket.pause()
      await fill(writer!.socket)
      const { held } = proxied.proxy.counters()
      assert.ok(held <= 4 * 65_536, `${held} held`)
      writer!.end()
      reader!.socket.resume()
      await reader!.ended()
      assert.equal(reader!.length, writer!.socket.bytesWritten)
      assert.equal(proxied.proxy.counters().held, 0)
    })

  for (const fault of stages)
    it(`#37 passes through ${fault.type}: what is held is bounded, and all of it arrives`, async () => {
      await using proxied = await Proxied.start(await TcpBackend.start(), [fault], { maxHeldBytes: 1 << 20 })
      const { client, server } = await proxied.pair()
      client.socket.pause()
      await fill(server.socket)
      const { held } = proxied.proxy.counters()
      // One piece may come on top of the bound, and one that the client's socket was given.
      assert.ok(held <= (1 << 20) + 4 * 65_536, `${held} held`)
      server.end()
      client.socket.resume()
      await client.ended()
      assert.equal(client.length, server.socket.bytesWritten)
    })

  it('#12 faults are removed at once, with traffic to a dead sink', async () => {
    await using proxied = await Proxied.start(await TcpBackend.start(), [
      { type: 'bandwidth', attributes: { rate: 0 } },
      { type: 'latency', attributes: { latency: 1000 } },
      { type: 'slicer', attributes: { average_size: 100, delay: 1000 } },
    ])
    const { client, server } = await proxied.pair()
    client.socket.pause()
    await fill(server.socket)
    const before = performance.now()
    for (const { name } of proxied.proxy.rules.all()) proxied.proxy.removeFault(name)
    const took = performance.now() - before
    // Whoever waited for the sink would wait for good.
    assert.ok(took < 20_000, `${took} ms`)
    client.socket.resume()
    server.end()
    await client.ended()
    assert.equal(client.length, server.socket.bytesWritten)
  })

  it('#32 a proxy with a thousand stalled connections changes its faults and serves others', async function () {
    this.timeout(300_000)
    await using proxied = await Proxied.start(await TcpBackend.start())
    const stalled: Peer[] = []
    for (let count = 0; count < 1000; count++) {
      const { client, server } = await proxied.pair()
      client.socket.pause()
      server.write(megabyte)
      stalled.push(client)
    }
    const before = performance.now()
    proxied.proxy.addFault({ type: 'latency', attributes: { latency: 1 } })
    proxied.proxy.updateFault('latency_downstream', { attributes: { latency: 2 } })
    proxied.proxy.counters()
    proxied.proxy.removeFault('latency_downstream')
    const took = performance.now() - before
    // Whoever waited for those that are stalled would wait for good.
    assert.ok(took < 20_000, `${took} ms`)
    const { client, server } = await proxied.pair()
    server.write('hello')
    assert.equal((await client.until(5)).toString(), 'hello')
    assert.ok(proxied.proxy.counters().held <= 1001 * 2 * 65_536)
    const disabling = performance.now()
    await proxied.proxy.disable()
    assert.ok(performance.now() - disabling < 30_000)
    assert.equal(proxied.proxy.counters().held, 0)
    for (const { socket } of stalled) if (!socket.destroyed) socket.resume()
  })

  it('lives through clients that come, send and vanish in any order', async () => {
    await using proxied = await Proxied.echo()
    await Promise.all(
      Array.from({ length: 200 }, async (_, number) => {
        const { socket } = await proxied.connect()
        socket.write(megabyte.subarray(0, number * 1000))
        if (number % 3 === 0) socket.resetAndDestroy()
        else if (number % 3 === 1) socket.destroy()
        else socket.end()
        if (!socket.closed) await once(socket, 'close').catch(() => {})
      }),
    )
    const client = await proxied.connect()
    client.write('alive')
    assert.equal((await client.until(5)).toString(), 'alive')
  })
})
