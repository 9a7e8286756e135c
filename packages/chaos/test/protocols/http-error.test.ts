import assert from 'node:assert/strict'
import { Agent, Client, request, type Dispatcher } from 'undici'
import { HttpProxied } from '../support/http-proxied.ts'
import { Nginx } from '../support/nginx.ts'
import { Peer } from '../support/peer.ts'

const error = (attributes: Record<string, unknown> = {}, toxicity = 1): object => ({
  faults: [{ type: 'error', name: 'e', toxicity, attributes }],
})

/** Ends a client with the test. */
function leaving(client: Dispatcher): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => client.destroy() }
}

describe('http_error', () => {
  it('#25 http: the intended status in node:http and undici, on a connection that is kept', async () => {
    await using proxied = await HttpProxied.start(
      error({ statuses: '503', retry_after: 7, match: { path: '/bad*' } }),
    )
    const client = new Client(proxied.url, { keepAliveTimeout: 600_000 })
    await using _ = leaving(client)
    for (let turn = 0; turn < 3; turn++) {
      const bad = await client.request({ method: 'GET', path: '/bad' })
      assert.equal(bad.statusCode, 503)
      assert.equal(bad.headers['retry-after'], '7')
      assert.equal(bad.headers['content-type'], 'text/plain; charset=utf-8')
      assert.equal(await bad.body.text(), '503 Service Unavailable\n')
      const good = await client.request({ method: 'GET', path: '/good' })
      assert.equal(good.statusCode, 200)
      assert.equal(await good.body.text(), 'served /good')
      const posted = await proxied.ask('/bad', { method: 'POST', body: 'x'.repeat(100_000) })
      assert.equal(posted.status, 503)
      assert.equal((await proxied.ask('/good')).body, 'served /good')
      const head = await proxied.ask('/bad', { method: 'HEAD' })
      assert.equal(head.status, 503)
      assert.equal(head.headers['content-length'], '24')
    }
    assert.deepEqual(new Set(proxied.served), new Set(['GET /good 0']))
    // One connection of each client.
    assert.equal(proxied.proxy.counters().accepted, 2)
    assert.equal(proxied.faults.length, 9)
    const [told] = proxied.faults
    assert.deepEqual(
      [told!.rule, told!.fault, told!.direction, told!.unit, told!.ordinal, told!.request, told!.detail],
      [
        'e',
        'http_error',
        'upstream',
        'request',
        1,
        'GET /bad',
        { status: 503, mode: 'status', when: 'instead' },
      ],
    )
  })

  it('#25 http: nginx behind it, pipelined requests keep their order', async function () {
    await using nginx = await Nginx.start(this, 'listen 127.0.0.1:$PORT; location / { return 200 "$uri"; }')
    await using proxied = await HttpProxied.start({
      backend: nginx.address,
      seed: 5,
      faults: [
        { type: 'error', name: 'e', toxicity: 0.2, attributes: { statuses: ['500'], body: 'made up' } },
        { type: 'error', name: 'after', toxicity: 0.2, attributes: { statuses: ['502'], when: 'after' } },
        { type: 'delay', name: 'd', toxicity: 0.05, attributes: { sleep: '3ms' } },
        { type: 'delay', name: 'r', toxicity: 0.05, attributes: { sleep: '3ms', before: false } },
      ],
    })
    const client = new Client(proxied.url, { pipelining: 100 })
    await using _ = leaving(client)
    const got = await Promise.all(
      Array.from({ length: 1000 }, async (_, at) => {
        const { statusCode, body } = await client.request({ method: 'GET', path: `/${at}` })
        return [statusCode, await body.text()] as const
      }),
    )
    const statuses = new Map(
      proxied.faults
        .filter(({ fault }) => fault === 'http_error')
        .map(({ ordinal, detail }) => [ordinal, detail!['status']]),
    )
    for (const [at, [status, body]] of got.entries()) {
      assert.equal(status, statuses.get(at + 1) ?? 200)
      if (status === 200) assert.equal(body, `/${at}`)
      if (status === 500) assert.equal(body, 'made up')
    }
    assert.ok(statuses.size > 250, `${statuses.size}`)
    assert.equal(proxied.proxy.counters().accepted, 1)
  })

  it('draws statuses by their weights', async () => {
    await using proxied = await HttpProxied.start(error({ statuses: ['429', '503:3'] }))
    const counts: Record<number, number> = {}
    for (let turn = 0; turn < 400; turn++) {
      const { status } = await proxied.ask('/')
      counts[status] = (counts[status] ?? 0) + 1
    }
    assert.deepEqual(Object.keys(counts), ['429', '503'])
    // 3.29 standard deviations of a binomial: sqrt(400 * 0.25 * 0.75) = 8.7.
    assert.ok(Math.abs(counts[429]! - 100) <= 29, `${counts[429]}`)
  })

  it('defaults: 429, 500, 502, 503 and 504', async () => {
    await using proxied = await HttpProxied.start(error())
    const seen = new Set<number>()
    for (let turn = 0; turn < 100; turn++) seen.add((await proxied.ask('/')).status)
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [429, 500, 502, 503, 504],
    )
  })

  it('after: the backend does the work', async () => {
    await using proxied = await HttpProxied.start(error({ statuses: '500', when: 'after' }))
    for (const path of ['/1', '/chunked/2'])
      assert.equal((await proxied.ask(path, { method: 'POST', body: 'abc' })).status, 500)
    assert.deepEqual(proxied.served, ['POST /1 3', 'POST /chunked/2 3'])
    assert.equal(proxied.proxy.counters().accepted, 1)
  })

  it('closes where the client asked for it, or the request is too long, and the client sees the answer', async () => {
    await using proxied = await HttpProxied.start(error({ statuses: '500', drain: 1000 }))
    const { host, port } = proxied.proxy.address
    const length = 5_000_000
    for (const request of [
      'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      `POST / HTTP/1.1\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`,
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${'10000\r\n' + 'x'.repeat(65_536) + '\r\n'}`.repeat(
        1,
      ),
      'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n',
    ]) {
      const peer = await Peer.connect({ host, port })
      peer.write(request)
      assert.equal(await peer.ended(), 'end')
      assert.match(peer.text, /^HTTP\/1\.1 500 Internal Server Error\r\n.*Connection: close\r\n\r\n500 /s)
      assert.equal(peer.text.match(/HTTP/g)!.length, 1)
      peer.socket.destroy()
    }
    assert.deepEqual(proxied.served, [])
  })

  it('keeps the connection of HTTP/1.0 that asks for it', async () => {
    await using proxied = await HttpProxied.start(error({ statuses: '503', body: '' }))
    const peer = await Peer.connect(proxied.proxy.address)
    const expected = Buffer.from(
      'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n',
    )
    for (let turn = 1; turn <= 2; turn++) {
      peer.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
      assert.equal((await peer.until(turn * expected.length)).length, turn * expected.length)
    }
    assert.equal(peer.text, expected.toString().repeat(2))
    peer.socket.destroy()
  })

  for (const path of ['/plain', '/chunked'])
    for (const when of ['instead', 'after'])
      for (const mode of ['truncate', 'malformed_chunk', 'wrong_length'])
        it(`${mode} ${when} of ${path}: clients tell an error, not a reply`, async () => {
          await using proxied = await HttpProxied.start(error({ mode, when, statuses: '502' }))
          await assert.rejects(proxied.ask(path))
          const agent = new Agent({ connections: 1 })
          await using _ = leaving(agent)
          await assert.rejects(async () => {
            const { body } = await request(`${proxied.url}${path}`, { dispatcher: agent })
            await body.text()
          })
          assert.equal(proxied.faults.length, 2)
          assert.equal(proxied.served.length, when === 'after' ? 2 : 0)
        })

  it('truncate: so many bytes of the body, or half of it', async () => {
    await using proxied = await HttpProxied.start(error({ mode: 'truncate', bytes: 3 }))
    const read = async (): Promise<string> => {
      const peer = await Peer.connect(proxied.proxy.address)
      peer.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n')
      assert.equal(await peer.ended(), 'end')
      peer.socket.destroy()
      return peer.text.split('\r\n\r\n')[1]!
    }
    assert.equal(await read(), 'ser')
    proxied.proxy.updateFault('e', { attributes: { bytes: 1000 } })
    assert.equal(await read(), 'served /')
    proxied.proxy.updateFault('e', { attributes: { bytes: 0 } })
    assert.equal(await read(), '')
    proxied.proxy.removeFault('e')
    proxied.proxy.addFault({ type: 'error', attributes: { mode: 'truncate' } })
    assert.equal(await read(), 'serv')
  })

  it('slow_headers and slow_body: the same bytes, later; what is pipelined behind them waits', async () => {
    await using proxied = await HttpProxied.start(
      error({ mode: 'slow_headers', piece: 30, pause: 20, match: { path: '/slow*' } }),
    )
    for (const mode of ['slow_headers', 'slow_body']) {
      proxied.proxy.updateFault('e', { attributes: { mode, piece: mode === 'slow_body' ? 3 : 30 } })
      for (const path of ['/slow', '/chunked']) {
        if (path === '/chunked')
          proxied.proxy.updateFault('e', { attributes: { match: { path: '/chunked' } } })
        const peer = await Peer.connect(proxied.proxy.address)
        const from = performance.now()
        peer.write(
          `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        )
        assert.equal(await peer.ended(), 'end')
        // At least four pieces: three pauses.
        assert.ok(performance.now() - from >= 60)
        const replies = peer.text.split(/(?=HTTP\/1.1)/)
        assert.equal(replies.length, 2)
        assert.ok(replies[0]!.includes(`served ${path}`))
        assert.ok(replies[1]!.endsWith('served /next'))
        peer.socket.destroy()
        proxied.proxy.updateFault('e', { attributes: { match: { path: '/slow*' } } })
      }
    }
  })

  it('replies without a body are spoiled in their heads', async () => {
    for (const mode of ['truncate', 'malformed_chunk', 'wrong_length']) {
      await using proxied = await HttpProxied.start(error({ mode }))
      await assert.rejects(proxied.ask('/', { method: 'HEAD' }))
    }
  })

  it('is refused on a protocol that is not HTTP, and with statuses that are none', async () => {
    await assert.rejects(
      HttpProxied.start({ protocol: 'redis', faults: [{ type: 'http_error' }] }),
      /http_error.*needs the protocol http/,
    )
    for (const attributes of [
      { statuses: '200.5' },
      { statuses: [100] },
      { statuses: 'x' },
      { statuses: '503:0' },
      { statuses: [] },
      { content_type: 'a\r\nX: y' },
      { retry_after: -1 },
      { body: 5 },
      { when: 'never' },
      { piece: 0 },
      { pause: Number.NaN },
    ])
      await assert.rejects(HttpProxied.start(error(attributes)), { code: 'CHAOS_ATTRIBUTE' })
  })
})
