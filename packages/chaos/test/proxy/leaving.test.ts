import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { MemoryBudget } from '../../src/proxy/memory-budget.ts'
import { Side } from '../../src/proxy/side.ts'
import { HttpProxied } from '../support/http-proxied.ts'
import { Peer } from '../support/peer.ts'
import { TcpBackend } from '../support/tcp-backend.ts'
import { turnsUntil } from '../support/turns.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

/** Until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await wait(5)
}

describe('who leaves', () => {
  it('is let go, also where the end that a fault makes vanishes in a black hole', async () => {
    await using proxied = await HttpProxied.start({
      faults: [{ type: 'blackout' }, { type: 'blackhole', stream: 'downstream' }],
    })
    const client = await Peer.connect(proxied.proxy.address)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => proxied.faults.some(({ fault }) => fault === 'blackout'))
    client.end()
    await until(() => proxied.proxy.counters().open === 0)
  })

  it('gets all that was written before the end, although slow', async () => {
    const bytes = 20_000_000
    await using backend = await TcpBackend.start()
    const port = Number(backend.address.split(':')[1])
    const { side, socket } = Side.dialled('127.0.0.1', port, new MemoryBudget(bytes))
    await once(socket, 'connect')
    const reader = await backend.next()
    reader.socket.pause()
    side.write(Buffer.alloc(bytes))
    assert.ok(side.waiting > 0)
    side.finish(300)
    await wait(700)
    reader.socket.resume()
    await reader.ended()
    assert.equal(reader.length, bytes)
  })

  it('is cut all the same when it never reads', async () => {
    await using backend = await TcpBackend.start()
    const port = Number(backend.address.split(':')[1])
    const { side, socket } = Side.dialled('127.0.0.1', port, new MemoryBudget(1))
    await once(socket, 'connect')
    const reader = await backend.next()
    reader.socket.pause()
    side.write(Buffer.alloc(20_000_000))
    side.finish(20)
    await once(socket, 'close')
    assert.ok(reader.length < 20_000_000)
  })
})

describe('waiting at the door', () => {
  it('counts from the start, though one of two delays is taken away', async () => {
    await using backend = await TcpBackend.start()
    const delay = (name: string, ms: number) => ({ type: 'connect_delay', name, attributes: { delay: ms } })
    await using watched = await WatchedProxy.start({
      backend: backend.address,
      faults: [delay('short', 100), delay('long', 1500)],
    })
    const began = performance.now()
    const client = await Peer.connect(watched.proxy.address)
    await until(() => watched.proxy.counters().accepted === 1)
    const long = wait(1500)
    await wait(1400)
    watched.proxy.removeFault('short')
    const reached = backend.next()
    await long
    const turns = await turnsUntil(reached)
    const ms = performance.now() - began
    assert.ok(ms >= 1500, `${ms} ms`)
    // Counted from the change, the long one would last 1,400 ms longer.
    assert.ok(turns < 100, `${turns} turns`)
    client.socket.destroy()
  })
})
