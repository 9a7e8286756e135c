import assert from 'node:assert/strict'
import type { Peer } from '../../support/peer.ts'
import { Proxied } from '../../support/proxied.ts'
import { TcpBackend } from '../../support/tcp-backend.ts'

const message = Buffer.alloc(32 * 1024, 'a message of 32 KB; ')
/** Of a machine that does nothing else for a while. */
const slackMs = 20_000

interface Way {
  latency: number
  jitter?: number
}

/** When 32 KB that the client sends were all at the server, and back, in milliseconds. */
async function timesOf(upstream: Way[], downstream: Way[]): Promise<{ there: number; back: number }> {
  const requests = [
    ...upstream.map((attributes, at) => ({
      type: 'latency',
      name: `up${at}`,
      stream: 'upstream',
      attributes: { ...attributes },
    })),
    ...downstream.map((attributes, at) => ({
      type: 'latency',
      name: `down${at}`,
      attributes: { ...attributes },
    })),
  ]
  await using proxied = await Proxied.echo(requests)
  const client = await proxied.connect()
  const began = performance.now()
  client.write(message)
  const server = await proxied.backend.next()
  await server.until(message.length)
  const there = performance.now() - began
  assert.ok(message.equals(await client.until(message.length)))
  assert.deepEqual(
    proxied.faults.map(({ rule }) => rule).toSorted(),
    requests.map(({ name }) => name).toSorted(),
  )
  return { there, back: performance.now() - began }
}

function leastOf(ways: Way[]): number {
  return ways.reduce((sum, { latency, jitter = 0 }) => sum + Math.max(0, latency - jitter), 0)
}

describe('latency, through a proxy', () => {
  for (const [title, up, down] of [
    ['upstream', [{ latency: 100 }], []],
    ['downstream', [], [{ latency: 100 }]],
    ['in both directions', [{ latency: 100 }], [{ latency: 100 }]],
    ['with jitter', [{ latency: 1000, jitter: 100 }], [{ latency: 200, jitter: 50 }]],
    ['of 0', [{ latency: 0 }], [{ latency: 0 }]],
    ['twice, which adds up', [], [{ latency: 500 }, { latency: 500 }]],
  ] as [string, Way[], Way[]][])
    it(`#11 ${title}`, async () => {
      const { there, back } = await timesOf(up, down)
      const least = leastOf(up)
      assert.ok(there >= least && there < least + 200 + slackMs, `${there} ms there`)
      assert.ok(back >= least + leastOf(down) && back < least + leastOf(down) + 400 + slackMs, `${back} ms`)
    })

  it('#11 keeps the speed: 96 MiB over 100 ms', async function () {
    this.timeout(120_000)
    const size = 96 * 1024 * 1024
    const block = Buffer.alloc(1024 * 1024, 7)
    const backend = await TcpBackend.start(async ({ socket }) => {
      for (let sent = 0; sent < size; sent += block.length)
        if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve))
      socket.end()
    })
    await using proxied = await Proxied.start(backend, [{ type: 'latency', attributes: { latency: 100 } }])
    const began = performance.now()
    const client = await proxied.connect()
    let most = 0
    client.socket.on('data', () => {
      most = Math.max(most, proxied.proxy.counters().held)
    })
    assert.equal(await client.ended(), 'end')
    assert.equal(client.length, size)
    const took = performance.now() - began
    // Piece by piece, 64 KiB each 100 ms, it would take two and a half minutes.
    assert.ok(took >= 100 && took < 75_000, `${took} ms`)
    assert.ok(most > 256 * 1024 && most < 17 * 1024 * 1024, `${most} bytes held`)
  })

  it('#11 can be added, and removed, 1000 times while connections come and go', async function () {
    this.timeout(120_000)
    await using proxied = await Proxied.echo()
    for (let round = 0; round < 1000; round++) {
      proxied.proxy.addFault({ type: 'latency', attributes: { latency: 10 } })
      const client = await proxied.connect()
      client.socket.destroy()
      proxied.proxy.removeFault('latency_downstream')
    }
    const client = await proxied.connect()
    client.write('still there')
    await client.until(11)
    assert.equal(client.text, 'still there')
  })

  it('delays the end of a half-closed connection no further than its bytes', async () => {
    await using proxied = await Proxied.echo([
      { type: 'latency', stream: 'upstream', attributes: { latency: 200 } },
    ])
    const client = await proxied.connect()
    const began = performance.now()
    client.write('abc')
    client.end()
    assert.equal(await client.ended(), 'end')
    assert.equal(client.text, 'abc')
    assert.ok(performance.now() - began >= 200)
  })

  it('#17 65,535 numbered writes of 2 bytes arrive in order while it is added and removed, then the end', async () => {
    const backend = await TcpBackend.start()
    await using proxied = await Proxied.start(backend)
    const { client, server } = await proxied.pair()
    const { proxy } = proxied
    let isOver = false
    let changes = 0
    const change = (): void => {
      if (isOver) return
      if (changes++ % 2 === 0)
        proxy.addFault({
          type: 'latency',
          stream: 'upstream',
          attributes: { latency: changes % 12, jitter: 3 },
        })
      else proxy.removeFault('latency_upstream')
      setImmediate(change)
    }
    change()
    const number = Buffer.alloc(2)
    for (let value = 0; value < 65_535; value++) {
      number.writeUInt16BE(value)
      if (!client.socket.write(Buffer.from(number)))
        await new Promise((resolve) => client.socket.once('drain', resolve))
      if (value % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    client.end()
    assert.equal(await server.ended(), 'end')
    isOver = true
    const got = server.bytes
    assert.equal(got.length, 2 * 65_535)
    for (let value = 0; value < 65_535; value++) assert.equal(got.readUInt16BE(2 * value), value)
    assert.ok(changes > 500, `${changes} changes`)
  })

  it('#17 100 echoes while noops come and go', async () => {
    await using proxied = await Proxied.echo()
    const client = await proxied.connect()
    for (let round = 1; round <= 100; round++) {
      const stream = round % 3 === 0 ? 'upstream' : 'downstream'
      proxied.proxy.addFault({ type: 'noop', stream })
      client.write('ping')
      await client.until(4 * round)
      proxied.proxy.removeFault(`noop_${stream}`)
    }
    assert.equal(client.text, 'ping'.repeat(100))
    assert.equal(client.ending, null)
  })

  it('is removed at once while data waits', async () => {
    await using proxied = await Proxied.echo([{ type: 'latency', attributes: { latency: 3_600_000 } }])
    const peers: Peer[] = []
    for (let each = 0; each < 10; each++) peers.push(await proxied.connect())
    for (const peer of peers) peer.write('abc')
    for (const _ of peers) await (await proxied.backend.next()).until(3)
    proxied.proxy.removeFault('latency_downstream')
    for (const peer of peers) {
      await peer.until(3)
      assert.equal(peer.text, 'abc')
      peer.socket.destroy()
    }
  })
})
