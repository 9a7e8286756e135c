import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import type { Socket } from 'node:net'
import type { RequestError } from '../../../src/errors.ts'
import type { RequestOptions } from '../../../src/sessions/http/http-request.ts'
import { deferred } from '../../helpers/deferred.ts'
import { eachHttpClient } from '../../helpers/http-clients.ts'
import { closedPort, serveHttp, serveTcp, stopServers } from '../../helpers/servers.ts'
import { makeUser, releaseUsers, type TestUser } from '../../helpers/user.ts'

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Expects one request to break with a class, as error and as hit. */
async function breaks(
  user: TestUser,
  url: string,
  hitClass: string,
  options?: RequestOptions,
): Promise<RequestError> {
  const before = user.meter.hits.length
  let error: RequestError | undefined
  await assert.rejects(user.test.session.get(url, options), (thrown: RequestError) => {
    error = thrown
    return true
  })
  assert.equal(error!.name, 'RequestError', String(error))
  assert.equal(error!.class, hitClass, String(error))
  assert.equal(error!.method, 'GET')
  assert.ok(error!.cause instanceof Error)
  assert.equal(user.meter.hits.length, before + 1)
  const hit = user.meter.hits.at(-1)!
  assert.deepEqual([hit.status, hit.failed], [hitClass, true])
  assert.ok(hit.micros >= 0)
  return error!
}

eachHttpClient('HttpSession, attempts without an answer', () => {
  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  it('refused', async () => {
    const user = makeUser()
    const port = await closedPort()
    const error = await breaks(user, `http://127.0.0.1:${port}/x?token=1`, 'refused')
    assert.match(
      error.message,
      new RegExp(`^GET http://127\\.0\\.0\\.1:${port}/x: the connection was refused`),
    )
    assert.match(error.message, /ECONNREFUSED/)
    assert.equal(error.url, `http://127.0.0.1:${port}/x?token=1`)
    assert.equal(user.meter.hits.at(-1)!.bytesOut, 0, 'nothing was sent')
    await breaks(user, `http://localhost:${port}/`, 'refused')
  })

  it('dns', async () => {
    const error = await breaks(makeUser(), 'http://no-such-host.invalid/', 'dns')
    assert.match(error.message, /could not be resolved/)
  })

  it('reset', async () => {
    const { url } = await serveTcp((socket) => socket.on('data', () => socket.resetAndDestroy()))
    await breaks(makeUser(), url, 'reset')
  })

  it('closed before the answer', async () => {
    const { url } = await serveTcp((socket) => socket.on('data', () => socket.end()))
    await breaks(makeUser(), url, 'closed')
  })

  it('closed in the middle of the body', async () => {
    const lengths = ['Content-Length: 100\r\n\r\npart', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n']
    for (const connection of ['', 'Connection: close\r\n']) {
      for (const rest of lengths) {
        const { url } = await serveTcp((socket) =>
          socket.on('data', () => socket.end(`HTTP/1.1 200 OK\r\n${connection}${rest}`)),
        )
        const user = makeUser()
        await breaks(user, url, 'closed')
        assert.ok(user.meter.hits[0]!.bytesIn > 0)
      }
    }
  })

  it('protocol', async () => {
    for (const garbage of [
      'SSH-2.0-OpenSSH_9.0\r\n',
      'HTTP/1.1 two hundred\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ]) {
      const { url } = await serveTcp((socket) => socket.on('data', () => socket.write(garbage)))
      await breaks(makeUser(), url, 'protocol')
    }
  })

  it('protocol, for a head larger than Node takes', async () => {
    const { url } = await serveTcp((socket) =>
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)),
    )
    await breaks(makeUser(), url, 'protocol')
  })

  it('protocol, for a body larger than allowed, which is not read to its end', async () => {
    let sent = 0
    const { url } = await serveHttp((_request, response) => {
      const more = () => {
        while (sent < 1e9 && !response.destroyed) {
          sent += 100_000
          if (!response.write(Buffer.alloc(100_000))) return void response.once('drain', more)
        }
      }
      more()
    })
    const user = makeUser()
    user.test.session.maxBodyBytes = 1_000_000
    const error = await breaks(user, url, 'protocol')
    assert.match(error.message, /larger than 1000000 bytes \(session\.maxBodyBytes\)/)
    assert.ok(sent < 1e9)
  })

  it('tls, where the server speaks none', async () => {
    const { port } = await serveTcp((socket) =>
      socket.on('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
    )
    await breaks(makeUser(), `https://127.0.0.1:${port}/`, 'tls')
  })

  describe('timeout', () => {
    it('for an answer that does not begin', async () => {
      const { url } = await serveTcp(() => {})
      const user = makeUser({ timeoutMs: 100 })
      const error = await breaks(user, url, 'timeout')
      assert.match(error.message, /no complete answer after 100 ms/)
      assert.ok(user.meter.hits[0]!.micros >= 98_000, `${user.meter.hits[0]!.micros}`)
    })

    it('for an answer that does not end, though bytes keep coming', async () => {
      const { url } = await serveTcp((socket) => {
        socket.on('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
          const timer = setInterval(() => socket.write('1\r\nx\r\n'), 10)
          socket.on('close', () => clearInterval(timer))
        })
      })
      const user = makeUser()
      await breaks(user, url, 'timeout', { timeout: '1s' })
      assert.ok(user.meter.hits[0]!.bytesIn > 0)
    })

    it('for a connection that is not made, which is given up', async () => {
      const givenUp = deferred()
      const { port } = await serveTcp((socket) => socket.resume().on('close', () => givenUp.resolve()))
      const user = makeUser({ timeoutMs: 100 })
      // A server that never answers the TLS handshake.
      await breaks(user, `https://127.0.0.1:${port}/`, 'timeout')
      await givenUp.promise
    })

    it('is none when it is 0 or endless', async () => {
      const { url } = await serveHttp((_request, response) => setTimeout(() => response.end('ok'), 50))
      for (const timeoutMs of [0, Infinity]) {
        assert.equal((await makeUser({ timeoutMs }).test.session.get(url)).status, 200)
      }
    })

    it('counts from the sending, however long the turn before it was', async () => {
      const { url } = await serveHttp((_request, response) => setTimeout(() => response.end('ok'), 50))
      const { test } = makeUser({ timeoutMs: 3000, serverUrl: url })
      await test.session.get('/')
      const busyUntil = performance.now() + 3500
      while (performance.now() < busyUntil);
      assert.equal((await test.session.get('/')).status, 200)
    })

    it('ends the connection, and the next request gets a new one', async () => {
      let connections = 0
      const { server, url } = await serveHttp((request, response) => {
        if (request.url === '/fast') response.end('ok')
      })
      server.on('connection', () => connections++)
      const user = makeUser({ serverUrl: url })
      assert.equal((await user.test.session.get('/fast')).status, 200)
      await breaks(user, '/slow', 'timeout', { timeout: 50 })
      assert.equal((await user.test.session.get('/fast')).status, 200)
      assert.equal(connections, 2)
    })
  })

  describe('stale-connection', () => {
    /** Answers the first request of a connection; `then` gets the connection when a second one arrives. */
    async function oneAnswerThen(then: (socket: Socket) => void) {
      let requests = 0
      const { url } = await serveTcp((socket) => {
        let first = true
        socket.on('data', () => {
          requests++
          if (first) socket.write(ok)
          else then(socket)
          first = false
        })
      })
      return { url, requests: () => requests }
    }

    it('is a failed hit and is not sent again', async () => {
      const server = await oneAnswerThen((socket) => socket.resetAndDestroy())
      const user = makeUser({ serverUrl: server.url })
      await user.test.session.get('/')
      // Longer than the break takes, on any machine.
      await new Promise((resolve) => setTimeout(resolve, 2000))
      const error = await breaks(user, '/', 'stale-connection')
      assert.match(error.message, /it was not sent again/)
      assert.equal(server.requests(), 2)
      assert.equal((await user.test.session.get('/')).status, 200)
    })

    it('is not what a server that dies at its work leaves behind', async () => {
      const server = await oneAnswerThen((socket) => setTimeout(() => socket.destroy(), 2000))
      const user = makeUser({ serverUrl: server.url })
      await user.test.session.get('/')
      await breaks(user, '/', 'closed')
      assert.equal(server.requests(), 2)
    })

    it('does not happen when the close was seen before the sending', async () => {
      let connections = 0
      const { url } = await serveTcp((socket) => {
        connections++
        socket.on('data', () => socket.end(ok))
      })
      const user = makeUser({ serverUrl: url })
      for (let round = 0; round < 3; round++) {
        assert.equal((await user.test.session.get('/')).status, 200)
        while (user.meter.connections.filter((event) => event === 'closed').length <= round)
          await new Promise((resolve) => setTimeout(resolve, 5))
      }
      assert.equal(connections, 3)
      assert.deepEqual(user.meter.lines, ['GET / 200', 'GET / 200', 'GET / 200'])
    })
  })

  describe('interrupted', () => {
    it('ends what is running, counts it as not failed, and refuses what comes later', async () => {
      const { url } = await serveHttp((_request, response) => {
        response.write('begun')
        setImmediate(() => user.cut.abort())
      })
      const user = makeUser({ serverUrl: url })
      const both = await Promise.allSettled([user.test.session.get('/a'), user.test.session.get('/b')])
      for (const each of both) {
        assert.equal(each.status, 'rejected')
        assert.equal((each as PromiseRejectedResult).reason.name, 'InterruptedError')
      }
      assert.deepEqual(user.meter.lines.toSorted(), ['GET /a interrupted', 'GET /b interrupted'])
      await assert.rejects(user.test.session.get('/c'), { code: 'TESTCASE_INTERRUPTED' })
      assert.equal(user.meter.hits.length, 2)
    })

    it('leaves tearDown its own signal, and connections to speak with', async () => {
      const { url } = await serveHttp((request, response) => {
        if (request.url !== '/hang') response.end('ok')
        else setImmediate(() => user.cut.abort())
      })
      const user = makeUser({ serverUrl: url })
      await assert.rejects(user.test.session.get('/hang'), { name: 'InterruptedError' })
      user.context.signal = new AbortController().signal
      assert.equal((await user.test.session.delete('/clean-up')).status, 200)
    })

    it('reaches a request that is still connecting', async () => {
      const givenUp = deferred()
      const { port } = await serveTcp((socket) => {
        socket.on('data', () => user.cut.abort()).on('close', () => givenUp.resolve())
      })
      const user = makeUser()
      // The server gets the first message of the TLS handshake and never answers.
      await assert.rejects(user.test.session.get(`https://127.0.0.1:${port}/`), { name: 'InterruptedError' })
      await givenUp.promise
      assert.deepEqual(user.meter.lines, [`GET https://127.0.0.1:${port}/ interrupted`])
    })

    it("follows the test's own signal for one request", async () => {
      const { url } = await serveHttp((request, response) => {
        if (request.url === '/') response.end('ok')
        else setImmediate(() => own.abort())
      })
      const own = new AbortController()
      const user = makeUser({ serverUrl: url })
      await assert.rejects(user.test.session.get('/hang', { signal: own.signal }), {
        name: 'InterruptedError',
      })
      await assert.rejects(user.test.session.get('/', { signal: own.signal }), { name: 'InterruptedError' })
      assert.equal((await user.test.session.get('/')).status, 200)
      assert.deepEqual(user.meter.lines, ['GET /hang interrupted', 'GET / 200'])
    })

    it('needs no more than one listener for a user, and leaves none behind', async () => {
      const { url } = await serveHttp((_request, response) => response.end('ok'))
      const user = makeUser({ serverUrl: url })
      const own = new AbortController()
      const warnings: Error[] = []
      const onWarning = (warning: Error) => void warnings.push(warning)
      process.on('warning', onWarning)
      try {
        await Promise.all(
          Array.from({ length: 30 }, () => user.test.session.get('/', { signal: own.signal })),
        )
        assert.equal(getEventListeners(own.signal, 'abort').length, 0)
        assert.equal(getEventListeners(user.cut.signal, 'abort').length, 1)
        await releaseUsers()
        assert.equal(getEventListeners(user.cut.signal, 'abort').length, 0)
        await new Promise((resolve) => setImmediate(resolve))
        assert.deepEqual(warnings, [])
      } finally {
        process.off('warning', onWarning)
      }
    })

    it('happens to what still runs when the user ends', async () => {
      const { url } = await serveHttp(() => void releaseUsers())
      const user = makeUser({ serverUrl: url })
      await assert.rejects(user.test.session.get('/'), { name: 'InterruptedError' })
      assert.deepEqual(user.meter.lines, ['GET / interrupted'])
    })
  })

  describe("a test's own body stream that breaks", () => {
    it('is thrown as it is, and is no failure of the server', async () => {
      const { url } = await serveHttp((request, response) => {
        request.on('error', () => {})
        request.resume().on('end', () => response.end('ok'))
      })
      const user = makeUser({ serverUrl: url })
      const iterable = (async function* () {
        yield 'begun'
        throw new RangeError('no more')
      })()
      await assert.rejects(user.test.session.post('/', { body: iterable }), {
        name: 'RangeError',
        message: 'no more',
      })
      const stream = new Readable({
        read() {
          this.destroy(new RangeError('broken'))
        },
      })
      await assert.rejects(user.test.session.post('/', { body: stream }), {
        name: 'RangeError',
        message: 'broken',
      })
      assert.deepEqual(user.meter.lines, [])
      assert.equal((await user.test.session.get('/')).status, 200)
    })
  })

  it('leads with its stack to the line of the test', async () => {
    const user = makeUser()
    const port = await closedPort()
    async function lineOfTheTest() {
      await user.test.session.get(`http://127.0.0.1:${port}/`)
    }
    await assert.rejects(lineOfTheTest(), (error: Error) => /lineOfTheTest/.test(error.stack!))
  })
})
