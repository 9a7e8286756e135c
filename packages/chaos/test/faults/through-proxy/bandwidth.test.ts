import assert from 'node:assert/strict'
import { Proxied } from '../../support/proxied.ts'
import { TcpBackend } from '../../support/tcp-backend.ts'

/** Sends so many bytes to everybody, and ends. */
function source(bytes: Buffer): Promise<TcpBackend> {
  return TcpBackend.start(({ socket }) => {
    socket.end(bytes)
  })
}

/** Of a machine that does nothing else for a while. */
const slackMs = 20_000

describe('bandwidth, through a proxy', () => {
  it('#12 480 KB at 1000 KB/s take 480 ms', async () => {
    const sent = Buffer.alloc(480_000, 'some bytes that are not all the same')
    await using proxied = await Proxied.start(await source(sent), [
      { type: 'bandwidth', attributes: { rate: 1000 } },
    ])
    const began = performance.now()
    const client = await proxied.connect()
    assert.equal(await client.ended(), 'end')
    const took = performance.now() - began
    assert.ok(took >= 480 && took < 480 + slackMs, `${took} ms`)
    assert.ok(sent.equals(client.bytes))
    assert.ok(client.chunks.length >= 8, `${client.chunks.length} pieces`)
    assert.equal(proxied.faults.length, 1)
  })

  for (const [rate, size] of [
    [1, 400],
    [100_000, 40_000_000],
    [200_000, 80_000_000],
  ] as const)
    it(`#12 is never faster than ${rate} KB/s, and not much slower`, async () => {
      await using proxied = await Proxied.start(await source(Buffer.alloc(size, 1)), [
        { type: 'bandwidth', attributes: { rate } },
      ])
      const began = performance.now()
      const client = await proxied.connect()
      assert.equal(await client.ended(), 'end')
      const took = performance.now() - began
      assert.equal(client.length, size)
      assert.ok(took >= size / rate && took < 20 * (size / rate) + slackMs, `${took} ms for ${size / rate}`)
    })

  it('is shared by all connections where its scope is the proxy', async () => {
    await using proxied = await Proxied.start(await source(Buffer.alloc(100_000, 1)), [
      { type: 'bandwidth', attributes: { rate: 1000, scope: 'proxy' } },
    ])
    const began = performance.now()
    const clients = await Promise.all([proxied.connect(), proxied.connect(), proxied.connect()])
    for (const client of clients) assert.equal(await client.ended(), 'end')
    const took = performance.now() - began
    assert.ok(took >= 300, `${took} ms`)
    assert.ok(clients.every(({ length }) => length === 100_000))
  })

  it('that is shared goes on when a connection that was served is gone', async () => {
    await using proxied = await Proxied.start(await source(Buffer.alloc(200_000, 1)), [
      { type: 'bandwidth', attributes: { rate: 500, scope: 'proxy' } },
    ])
    const clients = await Promise.all([proxied.connect(), proxied.connect(), proxied.connect()])
    for (const client of clients) await client.until(1)
    clients[0]!.socket.destroy()
    clients[1]!.socket.resetAndDestroy()
    assert.equal(await clients[2]!.ended(), 'end')
    assert.equal(clients[2]!.length, 200_000)
  })

  it('#12 of 0 stalls; removal with traffic to a dead sink is done at once', async () => {
    const flood = Buffer.alloc(256 * 1024, 1)
    const backend = await TcpBackend.start(({ socket }) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(flood));
      }
      socket.on('drain', more)
      more()
    })
    await using proxied = await Proxied.start(backend, [{ type: 'bandwidth', attributes: { rate: 0 } }])
    const client = await proxied.connect()
    const dead = await proxied.connect()
    dead.socket.pause()
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(client.length, 0)
    const before = performance.now()
    proxied.proxy.removeFault('bandwidth_downstream')
    const took = performance.now() - before
    assert.ok(took < slackMs, `${took} ms`)
    await client.until(4_000_000)
    const { held } = proxied.proxy.counters()
    assert.ok(held < 2 * 1024 * 1024, `${held} bytes held`)
  })
})
