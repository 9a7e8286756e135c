import assert from 'node:assert/strict'
import { once } from 'node:events'
import { WebSocketServer } from 'ws'
import { defaultConnections, type ConnectionOptions } from '../../src/context.ts'
import { traceIdOf } from '../../src/sessions/trace.ts'
import { settleExecution } from '../../src/user-link.ts'
import { serveGreeter, stopGreeters } from '../helpers/greeter.ts'
import { serveHttp, stopServers } from '../helpers/servers.ts'
import { makeUser, releaseUsers } from '../helpers/user.ts'

describe('SessionSet', () => {
  afterEach(async () => {
    await releaseUsers()
    stopGreeters()
    await stopServers()
  })

  for (const [policy, connections] of [
    ['fresh', 2],
    ['user', 1],
  ] as const) {
    it(`ends an execution for its HTTP connections too: policy ${policy}`, async () => {
      const { server, url } = await serveHttp((_request, answer) => answer.end('x'))
      let opened = 0
      server.on('connection', () => opened++)
      const options: ConnectionOptions = { ...defaultConnections, policy }
      const { test } = makeUser({ serverUrl: url, connections: options })
      for (let execution = 0; execution < 2; execution++) {
        await test.session.get('/')
        await test.session.get('/')
        settleExecution(test)
      }
      assert.equal(opened, connections)
    })
  }

  it('tells the target which execution a WebSocket, a stream of events and a gRPC call belong to', async () => {
    const seen: (string | undefined)[] = []
    const { server, url } = await serveHttp((request, answer) => {
      seen.push(request.headers.traceparent as string | undefined)
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).end()
    })
    new WebSocketServer({ server }).on('connection', (_socket, request) => {
      seen.push(request.headers['traceparent'] as string | undefined)
    })
    const address = await serveGreeter()
    const { test, context } = makeUser({ serverUrl: url, trace: true })
    await test.openEvents('/')
    await (await test.createWs('/')).close()
    const greeter = await test.grpc('greeter.proto', 'demo.Greeter', { address })
    const { message } = await greeter['SayHello']!({ name: 'trace' })
    seen.push(String(message).slice('hello '.length))
    const pattern = new RegExp(`^00-${traceIdOf('run-1', context.executionId)}-[0-9a-f]{16}-01$`)
    assert.equal(seen.length, 3)
    for (const each of seen) assert.match(each!, pattern)
    assert.equal(new Set(seen).size, 3)
    const silent = makeUser({ serverUrl: url })
    await silent.test.openEvents('/')
    assert.equal(seen[3], undefined)
  })

  it('keeps the first error of sessions that are over and forgotten', async () => {
    let opened = 0
    const { url } = await serveHttp((_request, answer) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      // The third breaks, the others end.
      if (++opened === 3) answer.socket!.destroy()
      else answer.end()
    })
    const { test } = makeUser({ serverUrl: url })
    for (let count = 0; count < 600; count++) {
      const events = await test.openEvents('/')
      await events.closed
    }
    assert.throws(() => settleExecution(test), { name: 'StreamError', message: /the stream broke/ })
    settleExecution(test)
  })

  it('closes everything with its user, also what failed to open', async () => {
    const { server, url } = await serveHttp((_request, answer) => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    })
    new WebSocketServer({ server })
    const { test, context } = makeUser({ serverUrl: url })
    const ws = await test.createWs('/')
    const events = await test.openEvents('/')
    const bad = test.grpc('none.proto', 'x')
    await assert.rejects(bad, { name: 'UsageError' })
    assert.equal(context.signal.aborted, false)
    const closed = Promise.all([ws.closed, events.closed])
    await releaseUsers()
    await closed
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  })
})
