import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IncomingMessage } from 'node:http'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import type { Message } from '../../../src/sessions/websocket/websocket-session.ts'
import { settleExecution } from '../../../src/user-link.ts'
import { deferred } from '../../helpers/deferred.ts'
import { closedPort, serveHttp, serveTcp, stopServers } from '../../helpers/servers.ts'
import { makeUser, releaseUsers } from '../../helpers/user.ts'

/** A WebSocket server; `onSocket` gets each connection. */
async function serveSockets(
  onSocket: (socket: WebSocket, request: IncomingMessage) => void,
  options: ServerOptions = {},
) {
  const { server, url } = await serveHttp((_request, response) =>
    response.writeHead(404).end('no socket here'),
  )
  new WebSocketServer({ server, ...options }).on('connection', (socket, request) => {
    socket.on('error', () => {})
    onSocket(socket, request)
  })
  return url
}

const echo = (socket: WebSocket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

describe('WebSocketSession', () => {
  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('sends and receives, with a callback beside, as in the first example of Loads', async () => {
    const { test, meter } = makeUser({ serverUrl: await serveSockets(echo) })
    const results: Message[] = []
    const ws = await test.createWs('/ws', { onMessage: (message) => results.push(message) })
    await ws.send('something')
    assert.equal(await ws.receive(), 'something')
    await ws.send('happened')
    assert.equal(await ws.receive(), 'happened')
    assert.deepEqual(results, ['something', 'happened'])
    assert.equal(ws.readyState, 'open')
    assert.deepEqual(await ws.close(), { code: 1000, reason: '' })
    assert.equal(ws.readyState, 'closed')
    settleExecution(test)

    assert.deepEqual(meter.lines, ['GET /ws 101'])
    assert.equal(meter.hits[0]!.kind, 'websocket')
    assert.deepEqual(meter.sockets, [
      ['opened', 0],
      ['message-sent', 9],
      ['message-received', 9],
      ['message-sent', 8],
      ['message-received', 8],
      ['closed', 0],
    ])
    // Once, from the beginning of the handshake to the first message.
    assert.deepEqual(
      meter.values.map(([kind, name]) => [kind, name]),
      [['timing', 'websocket.first-message']],
    )
    const [, , first] = meter.values[0]!
    assert.ok(first * 1000 >= meter.hits[0]!.micros - 1 && first < 60_000, String(first))
  })

  it('keeps text and bytes apart, and counts bytes, not letters', async () => {
    const { test, meter } = makeUser({ serverUrl: await serveSockets(echo) })
    const ws = await test.createWs('/')
    await ws.send('Zoë')
    assert.equal(await ws.receive(), 'Zoë')
    await ws.send(new Uint8Array([1, 2, 3]))
    assert.deepEqual(await ws.receive(), Buffer.from([1, 2, 3]))
    assert.deepEqual(
      meter.sockets.map(([, bytes]) => bytes),
      [0, 4, 4, 3, 3],
    )
  })

  it('loses no message that comes with the handshake', async () => {
    const url = await serveSockets((socket) => {
      for (let number = 0; number < 50; number++) socket.send(String(number))
    })
    const { test } = makeUser({ serverUrl: url })
    const ws = await test.createWs('/')
    for (let number = 0; number < 50; number++) assert.equal(await ws.receive(), String(number))
  })

  it('shakes hands with protocols, headers, credentials and a name', async () => {
    let headers: IncomingMessage['headers'] = {}
    const url = await serveSockets((_socket, request) => (headers = request.headers), {
      handleProtocols: (protocols) => [...protocols].at(-1) ?? false,
    })
    const { test, meter } = makeUser()
    const withCredentials = `${url.replace('http://', 'ws://ann:pw@')}/chat?token=1`
    const ws = await test.createWs(withCredentials, { protocols: ['v1', 'v2'], headers: { 'x-key': '1' } })
    assert.equal(ws.protocol, 'v2')
    assert.equal(headers['x-key'], '1')
    assert.equal(headers['authorization'], `Basic ${Buffer.from('ann:pw').toString('base64')}`)
    assert.doesNotMatch(ws.url, /ann/)
    await test.createWs(`${url.replace('http', 'ws')}/`, { name: 'chat' })
    assert.deepEqual(meter.lines, [`GET ${url.replace('http', 'ws')}/chat 101`, 'GET chat 101'])
  })

  it('goes with the cookies of the user, and brings its own', async () => {
    const seen: (string | undefined)[] = []
    const { server, url } = await serveHttp((_request, response) => {
      response.setHeader('set-cookie', 'sid=1; Path=/')
      response.end()
    })
    const sockets = new WebSocketServer({ server })
    sockets.on('headers', (headers) => headers.push('Set-Cookie: ws=2; Path=/'))
    sockets.on('connection', (_socket, request) => seen.push(request.headers.cookie))
    const { test } = makeUser({ serverUrl: url })
    await test.createWs('/')
    await test.session.get('/')
    await test.createWs('/', { headers: { cookie: 'own=1' } })
    await test.createWs('/')
    assert.deepEqual(seen, [undefined, 'own=1', 'ws=2; sid=1'])
    assert.deepEqual(test.session.cookies.all(), { sid: '1', ws: '2' })
  })

  describe('a handshake that fails', () => {
    it('is a failed hit with its status', async () => {
      const { url } = await serveHttp((_request, response) => response.writeHead(403).end())
      const { server, url: refusing } = await serveHttp(() => {})
      server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'))
      const { test, meter } = makeUser({ serverUrl: url })
      await assert.rejects(test.createWs('/'), {
        name: 'RequestError',
        class: 'protocol',
        message: /answered 403/,
      })
      await assert.rejects(test.createWs(`${refusing.replace('http', 'ws')}/`), { message: /answered 503/ })
      assert.deepEqual(
        meter.hits.map(({ status, failed }) => [status, failed]),
        [
          ['403', true],
          ['503', true],
        ],
      )
      assert.deepEqual(meter.sockets, [])
    })

    it('is a failed hit with its class', async () => {
      const { url: silent } = await serveTcp(() => {})
      const { url: cutting } = await serveTcp((socket) => socket.on('data', () => socket.resetAndDestroy()))
      const { url: garbling } = await serveTcp((socket) =>
        socket.on('data', () => socket.end('220 smtp ready\r\n')),
      )
      const { test, meter } = makeUser()
      const { createWs } = { createWs: test.createWs.bind(test) }
      await assert.rejects(createWs(`ws://127.0.0.1:${await closedPort()}/`), {
        name: 'RequestError',
        class: 'refused',
      })
      await assert.rejects(createWs('ws://no-such-host.invalid/'), { class: 'dns' })
      await assert.rejects(createWs(silent.replace('http', 'ws'), { timeout: '100ms' }), { class: 'timeout' })
      await assert.rejects(createWs(cutting.replace('http', 'ws')), { class: 'reset' })
      await assert.rejects(createWs(garbling.replace('http', 'ws')), { class: 'protocol' })
      assert.deepEqual(
        meter.hits.map(({ status, failed }) => `${status} ${failed}`),
        ['refused true', 'dns true', 'timeout true', 'reset true', 'protocol true'],
      )
    })

    it('leads with its stack to the line of the test', async () => {
      const { test } = makeUser()
      const port = await closedPort()
      async function lineOfTheTest() {
        await test.createWs(`ws://127.0.0.1:${port}/`)
      }
      await assert.rejects(lineOfTheTest(), (error: Error) => /lineOfTheTest/.test(error.stack!))
    })

    it('is cut with the execution', async () => {
      const { url } = await serveTcp((socket) => socket.on('data', () => user.cut.abort()))
      const user = makeUser({ serverUrl: url })
      await assert.rejects(user.test.createWs('/'), { name: 'InterruptedError' })
      await assert.rejects(user.test.createWs('/'), { name: 'InterruptedError' })
      assert.deepEqual(user.meter.lines, ['GET / interrupted'])
    })

    it('is refused for URLs that are none', async () => {
      const { test, meter } = makeUser()
      await assert.rejects(test.createWs('http://localhost/'), { name: 'UsageError' })
      await assert.rejects(test.createWs('ws://'), { name: 'UsageError' })
      await assert.rejects(test.createWs('/'), { code: 'TESTCASE_NO_SERVER_URL' })
      assert.deepEqual(meter.lines, [])
    })
  })

  describe('errors', () => {
    it('of the callback are thrown at the next call, once', async () => {
      const { test } = makeUser({ serverUrl: await serveSockets(echo) })
      let calls = 0
      const called = deferred()
      const ws = await test.createWs('/', {
        onMessage: () => {
          calls++
          called.resolve()
          throw new RangeError(`call ${calls}`)
        },
      })
      await ws.send('x')
      await called.promise
      await assert.rejects(ws.send('y'), { name: 'RangeError', message: 'call 1' })
      await ws.send('y')
      assert.equal(await ws.receive(), 'x')
    })

    it('of an async callback are thrown too', async () => {
      const { test } = makeUser({ serverUrl: await serveSockets((socket) => socket.send('x')) })
      const called = deferred()
      await test.createWs('/', {
        onMessage: async () => {
          await Promise.resolve()
          setImmediate(() => called.resolve())
          throw new RangeError('late')
        },
      })
      await called.promise
      assert.throws(() => settleExecution(test), { message: 'late' })
    })

    it('that the test has not seen are thrown at the end of the execution, once', async () => {
      const { test } = makeUser({
        serverUrl: await serveSockets((socket) => setTimeout(() => socket.terminate(), 20)),
      })
      const ws = await test.createWs('/')
      assert.equal((await ws.closed).code, 1006)
      assert.throws(() => settleExecution(test), {
        code: 'TESTCASE_WEBSOCKET',
        message: /the socket is closed \(code 1006\)/,
      })
      settleExecution(test)
      await assert.rejects(ws.receive(), { code: 'TESTCASE_WEBSOCKET' })
      await assert.rejects(ws.send('x'), { code: 'TESTCASE_WEBSOCKET', message: /closed \(code 1006\)/ })
    })

    it('of a message that is too long end the socket', async () => {
      const { test } = makeUser({ serverUrl: await serveSockets((socket) => socket.send('x'.repeat(1000))) })
      const ws = await test.createWs('/', { maxMessageBytes: 100 })
      await assert.rejects(ws.receive(), { code: 'TESTCASE_WEBSOCKET', message: /Max payload size exceeded/ })
      await ws.closed
      settleExecution(test)
    })

    it('come when nobody receives what keeps coming', async () => {
      const url = await serveSockets((socket) => {
        for (let number = 0; number <= 10_000; number++) socket.send(String(number))
        socket.close()
      })
      const { test } = makeUser({ serverUrl: url })
      const ws = await test.createWs('/')
      await ws.closed
      await assert.rejects(ws.receive(), { code: 'TESTCASE_WEBSOCKET', message: /receive queue overflow/ })
      await assert.rejects(ws.receive(), { message: /receive queue overflow/ })
    })

    it('do not come when a callback takes what nobody receives, until somebody does', async () => {
      const url = await serveSockets((socket) => {
        for (let number = 0; number < 1000; number++) socket.send(String(number))
        socket.close()
      })
      const { test } = makeUser({ serverUrl: url })
      let count = 0
      const ws = await test.createWs('/', { onMessage: () => count++ })
      await ws.closed
      assert.equal(count, 1000)
      settleExecution(test)
      await assert.rejects(ws.receive(), { message: /receive queue overflow/ })
    })
  })

  describe('receive()', () => {
    it('gives up in time', async () => {
      const { test } = makeUser({ serverUrl: await serveSockets(echo) })
      const ws = await test.createWs('/')
      await assert.rejects(ws.receive({ timeout: '30ms' }), {
        code: 'TESTCASE_WEBSOCKET',
        message: /within 30 ms/,
      })
      await ws.send('x')
      assert.equal(await ws.receive({ timeout: 10_000 }), 'x')
    })

    it('gives what came before the close, then says how it closed', async () => {
      const url = await serveSockets((socket) => {
        socket.send('last words')
        socket.close(4001, 'enough')
      })
      const { test } = makeUser({ serverUrl: url })
      const ws = await test.createWs('/')
      assert.deepEqual(await ws.closed, { code: 4001, reason: 'enough' })
      assert.equal(await ws.receive(), 'last words')
      await assert.rejects(ws.receive(), { message: /the socket is closed \(code 4001: enough\)/ })
      settleExecution(test)
    })

    it('that waits is failed by the close', async () => {
      const { test } = makeUser({
        serverUrl: await serveSockets((socket) => setTimeout(() => socket.close(), 20)),
      })
      const ws = await test.createWs('/')
      await assert.rejects(ws.receive(), { code: 'TESTCASE_WEBSOCKET', message: /closed \(code 1005\)/ })
    })

    it('is interrupted with the execution; tearDown may go on with the socket', async () => {
      const user = makeUser({ serverUrl: await serveSockets(echo) })
      const ws = await user.test.createWs('/')
      const waiting = [ws.receive(), ws.receive({ timeout: '10s' })]
      user.cut.abort()
      for (const each of waiting) await assert.rejects(each, { name: 'InterruptedError' })
      await assert.rejects(ws.send('x'), { name: 'InterruptedError' })
      await assert.rejects(ws.receive(), { name: 'InterruptedError' })
      user.context.signal = new AbortController().signal
      await ws.send('goodbye')
      assert.equal(await ws.receive(), 'goodbye')
    })
  })

  describe('the end of a user', () => {
    it('closes its sockets', async () => {
      const closed = deferred<number>()
      const url = await serveSockets((socket) => socket.on('close', closed.resolve))
      const { test, meter } = makeUser({ serverUrl: url })
      const ws = await test.createWs('/')
      const waiting = ws.receive()
      await releaseUsers()
      assert.equal(await closed.promise, 1000)
      await assert.rejects(waiting, { code: 'TESTCASE_WEBSOCKET' })
      assert.deepEqual(meter.sockets.at(-1), ['closed', 0])
    })

    it('does not wait long for a server that does not answer the goodbye', async () => {
      const url = await serveSockets((socket) => socket.pause())
      const { test } = makeUser({ serverUrl: url })
      const ws = await test.createWs('/')
      const startedAt = performance.now()
      await releaseUsers()
      // Without a limit of its own it would be the 30 s of ws.
      assert.ok(performance.now() - startedAt < 25_000)
      assert.equal((await ws.closed).code, 1006)
    })
  })

  it('never leaves an unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const listener = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', listener)
    try {
      const { test } = makeUser({
        serverUrl: await serveSockets((socket) => setTimeout(() => socket.terminate(), 20)),
      })
      const ws = await test.createWs('/')
      void ws.receive()
      void ws.receive({ timeout: 5 })
      await ws.closed
      await sleep(20)
      assert.deepEqual(unhandled, [])
    } finally {
      process.off('unhandledRejection', listener)
    }
  })
})
