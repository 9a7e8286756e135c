import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { startProxy } from '../../src/proxy/proxy.ts'
import { randomOf } from '../../src/random.ts'
import { freePort } from '../support/free-port.ts'
import { Peer } from '../support/peer.ts'
import { Proxied } from '../support/proxied.ts'
import { TcpBackend } from '../support/tcp-backend.ts'
import { WatchedProxy } from '../support/watched-proxy.ts'

describe('bytes through a proxy without faults', () => {
  it('#1 passes a small message, 64 KiB, two writes, and the end', async () => {
    await using proxied = await Proxied.echo()
    for (const parts of [['hello'], ['x'.repeat(65_536)], ['one ', 'two']]) {
      const client = await proxied.connect()
      for (const part of parts) client.write(part)
      client.end()
      assert.equal(await client.ended(), 'end')
      assert.equal(client.text, parts.join(''))
    }
  })

  it('#1 passes 30 MB of random bytes both ways at once, unchanged', async () => {
    await using proxied = await Proxied.echo()
    const client = await proxied.connect()
    const piece = randomOf('bytes').bytes(997_001)
    const sent = createHash('sha256')
    for (let count = 0; count < 30; count++) {
      client.write(piece)
      sent.update(piece)
    }
    client.end()
    await client.ended()
    assert.equal(createHash('sha256').update(client.bytes).digest('hex'), sent.digest('hex'))
    const { received, sent: handed } = proxied.proxy.counters()
    assert.deepEqual(received, { upstream: 30 * 997_001, downstream: 30 * 997_001 })
    assert.deepEqual(handed, received)
  })

  it('passes writes of every size around those of its buffers', async () => {
    await using proxied = await Proxied.echo()
    const client = await proxied.connect()
    const random = randomOf('sizes')
    const all: Buffer[] = []
    let length = 0
    for (const size of [1, 2047, 2048, 2049, 4096, 65_535, 65_536, 65_537, 131_072, 3, 2048, 1]) {
      const bytes = random.bytes(size)
      all.push(bytes)
      length += size
      client.write(bytes)
      await client.until(length)
    }
    assert.ok(client.bytes.equals(Buffer.concat(all)))
  })

  it('keeps the bytes of many connections apart', async () => {
    await using proxied = await Proxied.echo()
    await Promise.all(
      Array.from({ length: 100 }, async (_, number) => {
        const client = await proxied.connect()
        const bytes = randomOf('connection', number).bytes(50_000)
        for (let at = 0; at < bytes.length; at += 5000) client.write(bytes.subarray(at, at + 5000))
        client.end()
        await client.ended()
        assert.ok(client.bytes.equals(bytes), `connection ${number}`)
      }),
    )
  })

  it('#2 ends a client when the backend refuses, and says why', async () => {
    await using watched = await WatchedProxy.start({ backend: `127.0.0.1:${await freePort()}` })
    const client = await Peer.connect(watched.proxy.address)
    const began = performance.now()
    assert.equal(await client.ended(), 'end')
    // Far below the 30 s of a dial.
    assert.ok(performance.now() - began < 20_000)
    client.socket.destroy()
    const dial = watched.events.find(({ type }) => type === 'dial')
    assert.equal(dial?.type === 'dial' ? dial.error : undefined, 'ECONNREFUSED')
    assert.equal(watched.proxy.counters().dialErrors, 1)
  })

  it('#5 answers 100 echoes of one connection without waiting for a timer', async () => {
    await using proxied = await Proxied.echo()
    const client = await proxied.connect()
    const tookMs: number[] = []
    for (let count = 1; count <= 100; count++) {
      const began = performance.now()
      client.write('x')
      await client.until(count)
      tookMs.push(performance.now() - began)
    }
    // Of an acknowledgement that is put off each would take 40 ms. A busy machine holds up some, but not most of them.
    const median = tookMs.sort((a, b) => a - b)[50]!
    assert.ok(median < 20, `${median} ms`)
  })

  it('#28 #27 passes on how the other side went: a reset as a reset, an end as an end', async () => {
    const backend = await TcpBackend.start()
    await using proxied = await Proxied.start(backend)
    const first = await proxied.pair()
    first.server.write('hello')
    await first.client.until(5)
    first.server.socket.resetAndDestroy()
    assert.equal(await first.client.ended(), 'ECONNRESET')
    const second = await proxied.pair()
    second.client.write('x')
    await second.server.until(1)
    second.client.socket.resetAndDestroy()
    assert.equal(await second.server.ended(), 'ECONNRESET')
    const third = await proxied.pair()
    third.server.end()
    assert.equal(await third.client.ended(), 'end')
  })

  it('#29 lets a client end its side and still have the whole reply', async () => {
    const reply = 'r'.repeat(500_000)
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.resume()
      socket.on('end', () => socket.end(reply))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await using proxy = await startProxy({ backend: `127.0.0.1:${port}` })
    const client = await Peer.connect(proxy.address)
    client.write('request')
    client.end()
    assert.equal(await client.ended(), 'end')
    assert.equal(client.text, reply)
    server.close()
  })

  it('#29 lets a backend end its side and still have all that the client sends', async () => {
    const backend = await TcpBackend.start()
    await using proxied = await Proxied.start(backend)
    const { client, server } = await proxied.pair()
    server.end()
    assert.equal(await client.ended(), 'end')
    client.write('still here')
    client.end()
    assert.equal((await server.until(10)).toString(), 'still here')
    assert.equal(await server.ended(), 'end')
  })

  it('serves a client that sends and ends before the backend is there', async () => {
    await using proxied = await Proxied.echo()
    const { host, port } = proxied.proxy.address
    const socket = connect({ host, port, allowHalfOpen: true })
    socket.end('early')
    const client = new Peer(socket)
    assert.equal(await client.ended(), 'end')
    assert.equal(client.text, 'early')
  })
})
