import assert from 'node:assert/strict'
import { once } from 'node:events'
import { startProxy } from '../../src/proxy/proxy.ts'
import { BlackHole } from '../support/black-hole.ts'
import { Peer } from '../support/peer.ts'
import { TcpBackend } from '../support/tcp-backend.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

describe('dialling', () => {
  it('#30 a dial that is never answered holds up nobody: not the next client, not disabling', async () => {
    await using hole = await BlackHole.open()
    await using backend = await TcpBackend.echo()
    await using watched = await WatchedProxy.start({ backend: hole.address })
    const { proxy } = watched
    const waiting = await Promise.all(Array.from({ length: 5 }, () => Peer.connect(proxy.address)))
    for (const client of waiting) client.write('hello?')
    const before = performance.now()
    await proxy.disable()
    const took = performance.now() - before
    // Far below the 30 s of a dial; at once where the machine is idle.
    assert.ok(took < 20_000, `${took} ms`)
    for (const client of waiting) await client.ended()
    assert.equal(proxy.counters().open, 0)
    await proxy.update({ backend: backend.address, enabled: true })
    const client = await Peer.connect(proxy.address)
    client.write('hello')
    assert.equal((await client.until(5)).toString(), 'hello')
    client.socket.destroy()
  })

  it('#30 changes of faults, and closing, do not wait for a dial', async () => {
    await using hole = await BlackHole.open()
    const proxy = await startProxy({ backend: hole.address })
    const client = await Peer.connect(proxy.address)
    proxy.addFault({ type: 'latency', attributes: { latency: 100 } })
    proxy.updateFault('latency_downstream', { attributes: { latency: 200 } })
    proxy.removeFault('latency_downstream')
    const before = performance.now()
    await proxy.close()
    assert.ok(performance.now() - before < 20_000)
    await client.ended()
  })

  it('gives up after the time that was given', async () => {
    await using hole = await BlackHole.open()
    await using watched = await WatchedProxy.start({ backend: hole.address, dialTimeoutMs: 300 })
    const before = performance.now()
    const client = await Peer.connect(watched.proxy.address)
    assert.equal(await client.ended(), 'end')
    assert.ok(performance.now() - before >= 300)
    client.socket.destroy()
    const dial = watched.events.find((event) => event.type === 'dial')
    assert.ok(dial?.type === 'dial')
    assert.equal(dial.error, 'ETIMEDOUT')
    assert.ok(dial.ms >= 300, `${dial.ms}`)
  })

  it('forgets a client that resets its connection while its backend is dialled', async () => {
    await using hole = await BlackHole.open()
    await using watched = await WatchedProxy.start({ backend: hole.address })
    const closed = new Promise<string>((resolve) => {
      watched.proxy.events.listen((event) => {
        if (event.type === 'close') resolve(event.cause)
      })
    })
    const client = await Peer.connect(watched.proxy.address)
    client.socket.resetAndDestroy()
    assert.equal(await closed, 'client-error')
    assert.equal(watched.proxy.counters().open, 0)
  })

  it('reads no more than a buffer of a client before its backend is there', async () => {
    await using hole = await BlackHole.open()
    await using proxy = await startProxy({ backend: hole.address })
    const client = await Peer.connect(proxy.address)
    const piece = Buffer.alloc(1 << 20)
    // The kernel's buffers fill, and then it is the client who waits.
    let sent = 0
    while (client.socket.write(piece)) sent++
    for (let count = 0; count < 64; count++) client.socket.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.ok(client.socket.writableLength > 0, `${sent}`)
    assert.ok(proxy.counters().held <= 65_536, `${proxy.counters().held}`)
    client.socket.destroy()
    await once(client.socket, 'close')
  })
})
