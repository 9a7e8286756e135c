import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultConnections } from '../../../src/context.ts'
import {
  bodyOf,
  closedPort,
  makeCertificate,
  serveHttp,
  serveHttps,
  stopServers,
} from '../../helpers/servers.ts'
import { makeUser, releaseUsers } from '../../helpers/user.ts'

type Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void

const certificate = makeCertificate()
const running: { server: Http2Server; sessions: Set<ServerHttp2Session> }[] = []

async function serve(listener: Listener, secure = false, settings = {}) {
  const server = (
    secure
      ? createSecureServer({ ...certificate, settings, allowHTTP1: false }, listener)
      : createServer({ settings }, listener)
  ) as Http2Server
  const sessions = new Set<ServerHttp2Session>()
  let connections = 0
  server.on('session', (session) => {
    connections++
    sessions.add(session)
    session.on('error', () => {})
    session.on('close', () => sessions.delete(session))
  })
  running.push({ server, sessions })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`, sessions, connections: () => connections }
}

describe('HttpSession, over HTTP/2', () => {
  afterEach(async () => {
    await releaseUsers()
    await stopServers()
    for (const { server, sessions } of running.splice(0)) {
      for (const session of sessions) session.destroy()
      server.close()
    }
  })

  for (const secure of [false, true]) {
    it(`sends and receives, ${secure ? 'with' : 'without'} TLS`, async () => {
      const { url, connections } = await serve((request, response) => {
        assert.equal(request.httpVersion, '2.0')
        void bodyOf(request.stream).then((body) => {
          response.writeHead(201, { 'x-two': ['a', 'b'], 'set-cookie': ['sid=1; Path=/', 'other=2; Path=/'] })
          const { method, url: path, headers } = request
          response.end(JSON.stringify({ method, path, headers, body }))
        })
      }, secure)
      const { test, meter } = makeUser({ serverUrl: url, http2: true, insecure: true })
      const answer = await test.session.post('/things/:id', {
        params: { id: 7 },
        json: { a: 1 },
        query: { q: 'x' },
      })
      const seen = answer.json<{
        method: string
        path: string
        headers: Record<string, string>
        body: string
      }>()
      assert.equal(answer.status, 201)
      assert.equal(answer.url, `${url}/things/7?q=x`)
      assert.deepEqual([seen.method, seen.path, seen.body], ['POST', '/things/7?q=x', '{"a":1}'])
      assert.equal(seen.headers['content-type'], 'application/json')
      assert.equal(seen.headers['user-agent'], 'loads-runner')
      assert.equal(seen.headers[':authority'], new URL(url).host)
      assert.deepEqual(answer.headers.getAll('x-two'), ['a', 'b'])
      assert.deepEqual(answer.cookies, { sid: '1', other: '2' })
      const second = (await test.session.get('/')).json<typeof seen>()
      assert.equal(second.headers['cookie'], 'sid=1; other=2')
      assert.deepEqual(meter.lines, ['POST /things/:id 201', 'GET / 201'])
      const [hit] = meter.hits
      assert.equal(hit!.micros, Math.round(answer.elapsed * 1000))
      assert.ok(hit!.bytesIn > answer.bytes.length && hit!.bytesOut > 7)
      assert.equal(connections(), 1)
      assert.deepEqual(meter.connections, secure ? ['opened', 'tls'] : ['opened'])
    })
  }

  it('streams bodies, and reads large ones', async () => {
    const { url } = await serve((request, response) => request.stream.pipe(response.stream))
    const { test, meter } = makeUser({ serverUrl: url, http2: true })
    const text = 'streamed '.repeat(50_000)
    const streamed = await test.session.post('/', { body: Readable.from([text, Buffer.from('end')]) })
    assert.equal(streamed.text(), `${text}end`)
    assert.ok(meter.hits[0]!.bytesOut > text.length)
    const iterated = (async function* () {
      yield 'one '
      yield Buffer.from('two')
    })()
    assert.equal((await test.session.post('/', { body: iterated })).text(), 'one two')
    assert.equal(
      (await test.session.post('/', { body: Buffer.alloc(3_000_000, 'x') })).bytes.length,
      3_000_000,
    )
  })

  it('puts requests at the same time on one connection', async () => {
    const waiting: Http2ServerResponse[] = []
    const { url, connections } = await serve((_request, response) => {
      // None is answered before all are there.
      if (waiting.push(response) === 20) for (const each of waiting.splice(0)) each.end('ok')
    })
    const { test, meter } = makeUser({ serverUrl: url, http2: true })
    await Promise.all(Array.from({ length: 20 }, () => test.session.get('/')))
    assert.equal(connections(), 1)
    assert.equal(meter.hits.length, 20)
  })

  it('keeps to the number of streams that the server takes, and the number of connections', async () => {
    const { url, connections } = await serve((_request, response) => response.end('ok'), false, {
      maxConcurrentStreams: 3,
    })
    const { test } = makeUser({
      serverUrl: url,
      http2: true,
      connections: { ...defaultConnections, most: 2 },
    })
    await test.session.get('/')
    const answers = await Promise.all(Array.from({ length: 50 }, () => test.session.get('/')))
    assert.ok(answers.every((answer) => answer.status === 200))
    assert.ok(connections() <= 2, `${connections()}`)
  })

  it('has no body for HEAD, 204 and 304, and decompresses nothing there', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(request.method === 'HEAD' ? 200 : Number(request.url.slice(1)))
      response.end()
    })
    const { test } = makeUser({ serverUrl: url, http2: true })
    for (const answer of [
      await test.session.head('/'),
      await test.session.get('/204'),
      await test.session.get('/304'),
    ]) {
      assert.equal(answer.text(), '')
    }
  })

  it('speaks HTTP/1.1 where the server offers nothing else, and finds that out once', async () => {
    let connections = 0
    const { server, port } = await serveHttps(certificate, (request, response) =>
      response.end(request.httpVersion),
    )
    server.on('secureConnection', () => connections++)
    const target = { insecure: true, http2: true }
    const one = makeUser({ ...target, serverUrl: `https://127.0.0.1:${port}` })
    const answers = await Promise.all([one.test.session.get('/'), one.test.session.get('/')])
    assert.deepEqual(
      answers.map((answer) => answer.text()),
      ['1.1', '1.1'],
    )
    assert.equal(one.meter.hits.length, 2)
    assert.equal((await one.test.session.post('/', { body: Readable.from(['x']) })).text(), '1.1')
    const before = connections
    const two = makeUser(one.context.target)
    two.context.target.connections.policy satisfies string
    await one.test.session.get('/')
    assert.equal(connections, before)
  })

  it('breaks with the same classes', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/reset') request.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      else if (request.url === '/protocol') request.stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
      else if (request.url === '/half') {
        response.write('half')
        setTimeout(() => request.stream.close(constants.NGHTTP2_CANCEL), 20)
      } else if (request.url === '/gone') request.stream.session!.destroy()
      else if (request.url === '/large') response.end(Buffer.alloc(100_000))
      else if (request.url === '/ok') response.end('ok')
    })
    const { test, meter } = makeUser({ serverUrl: url, http2: true })
    test.session.maxBodyBytes = 50_000
    const breaks = (path: string, hitClass: string, options = {}) =>
      assert.rejects(test.session.get(path, options), { name: 'RequestError', class: hitClass }, path)
    await breaks('/reset', 'reset')
    await breaks('/protocol', 'protocol')
    await breaks('/half', 'reset')
    await breaks('/large', 'protocol')
    await breaks('/slow', 'timeout', { timeout: 100 })
    assert.equal((await test.session.get('/ok')).text(), 'ok')
    assert.equal(meter.connections.filter((event) => event === 'opened').length, 1, 'a stream ends alone')
    await assert.rejects(test.session.get('/gone'), (error: { class: string }) =>
      ['closed', 'reset'].includes(error.class),
    )
    assert.equal((await test.session.get('/ok')).text(), 'ok')
    await breaks(`http://127.0.0.1:${await closedPort()}/`, 'refused')
    assert.ok(meter.hits.filter(({ failed }) => failed).length === 7)
  })

  it('is a protocol error where the server speaks HTTP/1.1 without TLS', async () => {
    const { url } = await serveHttp((_request, response) => response.end('ok'))
    const { test } = makeUser({ serverUrl: url, http2: true })
    await assert.rejects(test.session.get('/'), (error: { class: string }) =>
      ['protocol', 'closed', 'reset'].includes(error.class),
    )
  })

  it('leaves a connection that says goodbye, when its answers are there', async () => {
    const { url, connections } = await serve((request, response) => {
      if (request.url === '/last') request.stream.session!.goaway(constants.NGHTTP2_NO_ERROR)
      setTimeout(() => response.end('ok'), 50)
    })
    const { test, meter } = makeUser({ serverUrl: url, http2: true })
    const both = await Promise.all([test.session.get('/a'), test.session.get('/last')])
    assert.deepEqual(
      both.map((answer) => answer.text()),
      ['ok', 'ok'],
    )
    assert.equal((await test.session.get('/b')).text(), 'ok')
    assert.equal(connections(), 2)
    assert.equal(meter.hits.filter(({ failed }) => failed).length, 0)
  })

  it('is interrupted with the execution, and goes on after it', async () => {
    const { url, connections } = await serve((request, response) => {
      if (request.url === '/ok') response.end('ok')
      else setImmediate(() => user.cut.abort())
    })
    const user = makeUser({ serverUrl: url, http2: true })
    await user.test.session.get('/ok')
    await assert.rejects(user.test.session.get('/hang'), { name: 'InterruptedError' })
    user.context.signal = new AbortController().signal
    assert.equal((await user.test.session.get('/ok')).status, 200)
    assert.deepEqual(user.meter.lines, ['GET /ok 200', 'GET /hang interrupted', 'GET /ok 200'])
    assert.equal(connections(), 1)
  })

  it('closes connections with the user, after their last request, and when they idle', async () => {
    const { url, sessions } = await serve((_request, response) => response.end('ok'))
    const until = async (count: number) => {
      while (sessions.size !== count) await sleep(5)
    }
    const user = makeUser({ serverUrl: url, http2: true })
    await user.test.session.get('/')
    await until(1)
    await releaseUsers()
    await until(0)
    const connections = { ...defaultConnections, mostRequests: 2 }
    const counted = makeUser({ serverUrl: url, http2: true, connections })
    for (let round = 0; round < 4; round++) await counted.test.session.get('/')
    assert.equal(counted.meter.connections.filter((event) => event === 'opened').length, 2)
    await until(0)
    const idle = makeUser({
      serverUrl: url,
      http2: true,
      connections: { ...defaultConnections, keepAliveMs: 50 },
    })
    await idle.test.session.get('/')
    await until(0)
    assert.equal((await idle.test.session.get('/')).status, 200)
  })

  it('refuses headers of a connection', async () => {
    const { url } = await serve((_request, response) => response.end('ok'))
    const { test, meter } = makeUser({ serverUrl: url, http2: true })
    for (const headers of [{ connection: 'close' }, { 'bad name': 'x' }, { x: 'line\nbreak' }]) {
      await assert.rejects(test.session.get('/', { headers }), { name: 'UsageError' })
    }
    assert.deepEqual(meter.lines, [])
    assert.equal((await test.session.get('/')).status, 200)
  })

  it("does not take a broken body stream of the test's own for a failure of the server", async () => {
    const { url } = await serve((request, response) => {
      request.stream.on('error', () => {})
      request.stream.resume().on('end', () => response.end('ok'))
    })
    const { test, meter } = makeUser({ serverUrl: url, http2: true })
    const stream = new Readable({
      read() {
        this.destroy(new RangeError('broken'))
      },
    })
    await assert.rejects(test.session.post('/', { body: stream }), { name: 'RangeError', message: 'broken' })
    assert.deepEqual(meter.lines, [])
    assert.equal((await test.session.get('/')).status, 200)
  })
})
