import assert from 'node:assert/strict'
import { Proxied } from '../../support/proxied.ts'
import { TcpBackend } from '../../support/tcp-backend.ts'

const mebibyte = 1024 * 1024

/** Faults that pass everything in the end, and the most that each may hold. */
const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, number])[] = [
  ['noop', {}, mebibyte],
  ['latency', { latency: 20 }, 17 * mebibyte],
  ['bandwidth', { rate: 400_000 }, 9 * mebibyte],
  ['slicer', { average_size: 4096 }, mebibyte],
  ['loss', { rate: 0.001, rto: 5 }, mebibyte],
  ['slow_close', { delay: 10 }, mebibyte],
  ['limit_data', { bytes: 1e12 }, mebibyte],
  ['limit_time', { time: '1h' }, mebibyte],
  ['corrupt', { offset: 1e12 }, mebibyte],
]

describe('a reader that does not read', () => {
  for (const [type, attributes, most] of cases)
    it(`#37 ${type}: the writer has to wait, memory stays bounded, and nothing is lost`, async () => {
      const total = 64 * mebibyte
      const block = Buffer.alloc(mebibyte, 5)
      let written = 0
      const backend = await TcpBackend.start(async ({ socket }) => {
        while (written < total) {
          written += block.length
          if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve))
        }
        socket.end()
      })
      await using proxied = await Proxied.start(backend, [{ type, attributes }])
      const client = await proxied.connect()
      client.socket.pause()
      // The writer is stuck when it gets no further for a while.
      for (let before = -1; before !== written;) {
        before = written
        await new Promise((resolve) => setTimeout(resolve, 300))
      }
      const { held } = proxied.proxy.counters()
      assert.ok(held <= most, `${held} bytes held`)
      assert.ok(written < total, 'the writer did not have to wait')
      client.socket.resume()
      assert.equal(await client.ended(), 'end')
      assert.equal(client.length, total)
    })

  it('#37 reset_peer holds little of what never arrives', async () => {
    const backend = await TcpBackend.start(({ socket }) => {
      socket.write(Buffer.alloc(64 * mebibyte))
    })
    await using proxied = await Proxied.start(backend, [{ type: 'reset_peer', attributes: { timeout: 600 } }])
    const client = await proxied.connect()
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, proxied.proxy.counters().held)), 20)
    assert.equal(await client.ended(), 'ECONNRESET')
    clearInterval(watch)
    assert.ok(most > 0 && most < mebibyte, `${most} bytes held`)
  })
})
