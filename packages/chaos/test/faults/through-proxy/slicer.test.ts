import assert from 'node:assert/strict'
import { Proxied } from '../../support/proxied.ts'
import { TcpBackend } from '../../support/tcp-backend.ts'

describe('slicer, through a proxy', () => {
  it('#15 cuts 480 KB into pieces of 1024 bytes, 512 less or more', async () => {
    const sent = Buffer.alloc(480_000, 'some bytes that are not all the same')
    const backend = await TcpBackend.start(({ socket }) => {
      socket.end(sent)
    })
    // With a pause, so that the client can see pieces that TCP would put together.
    await using proxied = await Proxied.start(backend, [
      { type: 'slicer', attributes: { average_size: 1024, size_variation: 512, delay: 1500 } },
    ])
    const began = performance.now()
    const client = await proxied.connect()
    // However the pieces are put together on their way, none comes before its time.
    let ahead = 0
    client.socket.on('data', () => {
      const pieces = 1 + (performance.now() - began) / 1.5
      ahead = Math.max(ahead, client.length - 1536 * pieces)
    })
    assert.equal(await client.ended(), 'end')
    assert.ok(sent.equals(client.bytes))
    assert.ok(performance.now() - began >= 1.5 * (480_000 / 1536 - 1))
    assert.equal(ahead, 0, `${ahead} bytes too early`)
    assert.ok(client.chunks.length <= 720, `${client.chunks.length} pieces`)
  })

  it('#15 cuts 24 bytes into 24 pieces', async () => {
    await using proxied = await Proxied.echo([
      { type: 'slicer', attributes: { average_size: 1, size_variation: 0, delay: 20_000 } },
    ])
    const client = await proxied.connect()
    const began = performance.now()
    let ahead = 0
    client.socket.on('data', () => {
      ahead = Math.max(ahead, client.length - 1 - (performance.now() - began) / 20)
    })
    client.write('abcdefghijklmnopqrstuvwx')
    await client.until(24)
    assert.ok(performance.now() - began >= 23 * 20)
    assert.equal(client.text, 'abcdefghijklmnopqrstuvwx')
    assert.equal(ahead, 0, `${ahead} bytes too early`)
    assert.ok(client.chunks.length <= 24, `${client.chunks.length} pieces`)
    assert.equal(proxied.faults.length, 1)
  })
})
