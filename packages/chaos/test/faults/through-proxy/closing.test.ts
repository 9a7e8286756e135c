import assert from 'node:assert/strict'
import { Proxied } from '../../support/proxied.ts'
import { TcpBackend } from '../../support/tcp-backend.ts'
import type { Peer } from '../../support/peer.ts'

async function echoes(client: Peer, text: string): Promise<void> {
  const before = client.length
  client.write(text)
  await client.until(before + text.length)
  assert.equal(client.text.slice(before), text)
}

describe('faults that close, through a proxy', () => {
  it('#13 timeout: toxicity 0 lets bytes pass; toxicity 1 ends both sides after its time', async () => {
    await using proxied = await Proxied.echo([
      { type: 'timeout', stream: 'upstream', toxicity: 0, attributes: { timeout: 100 } },
    ])
    const client = await proxied.connect()
    await echoes(client, 'passes')
    const server = await proxied.backend.next()
    const began = performance.now()
    proxied.proxy.updateFault('timeout_upstream', { toxicity: 1 })
    client.write('dropped')
    assert.equal(await client.ended(), 'end')
    assert.ok(performance.now() - began >= 100)
    assert.equal(await server.ended(), 'end')
    assert.equal(server.text, 'passes')
    assert.equal(client.text, 'passes')
    assert.equal(proxied.faults.length, 1)
  })

  it('#13 a latency before a timeout of 0 can be removed while data waits', async () => {
    await using proxied = await Proxied.echo([
      { type: 'latency', stream: 'upstream', attributes: { latency: 1000 } },
      { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } },
    ])
    const { client, server } = await proxied.pair()
    client.write('waits')
    await new Promise((resolve) => setTimeout(resolve, 50))
    proxied.proxy.removeFault('latency_upstream')
    assert.equal(client.ending, null)
    proxied.proxy.removeFault('timeout_upstream')
    assert.equal(await client.ended(), 'end')
    assert.equal(await server.ended(), 'end')
    assert.equal(server.length, 0)
  })

  it('#33 timeout never closes a connection that talks; limit_time does', async () => {
    await using proxied = await Proxied.echo([
      { type: 'timeout', stream: 'upstream', attributes: { timeout: 2000 } },
      { type: 'limit_time', attributes: { time: 3000 } },
    ])
    const began = performance.now()
    const { client, server } = await proxied.pair()
    let silence = 0
    let last = performance.now()
    const heard = (): void => {
      silence = Math.max(silence, performance.now() - last)
      last = performance.now()
    }
    const talk = setInterval(() => {
      heard()
      client.write('talk')
    }, 20)
    try {
      assert.equal(await client.ended(), 'end')
    } finally {
      clearInterval(talk)
      heard()
    }
    const took = performance.now() - began
    assert.equal(await server.ended(), 'end')
    assert.equal(server.length, 0)
    const faults = proxied.faults.map(({ fault }) => fault).toSorted()
    // On a machine that did nothing for so long nobody has talked: then it may have been closed for that.
    if (silence > 1000 && faults.length === 1) assert.deepEqual(faults, ['timeout'])
    else {
      assert.ok(took >= 3000, `${took} ms`)
      assert.deepEqual(faults, ['limit_time', 'timeout'])
    }
  })

  it('#33 limit_time counts from when it was added for a connection that was there; rst is a reset', async () => {
    await using proxied = await Proxied.echo()
    const client = await proxied.connect()
    await echoes(client, 'before')
    await new Promise((resolve) => setTimeout(resolve, 150))
    const began = performance.now()
    proxied.proxy.addFault({ type: 'limit_time', attributes: { time: 120, how: 'rst' } })
    assert.equal(await client.ended(), 'ECONNRESET')
    assert.ok(performance.now() - began >= 120)
    assert.equal(await (await proxied.backend.next()).ended(), 'ECONNRESET')
  })

  for (const stream of ['upstream', 'downstream'])
    for (const timeout of [0, 100])
      it(`#14 reset_peer of ${timeout} ms ${stream}: both sides are reset`, async () => {
        await using proxied = await Proxied.echo([{ type: 'reset_peer', stream, attributes: { timeout } }])
        const { client, server } = await proxied.pair()
        const began = performance.now()
        client.write('abc')
        assert.equal(await client.ended(), 'ECONNRESET')
        assert.ok(performance.now() - began >= timeout)
        assert.equal(await server.ended(), 'ECONNRESET')
        assert.equal(client.length, 0)
        assert.equal(server.length, stream === 'upstream' ? 0 : 3)
        assert.equal(proxied.faults.length, 1)
      })

  it('#28 reset_peer resets a connection that was there before', async () => {
    await using proxied = await Proxied.echo()
    const client = await proxied.connect()
    await echoes(client, 'works')
    proxied.proxy.addFault({ type: 'reset_peer' })
    client.write('abc')
    assert.equal(await client.ended(), 'ECONNRESET')
    assert.equal(await (await proxied.backend.next()).ended(), 'ECONNRESET')
  })

  it('reset_peer that is removed while it waits loses nothing', async () => {
    await using proxied = await Proxied.echo([
      { type: 'reset_peer', stream: 'upstream', attributes: { timeout: 3_600_000 } },
    ])
    const { client, server } = await proxied.pair()
    client.write('abc')
    client.end()
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(server.length, 0)
    proxied.proxy.rules.clear()
    assert.equal(await client.ended(), 'end')
    assert.equal(client.text, 'abc')
    assert.equal(proxied.faults.length, 0)
  })

  it('#17 two resets of all faults on a live connection leave it usable', async () => {
    await using proxied = await Proxied.echo()
    const client = await proxied.connect()
    for (let round = 0; round < 2; round++) {
      for (const type of ['latency', 'bandwidth', 'slicer', 'slow_close', 'limit_data', 'reset_peer', 'loss'])
        for (const stream of ['upstream', 'downstream'])
          proxied.proxy.addFault({ type, stream, attributes: type === 'limit_data' ? { bytes: 10_000 } : {} })
      client.write('ping')
      proxied.proxy.rules.clear()
      await client.until(4 * (round + 1))
    }
    await echoes(client, 'pong')
    assert.equal(client.text, 'pingpingpong')
  })

  for (const [title, limit, writes, expected] of [
    ['below', 100, ['a'.repeat(60)], 60],
    ['equal', 100, ['a'.repeat(100)], 100],
    ['above', 100, ['a'.repeat(150)], 100],
    ['in several pieces', 100, ['a'.repeat(30), 'b'.repeat(30), 'c'.repeat(30)], 90],
    ['second piece too long', 100, ['a'.repeat(70), 'b'.repeat(70)], 100],
    ['limit 0', 0, ['a'], 0],
  ] as [string, number, string[], number][])
    it(`#16 limit_data: ${title}`, async () => {
      await using proxied = await Proxied.start(await TcpBackend.start(), [
        { type: 'limit_data', stream: 'upstream', attributes: { bytes: limit } },
      ])
      const { client, server } = await proxied.pair()
      let sent = ''
      for (const text of writes) {
        client.write(text)
        sent += text
        if (sent.length < limit) await server.until(sent.length)
      }
      const isCut = sent.length >= limit
      if (isCut) {
        assert.equal(await client.ended(), 'end')
        assert.equal(await server.ended(), 'end')
      } else {
        client.end()
        assert.equal(await server.ended(), 'end')
        assert.equal(client.ending, null)
      }
      assert.equal(server.text, sent.slice(0, expected))
      assert.equal(proxied.faults.length, isCut ? 1 : 0)
    })

  it('#16 limit_data: the count survives an update, and ends with the fault', async () => {
    await using proxied = await Proxied.start(await TcpBackend.start(), [
      { type: 'limit_data', stream: 'upstream', attributes: { bytes: 100 } },
    ])
    const { client, server } = await proxied.pair()
    client.write('a'.repeat(90))
    await server.until(90)
    proxied.proxy.updateFault('limit_data_upstream', { attributes: { bytes: 100 } })
    client.write('b'.repeat(20))
    assert.equal(await server.ended(), 'end')
    assert.equal(server.text, 'a'.repeat(90) + 'b'.repeat(10))

    const other = await proxied.pair()
    other.client.write('a'.repeat(90))
    await other.server.until(90)
    proxied.proxy.removeFault('limit_data_upstream')
    other.client.write('b'.repeat(90))
    await other.server.until(180)
  })

  it('slow_close delays the end', async () => {
    await using proxied = await Proxied.start(
      await TcpBackend.start(({ socket }) => {
        socket.end('bye')
      }),
      [{ type: 'slow_close', attributes: { delay: 150 } }],
    )
    const began = performance.now()
    const client = await proxied.connect()
    await client.until(3)
    assert.equal(client.ending, null)
    assert.equal(await client.ended(), 'end')
    assert.ok(performance.now() - began >= 150)
    assert.equal(proxied.faults.length, 1)
  })

  it('blackhole is deaf in one direction, never closes, and closes what lost bytes when it is removed', async () => {
    await using proxied = await Proxied.start(await TcpBackend.start(), [
      { type: 'blackhole', stream: 'upstream' },
    ])
    const { client, server } = await proxied.pair()
    const spared = await proxied.pair()
    client.write('lost')
    server.write('arrives')
    await client.until(7)
    assert.equal(server.length, 0)
    proxied.proxy.removeFault('blackhole_upstream')
    assert.equal(await client.ended(), 'end')
    assert.equal(await server.ended(), 'end')
    spared.client.write('arrives')
    await spared.server.until(7)
  })

  it('a connection that both peers have left does not stay because its end is swallowed', async () => {
    await using proxied = await Proxied.echo([{ type: 'timeout', attributes: { timeout: 0 } }])
    for (let round = 0; round < 20; round++) {
      const client = await proxied.connect()
      client.write('x')
      client.end()
      assert.equal(await client.ended(), 'end')
      assert.equal(client.length, 0)
      client.socket.destroy()
    }
    while (proxied.proxy.counters().open > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  it('refuse cuts new connections and leaves those that are there', async () => {
    await using proxied = await Proxied.echo()
    const before = await proxied.connect()
    await echoes(before, 'works')
    for (const [how, ending] of [
      ['rst', 'ECONNRESET'],
      ['fin', 'end'],
    ] as const) {
      proxied.proxy.addFault({ type: 'refuse', attributes: { how } })
      const client = await proxied.connect()
      assert.equal(await client.ended(), ending)
      proxied.proxy.removeFault('refuse_downstream')
    }
    await echoes(before, 'still')
    assert.equal(proxied.backend.peers.length, 1)
    assert.equal(proxied.faults.length, 2)
  })

  it('ignore leaves new clients waiting; they are served when it is removed', async () => {
    await using proxied = await Proxied.echo([{ type: 'ignore' }])
    const leaves = await proxied.connect()
    leaves.end()
    assert.equal(await leaves.ended(), 'end')
    const waits = await proxied.connect()
    waits.write('waits')
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(waits.ending, null)
    assert.equal(proxied.backend.peers.length, 0)
    proxied.proxy.removeFault('ignore_downstream')
    await waits.until(5)
    assert.equal(waits.text, 'waits')
    assert.equal(proxied.faults.length, 2)
  })

  it('connect_delay reaches the backend later, and loses nothing', async () => {
    await using proxied = await Proxied.echo([{ type: 'connect_delay', attributes: { delay: 150 } }])
    const began = performance.now()
    const client = await proxied.connect()
    await echoes(client, 'later')
    assert.ok(performance.now() - began >= 150)
    assert.equal(proxied.faults.length, 1)
  })
})
