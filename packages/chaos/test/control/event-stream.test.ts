import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { EventStream } from '../../src/control/event-stream.ts'

describe('event stream', () => {
  it('a reader that never reads is cut off when its time is up', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const [, response] = await once(server, 'request')
    const from = performance.now()
    let closed = 0
    const options = { sse: false, graceMs: 100, onClose: () => closed++ }
    const stream = new EventStream(response, options)
    const json = JSON.stringify({ text: 'x'.repeat(100_000) })
    // First the ways through the kernel fill, then what may be unread.
    while (closed === 0) {
      stream.send('fault', json)
      assert.ok(response.writableLength < 3_000_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // Timers count whole milliseconds.
    assert.ok(performance.now() - from >= 99)
    assert.ok(response.destroyed)
    assert.equal(closed, 1)
    socket.destroy()
    server.close()
  })
})
