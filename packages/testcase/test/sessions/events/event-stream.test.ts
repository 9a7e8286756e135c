import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerEvent } from '../../../src/sessions/events/event-stream-parser.ts'
import { keepUserSockets, settleExecution } from '../../../src/user-link.ts'
import { deferred } from '../../helpers/deferred.ts'
import { closedPort, makeCertificate, serveHttp, serveHttps, stopServers } from '../../helpers/servers.ts'
import { makeUser, releaseUsers } from '../../helpers/user.ts'

/** A server whose paths answer as the map says; any other is a stream that stays open. */
async function serveEvents(
  paths: Record<string, (answer: ServerResponse, request: IncomingMessage) => void> = {},
): Promise<{ url: string; next: () => Promise<{ answer: ServerResponse; request: IncomingMessage }> }> {
  const waiting: ((open: { answer: ServerResponse; request: IncomingMessage }) => void)[] = []
  const { url } = await serveHttp((request, answer) => {
    const known = paths[request.url!]
    if (known !== undefined) return known(answer, request)
    answer.writeHead(200, { 'content-type': 'text/event-stream;charset=UTF-8' }).flushHeaders()
    waiting.shift()?.({ answer, request })
  })
  return { url, next: () => new Promise((resolve) => waiting.push(resolve)) }
}

describe('EventStream', () => {
  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('receives events, with a callback beside, and counts them', async () => {
    const { url, next } = await serveEvents()
    const { test, meter } = makeUser({ serverUrl: url })
    const seen: ServerEvent[] = []
    const opened = next()
    const events = await test.openEvents('/prices?token=1', {
      onEvent: (event) => seen.push(event),
      headers: { 'X-Key': 'k' },
      lastEventId: '6',
    })
    const { answer, request } = await opened
    assert.equal(request.headers.accept, 'text/event-stream')
    assert.equal(request.headers['last-event-id'], '6')
    assert.equal(request.headers['x-key'], 'k')
    assert.equal(events.lastEventId, '6')
    const text = 'retry: 1500\nevent: price\nid: 7\ndata: 1\n\ndata: 2\n\n'
    answer.write(text)
    assert.deepEqual(await events.receive(), { event: 'price', data: '1', id: '7' })
    assert.deepEqual(await events.receive({ timeout: '30s' }), { event: 'message', data: '2', id: '7' })
    assert.deepEqual([events.lastEventId, events.retryMs, events.readyState], ['7', 1500, 'open'])
    assert.equal(seen.length, 2)
    await assert.rejects(events.receive({ timeout: 5 }), {
      name: 'StreamError',
      message: /no message within 5 ms/,
    })
    await events.close()
    assert.equal(events.readyState, 'closed')
    await assert.rejects(events.receive(), /the stream has ended/)
    settleExecution(test)

    assert.deepEqual(meter.lines, ['GET /prices 200'])
    assert.equal(meter.hits[0]!.kind, 'sse')
    const counted = (name: string) =>
      meter.values.filter(([, each]) => each === name).reduce((sum, [, , value]) => sum + value, 0)
    assert.equal(counted('sse.events'), 2)
    assert.equal(counted('sse.bytes'), text.length)
    const first = meter.values.filter(([, name]) => name === 'sse.first-event')
    assert.equal(first.length, 1)
    assert.ok(first[0]![2] * 1000 >= meter.hits[0]!.micros - 1)
  })

  it('gives event after event to a loop, to the end', async () => {
    const { url } = await serveEvents({
      '/three': (answer) =>
        void answer
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end('data: a\n\ndata: b\n\ndata: c\n\ndata'),
    })
    const { test } = makeUser({ serverUrl: url })
    const seen: string[] = []
    for await (const { data } of await test.openEvents('/three')) seen.push(data)
    assert.deepEqual(seen, ['a', 'b', 'c'])
    const events = await test.openEvents('/three')
    for await (const { data } of events) if (data === 'a') break
    assert.equal(events.readyState, 'closed')
    settleExecution(test)
  })

  it('follows redirects, each a hit, and keeps cookies', async () => {
    const { url, next } = await serveEvents({
      '/old': (answer) => void answer.writeHead(307, { location: '/new', 'set-cookie': 'a=1' }).end(),
      '/loop': (answer) => void answer.writeHead(302, { location: '/loop' }).end(),
    })
    const { test, meter } = makeUser({ serverUrl: url })
    const opened = next()
    await test.openEvents('/old')
    assert.equal((await opened).request.headers.cookie, 'a=1')
    assert.deepEqual(meter.lines, ['GET /old 307', 'GET /new 200'])
    await assert.rejects(test.openEvents('/loop'), { name: 'RedirectError' })
    assert.equal(meter.hits.length, 2 + 21)
  })

  it('does not tell another origin what was meant for the first', async () => {
    const seen: (string | undefined)[][] = []
    const look = (answer: ServerResponse, { headers }: IncomingMessage) => {
      seen.push([headers.authorization, headers['x-key'] as string | undefined])
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).end()
    }
    const other = await serveEvents({ '/there': look })
    const { url } = await serveEvents({
      '/away': (answer) => void answer.writeHead(302, { location: `${other.url}/there` }).end(),
      '/near': (answer) => void answer.writeHead(302, { location: '/here' }).end(),
      '/here': look,
    })
    const { test } = makeUser({ serverUrl: url })
    const headers = { Authorization: 'Bearer secret', 'x-key': 'k' }
    await test.openEvents('/near', { headers })
    await test.openEvents('/away', { headers })
    assert.deepEqual(seen, [
      ['Bearer secret', 'k'],
      [undefined, 'k'],
    ])
  })

  it('goes through a proxy', async () => {
    const seen: (string | undefined)[] = []
    const proxy = await serveHttp((request, answer) => {
      seen.push(request.url, request.headers.host, request.headers['proxy-authorization'])
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: through\n\n')
    })
    const { test } = makeUser({
      serverUrl: 'http://target.test:81',
      proxy: proxy.url.replace('//', '//me:pass@'),
    })
    const events = await test.openEvents('/x')
    assert.equal((await events.receive()).data, 'through')
    assert.deepEqual(seen, [
      'http://target.test:81/x',
      'target.test:81',
      `Basic ${Buffer.from('me:pass').toString('base64')}`,
    ])
  })

  it('names what is no stream of events', async () => {
    const { url } = await serveEvents({
      '/page': (answer) => void answer.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      '/missing': (answer) => void answer.writeHead(404).end(),
      '/cut': (answer) => void answer.socket!.destroy(),
      '/silent': () => {},
    })
    const { test, meter } = makeUser({ serverUrl: url })
    await assert.rejects(test.openEvents('/page'), {
      class: 'protocol',
      message: /the answer is "text\/html"/,
    })
    await assert.rejects(test.openEvents('/missing'), {
      class: 'protocol',
      message: /the server answered 404/,
    })
    await assert.rejects(test.openEvents('/cut'), { name: 'RequestError' })
    await assert.rejects(test.openEvents('/silent', { timeout: 20, name: 'slow' }), { class: 'timeout' })
    await assert.rejects(test.openEvents(`http://127.0.0.1:${await closedPort()}/`, { name: 'gone' }), {
      class: 'refused',
    })
    assert.deepEqual(meter.lines, [
      'GET /page protocol failed',
      'GET /missing 404 failed',
      `GET /cut ${meter.hits[2]!.status} failed`,
      'GET slow timeout failed',
      'GET gone refused failed',
    ])
    assert.ok(['reset', 'closed'].includes(meter.hits[2]!.status))
  })

  it('throws the break of a stream in the test', async () => {
    const { url, next } = await serveEvents()
    const { test } = makeUser({ serverUrl: url })
    const opened = next()
    const events = await test.openEvents('/x')
    const { answer } = await opened
    const receiving = events.receive()
    answer.socket!.destroy()
    await assert.rejects(receiving, { name: 'StreamError', message: /the stream broke/ })
    await events.closed

    const again = next()
    const unseen = await test.openEvents('/x')
    ;(await again).answer.socket!.destroy()
    await unseen.closed
    assert.throws(() => settleExecution(test), /the stream broke/)
    settleExecution(test)
  })

  it('ends with the execution that opened it, or with its user', async () => {
    const { url, next } = await serveEvents()
    const { test } = makeUser({ serverUrl: url })
    const first = next()
    const kept = await test.openEvents('/kept')
    keepUserSockets(test)
    const second = next()
    const own = await test.openEvents('/own')
    const gone = once((await second).answer, 'close')
    settleExecution(test)
    await own.closed
    await gone
    assert.equal(kept.readyState, 'open')
    const keptGone = once((await first).answer, 'close')
    await releaseUsers()
    await keptGone
    assert.equal(kept.readyState, 'closed')
  })

  it('is cut by the end of the run', async () => {
    const { url } = await serveEvents({ '/silent': () => {} })
    const { test, cut, meter } = makeUser({ serverUrl: url })
    const events = await test.openEvents('/x')
    const receiving = events.receive()
    const opening = test.openEvents('/silent')
    cut.abort()
    await assert.rejects(receiving, { name: 'InterruptedError' })
    await assert.rejects(opening, { name: 'InterruptedError' })
    await assert.rejects(test.openEvents('/x'), { name: 'InterruptedError' })
    assert.deepEqual(meter.lines, ['GET /x 200', 'GET /silent interrupted'])
  })

  it('speaks TLS, with the authority it is given', async () => {
    const { key, cert } = makeCertificate()
    const { port } = await serveHttps({ key, cert }, (_request, answer) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: safe\n\n')
    })
    const trusting = makeUser({ serverUrl: `https://localhost:${port}`, ca: cert })
    assert.equal((await (await trusting.test.openEvents('/')).receive()).data, 'safe')
    const doubting = makeUser({ serverUrl: `https://localhost:${port}` })
    await assert.rejects(doubting.test.openEvents('/'), { class: 'tls' })
  })

  it('throws what its callback throws', async () => {
    const { url, next } = await serveEvents()
    const { test } = makeUser({ serverUrl: url })
    const opened = next()
    const called = deferred()
    await test.openEvents('/x', {
      onEvent: () => {
        called.resolve()
        throw new Error('bad event')
      },
    })
    ;(await opened).answer.write('data: x\n\n')
    await called.promise
    assert.throws(() => settleExecution(test), /bad event/)
  })
})
