import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { HttpProxied } from '../support/http-proxied.ts'
import { Peer } from '../support/peer.ts'
import { Proxied } from '../support/proxied.ts'
import { TcpBackend } from '../support/tcp-backend.ts'
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

  it('#16 limit_data: a slow reader gets all that may pass, however long it takes', async () => {
    const bytes = 8_000_000
    await using proxied = await Proxied.start(
      await TcpBackend.start(({ socket }) => void socket.write(Buffer.alloc(bytes + 1))),
      [{ type: 'limit_data', attributes: { bytes } }],
    )
    const client = await proxied.connect()
    client.socket.pause()
    await until(() => proxied.faults.length === 1 || client.length > 0 || proxied.proxy.counters().held > 0)
    let reads = 0
    while (client.ending === null && reads < 100) {
      // 200 KB a time: nothing comes at once, and something always.
      client.socket.resume()
      await Promise.race([once(client.socket, 'data'), client.ended()])
      client.socket.pause()
      await wait(client.length > bytes - 2_000_000 ? 200 : 5)
      reads++
    }
    client.socket.resume()
    await client.ended()
    assert.equal(client.length, bytes)
  }).timeout(60_000)

  it('one that never reads is cut all the same', async () => {
    await using proxied = await Proxied.start(
      await TcpBackend.start(({ socket }) => void socket.write(Buffer.alloc(20_000_000))),
      [{ type: 'limit_time', attributes: { time: 300 } }],
    )
    const client = await proxied.connect()
    client.socket.pause()
    await until(() => proxied.faults.length === 1)
    await until(() => proxied.proxy.counters().open === 0)
  }).timeout(20_000)
})

describe('waiting at the door', () => {
  it('counts from the start, though one of two delays is taken away', async () => {
    await using backend = await TcpBackend.start()
    const delay = (name: string, ms: number) => ({ type: 'connect_delay', name, attributes: { delay: ms } })
    await using watched = await WatchedProxy.start({
      backend: backend.address,
      faults: [delay('short', 100), delay('long', 1500)],
    })
    const client = await Peer.connect(watched.proxy.address)
    const began = performance.now()
    await wait(1400)
    watched.proxy.removeFault('short')
    await backend.next()
    const ms = performance.now() - began
    assert.ok(ms >= 1490 && ms < 2700, `${ms} ms`)
    client.socket.destroy()
  })
})
