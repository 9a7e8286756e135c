import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Control } from '../support/control.ts'

const connections = 1000
/** What is asked for is 50 ms on a free core; the machine of a test may be busy, and for a while do nothing at all. */
const usualMs = 2000
const slowestMs = 30_000

describe('control with stalled connections', () => {
  it(`#32 answers with ${connections} of them, sinks that are dead and buffers that are full; memory is bounded`, async function () {
    this.timeout(120_000)
    const sinks = new Set<Socket>()
    // Accepts, and never reads.
    const sink = createServer({ pauseOnConnect: true }, (socket) => {
      sinks.add(socket)
      socket.on('error', () => {})
    })
    sink.listen(0, '127.0.0.1', 2000)
    await once(sink, 'listening')
    await using control = await Control.start()
    const backend = `127.0.0.1:${(sink.address() as AddressInfo).port}`
    const proxy = await control.proxies.create({ name: 'p', backend })
    const before = process.memoryUsage()
    const clients: Socket[] = []
    const chunk = Buffer.alloc(65_536)
    try {
      for (let at = 0; at < connections; at++) {
        const socket = connect(proxy.address)
        socket.on('error', () => {})
        clients.push(socket)
        // Fills the way to the sink; one buffer of the client serves them all.
        socket.on('connect', () => socket.write(chunk))
        if (at % 100 === 99) await once(socket, 'connect')
      }
      while (proxy.counters().open < connections || sinks.size < connections)
        await new Promise((resolve) => setTimeout(resolve, 10))
      // A few of them really are full: what they send comes no further.
      const full = clients.slice(0, 20)
      for (const socket of full) while (socket.write(chunk) && socket.writableLength < 4_194_304);
      for (const socket of full) for (let at = 0; at < 100; at++) socket.write(chunk)

      // Until nothing moves any more.
      for (let seen = -1; seen !== proxy.counters().received.upstream;) {
        seen = proxy.counters().received.upstream
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      assert.equal((await control.call('GET', '/version')).status, 200)

      const times: number[] = []
      const timed = async (method: string, path: string, body?: unknown) => {
        const from = performance.now()
        const { status } = await control.call(method, path, body)
        times.push(performance.now() - from)
        return status
      }
      for (let round = 0; round < 5; round++) {
        assert.equal(await timed('GET', '/proxies'), 200)
        for (const stream of ['upstream', 'downstream'])
          assert.equal(
            await timed('POST', '/proxies/p/toxics', {
              type: 'latency',
              stream,
              attributes: { latency: 50 },
            }),
            200,
          )
        assert.equal(await timed('POST', '/proxies/p/toxics', { type: 'bandwidth', stream: 'upstream' }), 200)
        assert.equal(
          await timed('POST', '/proxies/p/toxics/latency_upstream', { attributes: { latency: 5 } }),
          200,
        )
        for (const toxic of ['latency_upstream', 'bandwidth_upstream', 'latency_downstream'])
          assert.equal(await timed('DELETE', `/proxies/p/toxics/${toxic}`), 204)
        assert.equal(await timed('GET', '/metrics'), 200)
      }
      assert.equal(await timed('POST', '/proxies/p', { enabled: false }), 200)
      const sorted = times.toSorted((a, b) => a - b)
      const median = sorted[times.length >> 1]!
      assert.ok(median < usualMs, `${median} ms`)
      assert.ok(sorted.at(-1)! < slowestMs, `${sorted.at(-1)} ms`)
      const grown = process.memoryUsage().rss - before.rss
      assert.ok(grown < 700 * 1_048_576, `${grown} bytes`)
      console.log(
        `      control answers with ${connections} stalled connections: median ${median.toFixed(1)} ms, ` +
          `slowest ${sorted.at(-1)!.toFixed(1)} ms; memory grew by ${Math.round(grown / 1_048_576)} MiB, with both ends in this process`,
      )
    } finally {
      for (const socket of [...clients, ...sinks]) socket.destroy()
      sink.close()
    }
  })
})
