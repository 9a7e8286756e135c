import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { eachHttpClient } from '../../helpers/http-clients.ts'
import { bodyOf, serveHttp, serveTcp, stopServers } from '../../helpers/servers.ts'
import { makeUser, releaseUsers } from '../../helpers/user.ts'

/** Answers with what it got. */
async function echo() {
  const { url } = await serveHttp((request, response) => {
    void bodyOf(request).then((body) => {
      const { method, url: path, headers } = request
      response.end(JSON.stringify({ method, path, headers, body }))
    })
  })
  return url
}

interface Echo {
  method: string
  path: string
  headers: Record<string, string>
  body: string
}

eachHttpClient('HttpSession', () => {
  afterEach(async () => {
    await releaseUsers()
    await stopServers()
  })

  describe('answers', () => {
    it('are complete, with status, headers, body and time', async () => {
      const { url } = await serveHttp((_request, response) => {
        response.writeHead(201, { 'content-type': 'application/json', 'x-two': ['a', 'b'] })
        response.write('{"a":')
        setTimeout(() => response.end('1}'), 20)
      })
      const { test, meter } = makeUser({ serverUrl: url })
      const answer = await test.session.post('/things')
      assert.equal(answer.status, 201)
      assert.equal(answer.ok, true)
      assert.equal(answer.redirected, false)
      assert.equal(answer.method, 'POST')
      assert.equal(answer.url, `${url}/things`)
      assert.equal(answer.headers.get('Content-Type'), 'application/json')
      assert.equal(answer.headers.get('x-two'), 'a, b')
      assert.equal(answer.headers.get('x-none'), null)
      assert.deepEqual(answer.headers.getAll('X-Two'), ['a', 'b'])
      assert.equal(answer.headers.has('date'), true)
      assert.equal(Object.fromEntries(answer.headers)['content-type'], 'application/json')
      assert.equal(answer.text(), '{"a":1}')
      assert.deepEqual(answer.json(), { a: 1 })
      assert.deepEqual(answer.bytes, Buffer.from('{"a":1}'))
      assert.ok(answer.elapsed >= 15 && answer.elapsed < 60_000)
      const [hit] = meter.hits
      assert.equal(hit!.micros, Math.round(answer.elapsed * 1000))
      assert.equal(hit!.bytesIn, answer.bytesIn)
    })

    it('count the bytes that crossed the connection', async () => {
      let sent = 0
      let head = ''
      const body = 'x'.repeat(1000)
      const { url } = await serveTcp((socket) => {
        socket.on('data', (chunk: Buffer) => {
          head += chunk.toString()
          const text = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n${body}`
          sent = text.length
          socket.write(text)
        })
      })
      const { test, meter } = makeUser({ serverUrl: url })
      const answer = await test.session.get('/some/path?with=query')
      assert.equal(answer.text(), body)
      assert.equal(meter.hits[0]!.bytesIn, sent)
      assert.equal(meter.hits[0]!.bytesOut, head.length)
    })

    it('count what is sent with a body', async () => {
      let received = ''
      const { url } = await serveTcp((socket) => {
        socket.on('data', (chunk: Buffer) => {
          received += chunk.toString()
          if (received.endsWith('}')) socket.write('HTTP/1.1 204 No Content\r\n\r\n')
        })
      })
      const { test, meter } = makeUser({ serverUrl: url })
      const answer = await test.session.put('/x', { json: { name: 'Zoë' } })
      assert.equal(answer.status, 204)
      assert.equal(answer.text(), '')
      assert.equal(meter.hits[0]!.bytesOut, Buffer.byteLength(received))
    })

    it('are decompressed when read, and counted as they came', async () => {
      const text = 'compress me '.repeat(1000)
      const { url } = await serveHttp((request, response) => {
        assert.match(request.headers['accept-encoding']!, /gzip/)
        response.writeHead(200, { 'content-encoding': 'gzip' })
        response.end(gzipSync(text))
      })
      const { test } = makeUser({ serverUrl: url })
      const answer = await test.session.get('/')
      assert.ok(answer.bytesIn < 1000)
      assert.equal(answer.text(), text)
    })

    it('that are damaged say so when read, not before', async () => {
      const { url } = await serveHttp((_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' })
        response.end('{"this is": "not gzip"')
      })
      const { test, meter } = makeUser({ serverUrl: url })
      const answer = await test.session.get('/')
      assert.throws(() => answer.text(), { code: 'TESTCASE_BODY' })
      assert.deepEqual(meter.lines, ['GET / 200'])
    })

    it('that are no JSON are shown in the message', async () => {
      const { url } = await serveHttp((_request, response) => response.end('<html>'))
      const { test } = makeUser({ serverUrl: url })
      const answer = await test.session.get('/')
      assert.throws(() => answer.json(), { code: 'TESTCASE_BODY', message: /the body is no JSON: "<html>"/ })
    })

    it('are read in their charset', async () => {
      const { url } = await serveHttp((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/plain; charset=ISO-8859-1' })
        response.end(Buffer.from('Zo\xeb', 'latin1'))
      })
      const { test } = makeUser({ serverUrl: url })
      assert.equal((await test.session.get('/')).text(), 'Zoë')
    })

    it('of HEAD, 204 and 304 have no body and keep the connection', async () => {
      let connections = 0
      const { server, url } = await serveHttp((request, response) => {
        response.writeHead(
          request.method === 'HEAD' ? 200 : Number(request.url!.slice(1)),
          request.method === 'HEAD' ? { 'content-length': '5000' } : {},
        )
        response.end()
      })
      server.on('connection', () => connections++)
      const { test } = makeUser({ serverUrl: url })
      const head = await test.session.head('/')
      assert.equal(head.headers.get('content-length'), '5000')
      assert.equal(head.text(), '')
      assert.equal((await test.session.get('/204')).text(), '')
      assert.equal((await test.session.get('/304')).status, 304)
      assert.equal((await test.session.delete('/204', { json: { sure: true } })).status, 204)
      assert.equal((await test.session.get('/204')).status, 204)
      assert.equal(connections, 1)
    })

    it('may come after informational ones', async () => {
      const { url } = await serveTcp((socket) => {
        socket.on('data', () => {
          socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n')
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        })
      })
      const { test, meter } = makeUser({ serverUrl: url })
      const answer = await test.session.get('/')
      assert.equal(answer.text(), 'ok')
      assert.equal(answer.headers.has('link'), false)
      assert.deepEqual(meter.lines, ['GET / 200'])
    })

    it('in chunks, or ended by the close, are whole', async () => {
      const { url } = await serveTcp((socket) => {
        socket.on('data', (chunk: Buffer) => {
          if (chunk.includes('/chunked')) {
            socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
            setImmediate(() => socket.write('2\r\nde\r\n0\r\n\r\n'))
          } else {
            socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end')
          }
        })
      })
      const { test } = makeUser({ serverUrl: url })
      assert.equal((await test.session.get('/chunked')).text(), 'abcde')
      assert.equal((await test.session.get('/closed')).text(), 'until the end')
    })
  })

  describe('failed hits', () => {
    it('are answers of 400 and more, unless expected; answers are returned all the same', async () => {
      const { url } = await serveHttp((request, response) => {
        response.statusCode = Number(request.url!.slice(1))
        response.end()
      })
      const { test, meter } = makeUser({ serverUrl: url })
      assert.equal((await test.session.get('/399')).status, 399)
      assert.equal((await test.session.get('/404')).status, 404)
      await test.session.get('/404', { status: 404, name: 'one' })
      await test.session.get('/409', { status: [404, 409], name: 'list' })
      await test.session.get('/503', { status: (status) => status >= 500, name: 'function' })
      await test.session.get('/500', { status: [404], name: 'other' })
      assert.deepEqual(meter.lines, [
        'GET /399 399',
        'GET /404 404 failed',
        'GET one 404',
        'GET list 409',
        'GET function 503',
        'GET other 500 failed',
      ])
    })

    it('stay recorded when the function that judges them throws', async () => {
      const { url } = await serveHttp((_request, response) => {
        response.statusCode = 500
        response.end()
      })
      const { test, meter } = makeUser({ serverUrl: url })
      const judge = () => {
        throw new Error('judge')
      }
      await assert.rejects(test.session.get('/', { status: judge }), { message: 'judge' })
      assert.deepEqual(meter.lines, ['GET / 500 failed'])
    })
  })

  describe('requests', () => {
    it('carry default headers, which can be changed for all and for one', async () => {
      const { test } = makeUser({ serverUrl: await echo() })
      const first = (await test.session.get('/')).json<Echo>().headers
      assert.equal(first['user-agent'], 'loads-runner')
      assert.equal(first['accept'], '*/*')
      test.session.headers['User-Agent'] = 'mine'
      test.session.headers['x-key'] = '1'
      const second = (await test.session.get('/')).json<Echo>().headers
      assert.equal(second['user-agent'], 'mine')
      assert.equal(second['x-key'], '1')
      const third = (await test.session.get('/', { headers: { 'X-Key': '2', accept: null } })).json<Echo>()
        .headers
      assert.equal(third['x-key'], '2')
      assert.equal(third['accept'], undefined)
      assert.equal((await test.session.get('/')).json<Echo>().headers['x-key'], '1')
      delete test.session.headers['x-key']
      assert.equal((await test.session.get('/')).json<Echo>().headers['x-key'], undefined)
    })

    it('carry bodies of every form', async () => {
      const { test, meter } = makeUser({ serverUrl: await echo() })
      const send = async (options: Parameters<typeof test.session.post>[1]) =>
        (await test.session.post('/', options)).json<Echo>()

      const json = await send({ json: { a: [1] } })
      assert.deepEqual([json.body, json.headers['content-type']], ['{"a":[1]}', 'application/json'])
      assert.equal(json.headers['content-length'], '9')
      const form = await send({ form: { a: 'x y', b: [1, 2] } })
      assert.deepEqual(
        [form.body, form.headers['content-type']],
        ['a=x+y&b=1&b=2', 'application/x-www-form-urlencoded'],
      )
      assert.equal((await send({ form: new URLSearchParams({ q: 'ü' }) })).body, 'q=%C3%BC')
      assert.equal((await send({ body: 'text' })).headers['content-type'], 'text/plain;charset=UTF-8')
      assert.equal((await send({ body: Buffer.from('buffer') })).body, 'buffer')
      assert.equal((await send({ body: new Uint8Array([104, 105]) })).body, 'hi')
      const own = await send({ json: 1, headers: { 'Content-Type': 'application/vnd.own+json' } })
      assert.equal(own.headers['content-type'], 'application/vnd.own+json')

      const parts = new FormData()
      parts.set('field', 'value')
      parts.set('file', new Blob(['file content']), 'a.txt')
      const multipart = await send({ multipart: parts })
      assert.match(multipart.headers['content-type']!, /^multipart\/form-data; boundary=/)
      assert.match(multipart.body, /name="field"\r\n\r\nvalue/)
      assert.match(multipart.body, /filename="a.txt"/)

      const streamed = await send({ body: Readable.from(['a'.repeat(70_000), Buffer.from('b')]) })
      assert.equal(streamed.body, `${'a'.repeat(70_000)}b`)
      assert.equal(streamed.headers['transfer-encoding'], 'chunked')
      assert.ok(meter.hits.at(-1)!.bytesOut > 70_000)
      const iterated = await send({
        body: (async function* () {
          yield 'one '
          yield Buffer.from('two')
        })(),
      })
      assert.equal(iterated.body, 'one two')
      assert.equal((await send({})).headers['content-length'], '0')
    })

    it('carry large bodies, and bring large answers', async () => {
      const { url } = await serveHttp((request, response) => void request.pipe(response))
      const { test, meter } = makeUser({ serverUrl: url })
      for (const size of [64 * 1024, 64 * 1024 + 1, 2_000_000]) {
        const body = Buffer.alloc(size, `${size} `)
        const answer = await test.session.post('/', { body })
        assert.ok(answer.bytes.equals(body))
        const { bytesIn, bytesOut } = meter.hits.at(-1)!
        assert.ok(bytesIn > size && bytesOut > size)
      }
    })

    it('that are answered before they are sent end their connection', async () => {
      let connections = 0
      const { url } = await serveTcp((socket) => {
        connections++
        socket.once('data', () => {
          socket.pause()
          socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n')
        })
      })
      const { test } = makeUser({ serverUrl: url })
      for (let round = 1; round <= 2; round++) {
        // More than the buffers of both sides hold.
        const answer = await test.session.post('/', { body: Buffer.alloc(30_000_000) })
        assert.equal(answer.status, 413)
        assert.equal(connections, round)
      }
    })

    it('carry query, parameters and credentials', async () => {
      const { test, meter } = makeUser({ serverUrl: await echo() })
      const user = await test.session.get('/users/:id', { params: { id: 'a/7' }, query: { tag: ['x', 'y'] } })
      assert.equal(user.json<Echo>().path, '/users/a%2F7?tag=x&tag=y')
      const basic = await test.session.get('/', { auth: { username: 'ann', password: 'pass:word' } })
      assert.equal(
        basic.json<Echo>().headers['authorization'],
        `Basic ${Buffer.from('ann:pass:word').toString('base64')}`,
      )
      const bearer = await test.session.get('/', { auth: { bearer: 'token' } })
      assert.equal(bearer.json<Echo>().headers['authorization'], 'Bearer token')
      const inUrl = await test.session.get(`${test.app.serverUrl!.replace('//', '//bob:pw@')}/in-url`)
      assert.equal(
        inUrl.json<Echo>().headers['authorization'],
        `Basic ${Buffer.from('bob:pw').toString('base64')}`,
      )
      assert.doesNotMatch(inUrl.url, /bob/)
      assert.deepEqual(meter.lines, ['GET /users/:id 200', 'GET / 200', 'GET / 200', 'GET /in-url 200'])
    })

    it('are named by template, path or the test, and tagged', async () => {
      const { test, meter } = makeUser({ serverUrl: await echo() })
      const other = await echo()
      await test.session.get('/list?page=1')
      await test.session.request('get', '/x', { name: 'checkout', tags: { step: 'pay' } })
      await test.session.get(`${other}/path?secret=1`)
      await test.session.options('/')
      await test.session.patch('/')
      assert.deepEqual(meter.lines, [
        'GET /list 200',
        'GET checkout 200',
        `GET ${other}/path 200`,
        'OPTIONS / 200',
        'PATCH / 200',
      ])
      assert.deepEqual(meter.hits[1]!.tags, { step: 'pay' })
      assert.equal(meter.hits[0]!.tags, null)
    })

    it('that make no sense are refused before anything is sent or recorded', async () => {
      const { test, meter } = makeUser({ serverUrl: await echo() })
      const { session } = test
      await assert.rejects(session.post('/', { json: 1, body: 'x' }), { name: 'UsageError' })
      await assert.rejects(session.get('/:id', { params: {} }), { name: 'UsageError' })
      await assert.rejects(session.get('/', { headers: { 'bad name': 'x' } }), { name: 'UsageError' })
      await assert.rejects(session.get('/', { headers: { x: 'line\nbreak' } }), { name: 'UsageError' })
      await assert.rejects(session.get('/', { timeout: 'soon' }), { name: 'UsageError' })
      await assert.rejects(session.get('http://'), { name: 'UsageError' })
      await assert.rejects(session.get(5 as never), { name: 'UsageError' })
      await assert.rejects(session.post('/', { body: { a: 1 } as never }), { name: 'UsageError' })
      assert.deepEqual(meter.lines, [])
      assert.equal((await session.get('/after')).status, 200)
    })

    it('follow the server URL when it changes', async () => {
      const [one, two] = [await echo(), await echo()]
      const { test } = makeUser({ serverUrl: one })
      assert.equal((await test.session.get('/')).url, `${one}/`)
      test.app.serverUrl = two
      assert.equal((await test.session.get('/')).url, `${two}/`)
    })
  })

  describe('connections', () => {
    it('are kept between requests, and are each user its own', async () => {
      let connections = 0
      const { server, url } = await serveHttp((_request, response) => response.end('ok'))
      server.on('connection', () => connections++)
      const [one, two] = [makeUser({ serverUrl: url }), makeUser({ serverUrl: url })]
      for (let round = 0; round < 5; round++) {
        await one.test.session.get('/')
        await two.test.session.get('/')
      }
      assert.equal(connections, 2)
    })

    it('multiply for requests at the same time, and are used again', async () => {
      let connections = 0
      const waiting: ServerResponse[] = []
      const { server, url } = await serveHttp((_request, response) => {
        // None is answered before all are there.
        if (waiting.push(response) === 20) for (const each of waiting.splice(0)) each.end('ok')
      })
      server.on('connection', () => connections++)
      const { test, meter } = makeUser({ serverUrl: url })
      for (let round = 0; round < 2; round++) {
        await Promise.all(Array.from({ length: 20 }, () => test.session.get('/')))
      }
      assert.equal(connections, 20)
      assert.equal(meter.hits.length, 40)
    })

    it('are bounded: more requests wait for one to be free', async () => {
      let connections = 0
      const { server, url } = await serveHttp((_request, response) => response.end('ok'))
      server.on('connection', () => connections++)
      const { test, meter } = makeUser({ serverUrl: url })
      const answers = await Promise.all(Array.from({ length: 600 }, () => test.session.get('/')))
      assert.ok(answers.every((answer) => answer.status === 200))
      assert.ok(connections <= 256, `${connections}`)
      assert.equal(meter.hits.length, 600)
    })

    it('are closed when the user ends', async () => {
      const { server, url } = await serveHttp((_request, response) => response.end('ok'))
      const closed = new Promise<void>((resolve) => {
        server.on('connection', (socket) => socket.on('close', resolve))
      })
      const { test } = makeUser({ serverUrl: url })
      await test.session.get('/')
      await releaseUsers()
      await closed
      await assert.rejects(test.session.get('/'), { name: 'UsageError', message: /closed/ })
    })
  })

  describe('cookies', () => {
    it('are kept per user and sent back by the rules', async () => {
      const { url } = await serveHttp((request: IncomingMessage, response) => {
        if (request.url === '/login')
          response.setHeader('set-cookie', ['sid=abc; HttpOnly', 'only=deep; Path=/deep'])
        response.end(request.headers.cookie ?? 'none')
      })
      const [one, two] = [makeUser({ serverUrl: url }), makeUser({ serverUrl: url })]
      assert.equal((await one.test.session.get('/')).text(), 'none')
      const login = await one.test.session.post('/login')
      assert.deepEqual(login.cookies, { sid: 'abc', only: 'deep' })
      assert.equal((await one.test.session.get('/')).text(), 'sid=abc')
      assert.equal((await one.test.session.get('/deep/er')).text(), 'only=deep; sid=abc')
      assert.equal((await one.test.session.post('/')).text(), 'sid=abc')
      assert.equal((await one.test.session.get('/', { headers: { Cookie: 'own=1' } })).text(), 'own=1')
      assert.equal((await two.test.session.get('/')).text(), 'none')
      assert.equal(one.test.session.cookies.get('sid'), 'abc')
      one.test.session.cookies.set('sid', 'other')
      assert.equal((await one.test.session.get('/')).text(), 'sid=other')
      one.test.session.cookies.clear()
      assert.equal((await one.test.session.get('/')).text(), 'none')
    })
  })

  it('never brings the process down when a test forgets to await', async () => {
    const unhandled: unknown[] = []
    const listener = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', listener)
    try {
      const { test, meter } = makeUser({ serverUrl: 'http://127.0.0.1:9' })
      void test.session.get('/')
      void test.app.get('/')
      void test.createWs('/')
      while (meter.hits.length < 3) await sleep(5)
      await sleep(20)
      assert.deepEqual(unhandled, [])
    } finally {
      process.off('unhandledRejection', listener)
    }
  })
})
