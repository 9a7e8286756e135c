import assert from 'node:assert/strict'
import { channel, tracingChannel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Agent, get, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { fetch as undiciFetch, request as undiciRequest } from 'undici'
import { WebSocket, WebSocketServer } from 'ws'
import { isInstrumented, runInstrumented } from '../../src/instrument/index.ts'
import type { Instrument } from '../../src/instrument/selection.ts'
import { TestCase } from '../../src/test-case.ts'
import { bodyOf, closedPort, serveHttp, serveTcp, stopServers } from '../helpers/servers.ts'
import { makeUser, releaseUsers, type TestUser } from '../helpers/user.ts'

/** A user of a class that is instrumented. */
function instrumented(instrument: Instrument, serverUrl: string | null = null): TestUser {
  class TestClients extends TestCase {
    static override instrument = instrument
  }
  return makeUser({ serverUrl }, TestClients)
}

const hitsOf = ({ meter }: TestUser) =>
  meter.hits.map(({ kind, name, method, status, failed }) => [kind, method, name, status, failed])

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('instrumentation', () => {
  let url: string

  beforeEach(async () => {
    ;({ url } = await serveHttp((incoming, answer) => {
      if (incoming.url === '/broken') return void answer.socket!.destroy()
      if (incoming.url === '/half') {
        answer.writeHead(200, { 'content-length': 100 })
        return void answer.write('half', () => answer.socket!.destroy())
      }
      if (incoming.url === '/moved') return void answer.writeHead(302, { location: '/users/7' }).end()
      if (incoming.url === '/wait') return
      void bodyOf(incoming).then((body) => {
        answer.statusCode = incoming.url === '/missing' ? 404 : 200
        answer.end(`you said ${body}`)
      })
    }))
  })

  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('knows the classes that ask for it, and refuses what it cannot measure', () => {
    const classOf = (instrument: unknown) =>
      class TestIt extends TestCase {
        static override instrument = instrument as Instrument
      }
    assert.equal(isInstrumented(TestCase), false)
    assert.equal(isInstrumented(classOf(false)), false)
    assert.equal(isInstrumented(classOf([])), false)
    assert.equal(isInstrumented(classOf(true)), true)
    assert.equal(isInstrumented(classOf(['undici', 'mysql2', 'tracing:own:call'])), true)
    for (const bad of ['undici', ['kafkajs'], [7], ['tracing:'], ['constructor'], 7]) {
      assert.throws(
        () => isInstrumented(classOf(bad)),
        /TestIt\.instrument: .* is nothing that can be measured/,
      )
    }
  })

  for (const [name, fetchIt] of [
    ["Node's fetch", fetch],
    ["undici's fetch", undiciFetch as unknown as typeof fetch],
  ] as const) {
    it(`counts ${name}: each hop, by path, to the end of the body`, async () => {
      const user = instrumented(['undici'], url)
      await runInstrumented(user.context, async () => {
        assert.equal(await (await fetchIt(`${url}/users/12345?x=1`)).text(), 'you said ')
        await (await fetchIt(`${url}/moved`)).text()
        await (await fetchIt(`${url}/missing`, { method: 'POST', body: 'hello' })).text()
        await assert.rejects(fetchIt(`${url}/broken`))
        await assert.rejects(fetchIt(`http://127.0.0.1:${await closedPort()}/`))
      })
      assert.deepEqual(
        hitsOf(user).map((hit) => [
          ...hit.slice(0, 2),
          String(hit[2]).replace(/:\d+\//, ':PORT/'),
          ...hit.slice(3),
        ]),
        [
          ['http', 'GET', '/users/:id', '200', false],
          ['http', 'GET', '/moved', '302', false],
          ['http', 'GET', '/users/:id', '200', false],
          ['http', 'POST', '/missing', '404', true],
          ['http', 'GET', '/broken', 'closed', true],
          ['http', 'GET', 'http://127.0.0.1:PORT/', 'refused', true],
        ],
      )
      assert.equal(user.meter.hits[0]!.bytesIn, 'you said '.length)
      assert.equal(user.meter.hits[3]!.bytesOut, 'hello'.length)
      for (const { micros } of user.meter.hits) assert.ok(micros > 0 && micros < 20_000_000)
    })
  }

  it('times to the end of the body, and names what is cut', async () => {
    const user = instrumented(['undici'], url)
    await runInstrumented(user.context, async () => {
      const { body } = await undiciRequest(`${url}/half`)
      await assert.rejects(body.text())
      const abort = new AbortController()
      const pending = fetch(`${url}/wait`, { signal: abort.signal })
      await turn()
      abort.abort()
      await assert.rejects(pending)
      await assert.rejects(fetch(`${url}/wait`, { signal: AbortSignal.timeout(20) }))
    })
    assert.deepEqual(hitsOf(user), [
      ['http', 'GET', '/half', 'closed', true],
      ['http', 'GET', '/wait', 'interrupted', false],
      ['http', 'GET', '/wait', 'timeout', true],
    ])
  })

  it('counts node:http, over connections that are kept', async () => {
    const user = instrumented(['http'], url)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const send = (path: string, body: string | null) =>
      new Promise<string>((resolve, reject) => {
        const sent = request(`${url}${path}`, { agent, method: body === null ? 'GET' : 'POST' })
        sent.on('response', (answer) => void text(answer).then(resolve, reject)).on('error', reject)
        sent.end(body)
      })
    try {
      await runInstrumented(user.context, async () => {
        assert.equal(await send('/a?b=c', null), 'you said ')
        // Both at once: the second waits for the connection of the first.
        await Promise.all([send('/users/1', 'hello'), send('/missing', null)])
        await assert.rejects(send('/half', null))
        await assert.rejects(send('/broken', null))
        const port = await closedPort()
        await once(get(`http://127.0.0.1:${port}/`), 'error')
      })
    } finally {
      agent.destroy()
    }
    assert.deepEqual(hitsOf(user).slice(0, 5), [
      ['http', 'GET', '/a', '200', false],
      ['http', 'POST', '/users/:id', '200', false],
      ['http', 'GET', '/missing', '404', true],
      ['http', 'GET', '/half', 'reset', true],
      ['http', 'GET', '/broken', 'reset', true],
    ])
    assert.deepEqual(hitsOf(user)[5]!.slice(3), ['refused', true])
    assert.equal(user.meter.hits.length, 6)
    const [first, second] = user.meter.hits
    // Heads and bodies, each of its own request.
    assert.ok(first!.bytesIn > 50 && first!.bytesIn < 500, String(first!.bytesIn))
    assert.ok(second!.bytesOut > 'hello'.length + 50 && second!.bytesOut < 500, String(second!.bytesOut))
  })

  it('counts a WebSocket of another client as its handshake', async () => {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(sockets, 'listening')
    const user = instrumented(['http'])
    try {
      await runInstrumented(user.context, async () => {
        const socket = new WebSocket(`ws://127.0.0.1:${(sockets.address() as { port: number }).port}/chat`)
        await once(socket, 'open')
        socket.close()
        await once(socket, 'close')
      })
      assert.deepEqual(
        hitsOf(user).map((hit) => [hit[1], String(hit[2]).replace(/.*:\d+/, ''), hit[3], hit[4]]),
        [['GET', '/chat', '101', false]],
      )
    } finally {
      sockets.close()
    }
  })

  it('does not count our own sessions twice, nor what this.measure measures', async () => {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(sockets, 'listening')
    const user = instrumented(['undici', 'http', 'http2', 'net'], url)
    try {
      await runInstrumented(user.context, async () => {
        assert.equal((await user.test.session.get('/own')).status, 200)
        assert.equal((await user.test.session.post('/own', { json: {} })).status, 200)
        assert.equal((await user.test.app.get('/app')).status, 200)
        await user.test.measure('fetched', async () => (await fetch(`${url}/measured`)).text())
        const socket = await user.test.createWs(
          `ws://127.0.0.1:${(sockets.address() as { port: number }).port}/`,
        )
        await socket.close()
        // It is measured again after all of that.
        await (await fetch(`${url}/other`)).text()
      })
    } finally {
      sockets.close()
    }
    assert.deepEqual(
      user.meter.hits.map(({ kind, method, status }) => [kind, method, status]),
      [
        ['http', 'GET', '200'],
        ['http', 'POST', '200'],
        ['http', 'GET', '200'],
        ['call', '', 'ok'],
        ['websocket', 'GET', '101'],
        ['http', 'GET', '200'],
      ],
    )
  })

  it('tells users apart that run side by side, and leaves other code alone', async () => {
    const [one, other] = [instrumented(['undici'], url), instrumented(['undici'], url)]
    const quiet = makeUser({ serverUrl: url })
    const deaf = instrumented(['http'], url)
    const go = async (path: string) => {
      for (let round = 0; round < 5; round++) await (await fetch(url + path)).text()
    }
    await Promise.all([
      runInstrumented(one.context, () => go('/one')),
      runInstrumented(other.context, () => go('/other')),
      runInstrumented(quiet.context, () => go('/quiet')),
      runInstrumented(deaf.context, () => go('/deaf')),
      go('/nobody'),
    ])
    assert.deepEqual(one.meter.lines, Array(5).fill('GET /one 200'))
    assert.deepEqual(other.meter.lines, Array(5).fill('GET /other 200'))
    assert.deepEqual([quiet.meter.lines, deaf.meter.lines], [[], []])
  })

  it('counts the connections of clients that publish nothing, where it is asked to', async () => {
    const { port } = await serveTcp((socket) => socket.end())
    const closed = await closedPort()
    const user = instrumented(['net'])
    await runInstrumented(user.context, async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.destroy()
      const refused = connect(closed, '127.0.0.1').on('error', () => {})
      await new Promise((resolve) => refused.on('close', resolve))
    })
    assert.deepEqual(hitsOf(user), [
      ['tcp', '', `connect 127.0.0.1:${port}`, 'ok', false],
      ['tcp', '', `connect 127.0.0.1:${closed}`, 'refused', true],
    ])
  })

  it('counts the operations of tracing channels, called by command or statement', async () => {
    const user = instrumented(['ioredis', 'mysql2', 'pg', 'tracing:own:call'])
    const commands = tracingChannel('ioredis:command')
    const queries = tracingChannel('mysql2:query')
    const rows = tracingChannel('pg:query')
    const own = tracingChannel('own:call')
    await runInstrumented(user.context, async () => {
      await commands.tracePromise(() => Promise.resolve('OK'), { command: 'set', args: ['secret', '1'] })
      const failing = queries.tracePromise(
        () => Promise.reject(Object.assign(new Error('duplicate'), { code: 'ER_DUP_ENTRY' })),
        { query: "select *\n from users where id = 17 and name = 'it''s' and x in (1, 2,3)" },
      )
      await assert.rejects(failing)
      await rows.tracePromise(() => turn(), { query: { text: 'select $1' } })
      own.traceSync(() => 7, {})
      assert.throws(() =>
        own.traceSync(() => {
          throw new TypeError('x')
        }, {}),
      )
      await new Promise<void>((resolve) => {
        own.traceCallback(
          (callback: (error: unknown) => void) => setImmediate(callback, { code: 'ECONNREFUSED' }),
          0,
          { sql: 'x' },
          null,
          () => resolve(),
        )
      })
    })
    await own.tracePromise(() => Promise.resolve(), {})
    assert.deepEqual(hitsOf(user), [
      ['call', '', 'ioredis:command SET', 'ok', false],
      [
        'call',
        '',
        'mysql2:query select * from users where id = ? and name = ? and x in (?)',
        'ER_DUP_ENTRY',
        true,
      ],
      ['call', '', 'pg:query select $1', 'ok', false],
      ['call', '', 'own:call', 'ok', false],
      ['call', '', 'own:call', 'TypeError', true],
      ['call', '', 'own:call x', 'refused', true],
    ])
  })

  it('reads what later versions of Node publish about HTTP/2', () => {
    const user = instrumented(['http2'])
    const streams = ['first', 'second', 'third'].map(() => ({ rstCode: 0 }))
    const headers = { ':scheme': 'https', ':authority': 'h2.test', ':path': '/a/77', ':method': 'PUT' }
    const publish = (event: string, message: object) =>
      channel(`http2.client.stream.${event}`).publish(message)
    runInstrumented(user.context, () => {
      for (const stream of streams) publish('created', { stream, headers })
    })
    publish('start', { stream: streams[0], headers })
    publish('finish', { stream: streams[0], headers: { ':status': 201 }, flags: 0 })
    publish('close', { stream: streams[0] })
    publish('error', { stream: streams[1], error: { code: 'ECONNRESET' } })
    publish('close', { stream: streams[1] })
    streams[2]!.rstCode = 8
    publish('close', { stream: streams[2] })
    assert.deepEqual(hitsOf(user), [
      ['http', 'PUT', 'https://h2.test/a/:id', '201', false],
      ['http', 'PUT', 'https://h2.test/a/:id', 'reset', true],
      ['http', 'PUT', 'https://h2.test/a/:id', 'closed', true],
    ])
  })
})
