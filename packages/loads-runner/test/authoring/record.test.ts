import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { IncomingMessage, RequestListener, RequestOptions, Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { recordCommand } from '../../src/authoring/record.ts'
import type { RecordOptions } from '../../src/authoring/record.ts'
import { UsageError } from '../../src/errors.ts'
import { fakeWorld } from '../fake-world.ts'
import type { FakeOutput } from '../fake-world.ts'
import { runModule } from './run-module.ts'

interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
}

async function ask(address: string, options: RequestOptions = {}, body = ''): Promise<Answer> {
  const sent = request(address, { agent: false, ...options })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return { status: answer.statusCode!, headers: answer.headers, body: text }
}

const shop: RequestListener = (asked, answer) => {
  const { url, method, headers } = asked
  if (url === '/login') {
    answer.setHeader('set-cookie', 'sid=1; Domain=shop.example; Secure; HttpOnly; SameSite=None')
    answer.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    return void answer.end(gzipSync('{"token":"abc-123-def"}'))
  }
  if (url === '/old') return void answer.writeHead(302, { location: `http://${headers.host}/new` }).end()
  if (url === '/style.css') return void answer.writeHead(200, { 'content-type': 'text/css' }).end('a{}')
  asked
    .resume()
    .on('end', () => answer.end(`${method} ${url} ${headers.host} ${String(headers['x-mine'] ?? '')}`))
}

describe('loads record', () => {
  let directory: string
  let target: Server
  let url: string
  const recordings: { stop: () => Promise<unknown> }[] = []

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'loads-record-'))
    target = createServer(shop).listen(0, '127.0.0.1')
    await once(target, 'listening')
    url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    for (const { stop } of recordings.splice(0)) await stop()
    for (const file of await readdir(directory)) await rm(join(directory, file))
  })
  after(async () => {
    target.closeAllConnections()
    target.close()
    await rm(directory, { recursive: true, force: true })
  })

  /** Starts to record; `stop` is Ctrl-C. */
  async function start(changes: Partial<RecordOptions> = {}) {
    const world = fakeWorld([], { cwd: directory })
    const lines = new Lines(world.stdout)
    const options: RecordOptions = {
      port: 0,
      host: '127.0.0.1',
      target: null,
      output: 'recorded.ts',
      insecure: false,
      all: false,
      pauses: false,
      force: false,
      ...changes,
    }
    const running = recordCommand(world, options)
    running.catch(() => {})
    const stop = () => {
      world.signal('SIGINT')
      return running
    }
    recordings.push({ stop: () => stop().catch(() => {}) })
    const [, address] = await lines.match(/(http:\/\/127\.0\.0\.1:\d+)/)
    return {
      address: address!,
      lines,
      stop,
      running,
      world,
      text: () => readFile(join(directory, 'recorded.ts'), 'utf8'),
    }
  }

  it('stands for a target and writes what was done, when it is stopped', async () => {
    const { address, lines, stop, text, world } = await start({ target: url })
    const login = await ask(
      `${address}/login`,
      { method: 'POST', headers: { 'content-type': 'application/json' } },
      '{"a":1}',
    )
    assert.deepEqual(login.headers['set-cookie'], ['sid=1; HttpOnly'])
    const own = await ask(`${address}/me`, {
      headers: { authorization: 'Bearer abc-123-def', 'x-mine': 'yes' },
    })
    assert.equal(own.body, `GET /me ${new URL(url).host} yes`)
    const moved = await ask(`${address}/old`)
    assert.equal(moved.headers.location, `${address}/new`)
    await ask(`${address}/new`)
    await ask(`${address}/style.css`)
    await lines.match(/^GET \/style\.css 200 \(asset\)$/m)
    assert.equal(await stop(), 0)
    assert.match(
      world.stdout.content,
      /recorded\.ts: 3 requests, 1 value taken .*left out: 1 asset .*, 1 redirect/,
    )
    assert.match(world.stdout.content, /Next: loads-runner recorded\n$/)
    const { requests, classes } = await runModule(await text(), ({ url: path }) =>
      path === '/login' ? { status: 200, json: { token: 'fresh' } } : { status: 200 },
    )
    assert.equal(classes['TestRecording'].serverUrl, url)
    assert.deepEqual(requests, [
      { method: 'POST', url: '/login', options: { json: { a: 1 } } },
      { method: 'GET', url: '/me', options: { auth: { bearer: 'fresh' }, headers: { 'x-mine': 'yes' } } },
      { method: 'GET', url: '/old', options: {} },
    ])
  })

  it('is an ordinary proxy without a target', async () => {
    const { address, stop, text } = await start()
    const { hostname, port } = new URL(address)
    const answer = await ask(`http://${hostname}:${port}`, { path: `${url}/plain?x=1` })
    assert.equal(answer.body, `GET /plain?x=1 ${new URL(url).host} `)
    assert.equal((await ask(`${address}/direct`)).status, 400)
    await stop()
    const { requests } = await runModule(await text())
    assert.deepEqual(requests, [{ method: 'GET', url: '/plain', options: { query: { x: '1' } } }])
  })

  it('passes tunnels and upgrades on, and says that they are not recorded', async () => {
    const echo = createTcpServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const { port } = echo.address() as AddressInfo
    const { address, lines, stop, world } = await start()
    const tunnel = connect(Number(new URL(address).port), '127.0.0.1')
    tunnel.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`)
    assert.match(await firstText(tunnel), /^HTTP\/1\.1 200/)
    tunnel.write('through')
    assert.equal(await firstText(tunnel), 'through')
    await lines.match(
      /not recorded: https to 127\.0\.0\.1 is encrypted .*--target https:\/\/127\.0\.0\.1:\d+/,
    )
    assert.equal(await stop(), 0)
    assert.match(world.stdout.content, /nothing was recorded; no file is written/)
    assert.deepEqual(await readdir(directory), [])
    tunnel.destroy()
    echo.close()

    const upgraded = createServer().on('upgrade', (_, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n')
      socket.pipe(socket)
    })
    await once(upgraded.listen(0, '127.0.0.1'), 'listening')
    const second = await start({ target: `http://127.0.0.1:${(upgraded.address() as AddressInfo).port}` })
    const socket = connect(Number(new URL(second.address).port), '127.0.0.1')
    socket.write('GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    assert.match(await firstText(socket), /^HTTP\/1\.1 101/)
    socket.write('hello')
    assert.equal(await firstText(socket), 'hello')
    await second.lines.match(/not recorded: echo to /)
    await second.stop()
    upgraded.close()
  })

  it('speaks TLS with a target that does', async () => {
    const key = join(directory, 'key.pem')
    const cert = join(directory, 'cert.pem')
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
    ]
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert, '-subj', '/CN=localhost'], {
      stdio: 'ignore',
    })
    const secure = createSecureServer({ key: await readFile(key), cert: await readFile(cert) }, shop)
    await once(secure.listen(0, '127.0.0.1'), 'listening')
    const secureUrl = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`
    const strict = await start({ target: secureUrl })
    assert.equal((await ask(`${strict.address}/x`)).status, 502)
    await strict.stop()
    const { address, stop, text } = await start({ target: secureUrl, insecure: true })
    assert.equal((await ask(`${address}/x`)).body, `GET /x ${new URL(secureUrl).host} `)
    await stop()
    const { requests, classes } = await runModule(await text())
    assert.deepEqual(requests, [{ method: 'GET', url: '/x', options: {} }])
    assert.equal(classes['TestRecording'].serverUrl, secureUrl)
    secure.closeAllConnections()
    secure.close()
  })

  it('answers 502 where the target does not, and goes on', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    // While the target has its port, the recorder gets another one.
    const { address, lines, stop } = await start({ target: `http://127.0.0.1:${port}` })
    await new Promise((resolve) => gone.close(resolve))
    const answer = await ask(`${address}/x`)
    assert.equal(answer.status, 502)
    await lines.match(/GET .*\/x failed: .*ECONNREFUSED/)
    assert.equal(await stop(), 0)
  })

  it('passes large bodies on and leaves them out of the test', async () => {
    const { address, lines, stop, world, text } = await start({ target: url })
    const body = 'x'.repeat(2 * 1024 * 1024)
    assert.equal((await ask(`${address}/big`, { method: 'PUT' }, body)).status, 200)
    await lines.match(/^PUT \/big 200$/m)
    await stop()
    assert.match(world.stderr.content, /warning: the body of PUT \/big was too large and is left out/)
    assert.ok((await text()).length < 1000)
  })

  it('writes over nothing, and says it before it records', async () => {
    await writeFile(join(directory, 'recorded.ts'), 'mine')
    const world = fakeWorld([], { cwd: directory })
    const options = { port: 0, host: '127.0.0.1', target: url, insecure: false, all: false, pauses: false }
    await assert.rejects(
      recordCommand(world, { ...options, output: 'recorded.ts', force: false }),
      (error: unknown) => error instanceof UsageError && /recorded\.ts exists/.test(error.message),
    )
    assert.equal(world.listeners, 0)
  })

  it('says when the port is taken', async () => {
    const { address } = await start({ target: url })
    const port = Number(new URL(address).port)
    const world = fakeWorld([], { cwd: directory })
    const options = {
      host: '127.0.0.1',
      target: url,
      insecure: false,
      all: false,
      pauses: false,
      force: false,
    }
    await assert.rejects(
      recordCommand(world, { ...options, port, output: 'other.ts' }),
      (error: unknown) =>
        error instanceof UsageError && /EADDRINUSE.*choose another with --port/.test(error.message),
    )
    assert.equal(world.listeners, 0)
  })
})

async function firstText(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  return chunk.toString()
}

/** Waits for what a command writes. */
class Lines {
  readonly #output: FakeOutput
  #waiting: (() => void)[] = []

  constructor(output: FakeOutput) {
    this.#output = output
    const write = output.write.bind(output)
    output.write = (text) => {
      write(text)
      for (const check of this.#waiting) check()
    }
  }

  match(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const check = () => {
        const found = pattern.exec(this.#output.content)
        if (found === null) return
        this.#waiting = this.#waiting.filter((each) => each !== check)
        resolve(found)
      }
      this.#waiting.push(check)
      check()
    })
  }
}
