import assert from 'node:assert/strict'
import type { FaultEvent } from '../../src/events/event.ts'
import { EventHub } from '../../src/events/event-hub.ts'
import { startProxy } from '../../src/proxy/proxy.ts'
import { knownFaults } from '../../src/faults/registry.ts'
import { HttpProxied } from '../support/http-proxied.ts'
import { Peer } from '../support/peer.ts'
import { Proxied } from '../support/proxied.ts'
import { TcpBackend } from '../support/tcp-backend.ts'

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

describe('behaviors', () => {
  it('#22 all seven are there', () => {
    const names = knownFaults().map(({ type }) => type)
    for (const name of ['abort', 'blackout', 'delay', 'dummy', 'hang', 'transient'])
      assert.ok(names.includes(name), name)
    assert.ok(names.includes('http_error') && names.includes('tcp_error'))
  })

  it('#23 http: dummy, blackout, abort, delay and back', async () => {
    await using proxied = await HttpProxied.start()
    for (let turn = 0; turn < 10; turn++) assert.equal((await proxied.ask('/')).status, 200)
    for (const name of ['blackout', 'abort']) {
      await using _ = await proxied.proxy.withBehavior(name)
      await assert.rejects(proxied.ask(`/${name}`), /socket hang up|ECONNRESET/)
    }
    // The backend of an abort sees a whole request.
    const { host, port } = proxied.proxy.address
    assert.ok(!proxied.served.some((each) => each.includes('blackout')))
    {
      await using _ = await proxied.proxy.withBehavior('delay', { sleep: '300ms' })
      const delayed = await proxied.ask('/delayed')
      assert.equal(delayed.status, 200)
      assert.ok(delayed.ms >= 300, `${delayed.ms}`)
    }
    const peer = await Peer.connect({ host, port })
    peer.write(request('/plain'))
    await peer.until(1)
    assert.match(peer.text, /^HTTP\/1.1 200/)
    peer.socket.destroy()
    assert.deepEqual(
      proxied.faults.map(({ fault }) => fault),
      ['blackout', 'abort', 'delay'],
    )
  })

  it('#24 delay before and after, by attributes that change between two requests of one connection', async () => {
    await using proxied = await HttpProxied.start({
      faults: [{ type: 'delay', name: 'd', attributes: { sleep: 0 } }],
    })
    assert.equal((await proxied.ask('/1')).status, 200)
    proxied.proxy.updateFault('d', { attributes: { sleep: '200ms', before: false } })
    const from = performance.now()
    let servedAt = 0
    const asked = proxied.ask('/2')
    while (proxied.served.length < 2) await new Promise((resolve) => setImmediate(resolve))
    servedAt = performance.now()
    const { ms } = await asked
    assert.ok(ms >= 200, `${ms}`)
    assert.ok(servedAt <= from + ms)
    assert.equal(proxied.proxy.counters().accepted, 1)
  })

  it('hang over http: holds until the rule goes, and leaves nothing behind', async () => {
    await using proxied = await HttpProxied.start({ faults: [{ type: 'hang', name: 'h' }] })
    const peers = await Promise.all(Array.from({ length: 20 }, () => Peer.connect(proxied.proxy.address)))
    for (const peer of peers) peer.write(request('/hang') + 'x'.repeat(1_000_000))
    while (proxied.faults.length < 20) await new Promise((resolve) => setImmediate(resolve))
    // Half of the clients leave.
    for (const peer of peers.slice(0, 10)) {
      peer.end()
      assert.equal(await peer.ended(), 'end')
    }
    while (proxied.proxy.counters().open > 10) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.ok(peers.slice(10).every(({ ending, length }) => ending === null && length === 0))
    proxied.proxy.removeFault('h')
    for (const peer of peers.slice(10)) await peer.ended()
    while (proxied.proxy.counters().open > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(proxied.proxy.counters().held, 0)
    assert.deepEqual(proxied.served, [])
    assert.equal((await proxied.ask('/')).status, 200)
  })

  it('blackout by reset', async () => {
    await using proxied = await HttpProxied.start({
      faults: [{ type: 'blackout', attributes: { how: 'rst' } }],
    })
    const peer = await Peer.connect(proxied.proxy.address)
    peer.write(request('/'))
    assert.equal(await peer.ended(), 'ECONNRESET')
  })

  it('abort over tcp: the backend gets the bytes, then an end', async () => {
    await using proxied = await Proxied.start(await TcpBackend.start(), [{ type: 'abort' }])
    const { client, server } = await proxied.pair()
    client.write('a request')
    assert.equal(await client.ended(), 'end')
    assert.equal(await server.ended(), 'end')
    assert.equal(server.text, 'a request')
    assert.equal(client.length, 0)
  })

  it('delay over tcp: once for the connection', async () => {
    await using proxied = await Proxied.echo([{ type: 'delay', attributes: { sleep: '150ms' } }])
    const client = await proxied.connect()
    const from = performance.now()
    client.write('one')
    await client.until(3)
    assert.ok(performance.now() - from >= 150)
    client.write('two')
    assert.equal((await client.until(6)).toString(), 'onetwo')
    assert.equal(proxied.faults.length, 1)
    assert.deepEqual([proxied.faults[0]!.unit, proxied.faults[0]!.ordinal], ['request', 1])
  })

  it('hang and blackout over tcp, on a connection that is there already', async () => {
    await using proxied = await Proxied.echo()
    const client = await proxied.connect()
    client.write('one')
    await client.until(3)
    {
      await using _ = await proxied.proxy.withFault({ type: 'hang', name: 'h' })
      client.write('two')
      const other = await proxied.connect()
      other.write('three')
      while (proxied.faults.length < 2) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(client.ending, null)
      assert.equal(other.length, 0)
    }
    await client.ended()
    assert.equal(client.text, 'one')
    const third = await proxied.connect()
    third.write('x')
    await third.until(1)
    proxied.proxy.addFault({ type: 'blackout' })
    assert.equal(await third.ended(), 'end')
  })

  it('#25 tcp error: as many random bytes, or 100 in the middle; the same for the same seed', async () => {
    const read = async (mode: string, unit: string): Promise<Buffer> => {
      await using proxied = await Proxied.echo([{ type: 'error', attributes: { mode, unit } }])
      const client = await proxied.connect()
      const length = mode === 'inject' ? 110 : 10
      client.write('0123456789')
      return await client.until(length)
    }
    for (const unit of ['connection', 'request', 'chunk']) {
      const replaced = await read('replace', unit)
      assert.equal(replaced.length, 10)
      assert.notEqual(replaced.toString(), '0123456789')
      assert.deepEqual(await read('replace', unit), replaced)
      const injected = await read('inject', unit)
      assert.equal(injected.length, 110)
      assert.equal(injected.subarray(0, 5).toString() + injected.subarray(105).toString(), '0123456789')
    }
  })

  it('tcp error that is removed from a live connection lets its bytes pass again', async () => {
    await using proxied = await Proxied.echo([{ type: 'error', name: 'e' }])
    const client = await proxied.connect()
    client.write('0123456789')
    await client.until(10)
    proxied.proxy.removeFault('e')
    client.write('abcdefghij')
    assert.equal((await client.until(20)).subarray(10).toString(), 'abcdefghij')
  })

  it('transient: the first requests of the whole proxy, again when it is added again', async () => {
    await using proxied = await HttpProxied.start()
    const statuses = async (): Promise<number[]> => {
      const found: number[] = []
      for (let turn = 0; turn < 5; turn++) found.push((await proxied.ask('/')).status)
      return found
    }
    for (let turn = 0; turn < 2; turn++) {
      await using _ = await proxied.proxy.withBehavior('transient', { agitate: 3, statuses: '503' })
      assert.deepEqual(await statuses(), [503, 503, 503, 200, 200])
    }
    assert.deepEqual(await statuses(), [200, 200, 200, 200, 200])
  })

  it('#26 same seed, same traffic on 50 connections: the same decisions for each connection and request', async () => {
    const run = async (seed: number): Promise<string[]> => {
      await using proxied = await HttpProxied.start({
        seed,
        behavior: '20:error,10:delay',
        behaviors: { delay: { sleep: '1ms' } },
      })
      const peers: Peer[] = []
      // One after the other, so that each has its number; what they ask, they ask at once.
      for (let at = 0; at < 50; at++) {
        const peer = await Peer.connect(proxied.proxy.address)
        peers.push(peer)
        while (proxied.proxy.counters().accepted <= at) await new Promise((resolve) => setImmediate(resolve))
      }
      for (let turn = 0; turn < 20; turn++) {
        for (const peer of [...peers].sort(() => Math.random() - 0.5)) peer.write(request(`/${turn}`))
        if (turn % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      for (const peer of peers) {
        while (peer.text.split('HTTP/1.1').length <= 20) {
          assert.equal(peer.ending, null)
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
        peer.socket.destroy()
      }
      return proxied.faults
        .map(({ connection, ordinal, rule, draw, detail }: FaultEvent) =>
          JSON.stringify([connection, ordinal, rule, draw, detail]),
        )
        .sort()
    }
    const first = await run(11)
    assert.deepEqual(await run(11), first)
    assert.notDeepEqual(await run(12), first)
    // 30 % of 1,000: 3.29 standard deviations are 48. No request has two.
    assert.ok(Math.abs(first.length - 300) <= 48, `${first.length}`)
    const units = first.map((each) => JSON.stringify((JSON.parse(each) as unknown[]).slice(0, 2)))
    assert.equal(new Set(units).size, units.length)
  })

  it('#29 half-close over http: the client has ended, the whole reply comes, also a delayed one', async () => {
    const big = 'x'.repeat(300_000)
    await using backend = await TcpBackend.start(({ socket }) => {
      socket.once('end', () => socket.end(`HTTP/1.1 200 OK\r\n\r\n${big}`))
    })
    for (const faults of [[], [{ type: 'delay', attributes: { sleep: '20ms', before: false } }]]) {
      await using proxy = await startProxy(
        { backend: backend.address, protocol: 'http', faults },
        new EventHub(),
      )
      const peer = await Peer.connect(proxy.address)
      peer.write(request('/'))
      peer.end()
      assert.equal(await peer.ended(), 'end')
      assert.equal(peer.text, `HTTP/1.1 200 OK\r\n\r\n${big}`)
      peer.socket.destroy()
    }
  })

  it('a client that asks and never reads what is made up: memory is bounded, others are served', async () => {
    await using proxied = await HttpProxied.start({
      faults: [{ type: 'error', attributes: { body: 'x'.repeat(10_000), match: { path: '/flood' } } }],
    })
    const peer = await Peer.connect(proxied.proxy.address)
    peer.socket.pause()
    const flood = Buffer.from(request('/flood').repeat(1000))
    let isFull = false
    for (let turn = 0; turn < 200 && !isFull; turn++) {
      isFull = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), 500)
        peer.socket.write(flood, () => {
          clearTimeout(timer)
          resolve(false)
        })
      })
    }
    assert.ok(isFull, 'nothing slows the client down')
    // One read of requests with an answer of 10 KB to each of them.
    assert.ok(proxied.proxy.counters().held < 64 * 1024 * 1024, `${proxied.proxy.counters().held}`)
    assert.equal((await proxied.ask('/other')).status, 200)
    peer.socket.destroy()
  })
})
