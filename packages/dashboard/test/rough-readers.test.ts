import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { DashboardServer } from '../src/dashboard-server.ts'
import { ask, EventStream } from './support/http-client.ts'
import { runRow, ScriptedSource } from './support/scripted-source.ts'
import { ScriptedRun } from './support/scripted-run.ts'

const token = 'a-token-of-the-tests-0123456789'

describe('rough readers of the dashboard', () => {
  let source: ScriptedSource
  let server: DashboardServer
  const sockets: Socket[] = []

  beforeEach(async () => {
    source = new ScriptedSource()
    const options = { host: '127.0.0.1', port: 0, source, past: null, token, hostNames: [], version: '1' }
    server = await DashboardServer.start(options)
  })

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await server.close()
  })

  async function dial(): Promise<Socket> {
    const socket = connect(server.port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  async function answerTo(...parts: (string | Buffer)[]): Promise<string> {
    const socket = await dial()
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => (text += part))
    for (const part of parts) socket.write(part)
    if (!socket.closed) await once(socket, 'close')
    return text
  }

  it('answers garbage, and goes on', async () => {
    const garbage: (string | Buffer)[] = [
      'hello\r\n\r\n',
      '\0\0\0\0\r\n\r\n',
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
      'GET / HTTP/9.9\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
      `GET /${'x'.repeat(70_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
    ]
    for (const each of garbage)
      assert.match(await answerTo(each), /^HTTP\/1\.1 4\d\d /, String(each).slice(0, 40))
    assert.equal((await ask(server, '/api/runs')).status, 200)
  })

  it('outlives those who hang up in the middle of anything', async () => {
    const run = new ScriptedRun()
    source.say('run-1', ...run.begin(), run.second())
    source.see(runRow('run-1'))
    const head = 'Host: 127.0.0.1\r\n'
    const post = `POST /api/runs/run-1/stop HTTP/1.1\r\n${head}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\n`
    for (const text of [
      'GE',
      `GET /api/runs HTTP/1.1\r\n${head}`,
      `GET /api/runs/run-1/events HTTP/1.1\r\n${head}\r\n`,
      `${post}Content-Length: 100\r\n\r\n{"mode`,
      `${post}Transfer-Encoding: chunked\r\n\r\n5\r\n{"mod`,
    ])
      for (let times = 0; times < 20; times++) {
        const socket = await dial()
        socket.write(text)
        if (times % 2 === 0) socket.resetAndDestroy()
        else socket.destroy()
      }
    assert.equal((await ask(server, '/api/runs/run-1')).status, 200)
    assert.deepEqual(source.asked, [])
  })

  it('cuts off those who dawdle over a request, and not those who listen', async function () {
    this.timeout(180_000)
    const listener = await EventStream.open(server, '/api/events')
    const began = performance.now()
    const socket = await dial()
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => (text += part))
    socket.write('GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1\r\n')
    const drip = setInterval(() => socket.write('X-Slow: 1\r\n'), 500)
    const silent = await dial()
    silent.resume()
    await Promise.all([once(socket, 'close'), once(silent, 'close')])
    clearInterval(drip)
    assert.match(text, /^HTTP\/1\.1 408 /)
    assert.ok(performance.now() - began >= 9_000)
    // A sign of life, although nothing has happened.
    await listener.until(({ comments }) => comments > 0)
    assert.equal(listener.closed, false)
    listener.close()
  })

  it('serves on when there are more connections than it takes', async function () {
    this.timeout(180_000)
    // What is beyond its number is closed at once; those that are in stay in.
    let closed = 0
    const dialled: Socket[] = []
    for (let index = 0; index < 1_200; index++) {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.on('close', () => closed++)
      dialled.push(socket)
      sockets.push(socket)
      if (index % 100 === 99) await once(socket, 'connect').catch(() => {})
    }
    while (closed < 150)
      await once(
        dialled.findLast((socket) => !socket.closed)!,
        'close',
      )
    assert.ok(closed < 1_200)
    for (const socket of dialled) socket.destroy()
    while (closed < 1_200) await new Promise((resolve) => setImmediate(resolve))
    assert.equal((await ask(server, '/api/runs')).status, 200)
  })

  it('cuts off a reader that sleeps, keeps the others, and gives it all when it is back', async function () {
    this.timeout(180_000)
    const run = new ScriptedRun({ series: 400, agents: 1 })
    source.say('run-1', ...run.begin())
    source.see(runRow('run-1'))
    const awake = await EventStream.open(server, '/api/runs/run-1/events')
    const sleeper = await dial()
    sleeper.pause()
    sleeper.write('GET /api/runs/run-1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    const before = process.memoryUsage().rss
    let said = 0
    // As much as fills what the system holds for a socket, and then what the server does.
    for (const until = performance.now() + 150_000; performance.now() < until && !sleeper.closed;) {
      for (let second = 0; second < 5; second++) {
        source.say('run-1', run.second())
        source.say('run-1', { type: 'log', at: 1, level: 'info', source: 'x', text: 'y'.repeat(4_000) })
      }
      for (let line = 0; line < 300; line++)
        source.say('run-1', { type: 'log', at: line, level: 'info', source: 'x', text: 'z'.repeat(4_000) })
      said++
      const seen = awake.events.length
      await awake.until(({ events }) => events.length > seen)
      // A socket that is not read does not notice its end; what is written to it does.
      sleeper.write(' ')
    }
    assert.ok(sleeper.closed, `the sleeper was never cut off, after ${said} updates`)
    assert.ok(process.memoryUsage().rss - before < 400 * 1024 * 1024)
    assert.equal(awake.closed, false)
    const back = await EventStream.open(server, '/api/runs/run-1/events')
    await back.until(({ events }) => events.length > 0)
    assert.equal(back.model().head.runId, 'run-1')
    const seconds = back.model().points.fromMs.length
    assert.ok(seconds >= said * 5 - 3)
    awake.close()
    back.close()
  })
})
