import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { startTarget as startExampleTarget } from '../examples/target/server.js'
import { runCli, startCli } from './helpers/run-cli.ts'
import { startTarget } from './helpers/target.ts'
import { cleanUpAfterTest } from './helpers/temporary.ts'

const pathOf = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url))

describe('examples/target', function () {
  it('answers, and counts what it has seen', async () => {
    const target = await startTarget()
    const get = async (path: string) => {
      const response = await fetch(target.httpUrl + path)
      return { status: response.status, body: await response.text() }
    }
    assert.equal((await get('/')).status, 200)
    assert.deepEqual(await get('/users/42'), {
      status: 200,
      body: '{"id":"42","name":"User 42","method":"GET"}',
    })
    assert.deepEqual(await get('/status/503'), { status: 503, body: '{"status":503}' })
    assert.deepEqual(await get('/status/204'), { status: 204, body: '' })
    assert.equal((await get('/status/99')).status, 400)
    assert.equal((await get('/nowhere')).status, 404)
    const startedAt = performance.now()
    assert.deepEqual(await get('/slow?ms=80'), { status: 200, body: '{"ms":80}' })
    assert.ok(performance.now() - startedAt >= 75)
    assert.deepEqual(target.count(), { http: 7, websocket: 0, messages: 0 })
    assert.deepEqual(await get('/count'), { status: 200, body: '{"http":7,"websocket":0,"messages":0}' })
    assert.equal(target.count().http, 7)
  })

  it('echoes text and bytes', async () => {
    const target = await startTarget()
    const socket = new WebSocket(target.wsUrl)
    cleanUpAfterTest(() => socket.terminate())
    await once(socket, 'open')
    for (const message of ['ünïcode', Buffer.from([0, 255])]) {
      socket.send(message)
      const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean]
      assert.equal(isBinary, Buffer.isBuffer(message))
      assert.deepEqual(data, Buffer.from(message))
    }
    assert.deepEqual(target.count(), { http: 0, websocket: 1, messages: 2 })
  })

  it('listens wherever localhost may lead, and says when a port is in use', async () => {
    const target = await startTarget()
    const port = Number(new URL(target.httpUrl).port)
    for (const host of ['127.0.0.1', 'localhost']) {
      assert.equal((await fetch(`http://${host}:${port}/`)).status, 200)
    }
    await assert.rejects(startExampleTarget({ httpPort: port, wsPort: 0 }), {
      message: new RegExp(`^port ${port} is in use .*--http-port$`),
    })
    await assert.rejects(startExampleTarget({ httpPort: 0, wsPort: port }), { message: /--ws-port$/ })
  })
})

describe('examples/external/runner.py', function () {
  this.timeout(30_000)
  before(function () {
    if (spawnSync('python3', ['--version']).status !== 0) this.skip()
  })

  type Event = Record<string, unknown>

  async function runExternal(env: Record<string, string>, act?: (child: ChildProcess) => void) {
    const child = spawn('python3', [pathOf('external/runner.py')], {
      env: { ...process.env, LOADS_SEED: '1', LOADS_USER: '0', LOADS_EVENTS_FD: '3', ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    })
    cleanUpAfterTest(() => child.kill('SIGKILL'))
    act?.(child)
    const [exit, events, output] = await Promise.all([
      once(child, 'close'),
      text(child.stdio[3] as Readable),
      text(child.stdout!),
    ])
    const read = (lines: string) =>
      lines
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Event)
    return { exitCode: exit[0] as number, events: read(events), output: read(output) }
  }

  it('tells of each execution and each hit, in order', async () => {
    const target = await startTarget()
    const run = await runExternal({
      LOADS_SERVER_URL: target.httpUrl,
      LOADS_ITERATIONS: '3',
      LOADS_TEST: 'page',
    })
    assert.equal(run.exitCode, 0)
    const one = ['start page', 'hit / 200', 'hit /users/:id 200', 'counter users seen', 'success']
    const words = ({ loads, test, name, status }: Event) =>
      [loads, test, name, status].filter(Boolean).map(String)
    assert.deepEqual(
      run.events.map((event) => words(event).join(' ')),
      [...one, ...one, ...one],
    )
    assert.equal(target.count().http, 6)
    assert.deepEqual(run.output, [])
  })

  it('makes the same choices for the same seed', async () => {
    const target = await startTarget()
    const bytes = async (seed: string) => {
      const env = { LOADS_SERVER_URL: target.httpUrl, LOADS_ITERATIONS: '20', LOADS_SEED: seed }
      return (await runExternal(env)).events.map((event) => event.bytesIn)
    }
    const first = await bytes('7')
    assert.deepEqual(await bytes('7'), first)
    assert.notDeepEqual(await bytes('8'), first)
  })

  it('tells of a refused request as a hit and an error, on standard output without a descriptor', async () => {
    // Nothing listens there; a port that was given back may be another's.
    const env = { LOADS_SERVER_URL: 'http://127.0.0.1:9', LOADS_ITERATIONS: '1', LOADS_EVENTS_FD: '' }
    const run = await runExternal(env)
    assert.deepEqual(
      run.output.map(({ loads, status, type }) => ({ loads, status, type })),
      [
        { loads: 'start', status: undefined, type: undefined },
        { loads: 'hit', status: 'refused', type: undefined },
        { loads: 'error', status: undefined, type: 'ConnectionRefusedError' },
      ],
    )
  })

  it('finishes what it is doing when it is told to stop', async () => {
    const target = await startTarget()
    const env = { LOADS_SERVER_URL: target.httpUrl, LOADS_DURATION: '30' }
    const run = await runExternal(env, (child) => {
      child.stdio[3]!.once('data', () => child.kill('SIGTERM'))
    })
    assert.equal(run.exitCode, 0)
    assert.equal(run.events.at(-1)!.loads, 'success')
  })
})

describe('examples/main-job.js', function () {
  this.timeout(90_000)
  const script = pathOf('main-job.js')

  // The example names its ports, as examples do.
  beforeEach(async function () {
    const target = await startExampleTarget().catch(() => null)
    if (target === null) this.skip()
    await target.stop()
  })

  it('runs the example on five agents and shows what the target counted', async () => {
    const run = await runCli(['--users', '10', '--duration', '1s'], { script, timeoutMs: 60_000 })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const hits = Number(/^Hits: (\d+)$/m.exec(run.stdout)?.[1])
    const counted = /itself counted (\d+) requests, (\d+) WebSockets/.exec(run.stdout)!
    // Each user begins at least once.
    assert.ok(hits >= 10, `${hits} hits`)
    assert.equal(Number(counted[1]) + Number(counted[2]), hits)
  })

  it('passes Ctrl-C on, once, and leaves nothing', async () => {
    const run = await startCli(['--users', '10', '--duration', '60s'], { script, timeoutMs: 60_000 })
    await run.waitForLine(/hits/i)
    // As the terminal and npm do it together.
    run.kill('SIGINT')
    run.kill('SIGINT')
    const { exitCode, stdout, stderr } = await run.result
    assert.equal(exitCode, 130, stdout + stderr)
    assert.match(stdout, /^Hits: \d+$/m)
  })

  it('says when a port of the target is in use', async () => {
    const target = await startExampleTarget({ httpPort: 9200, wsPort: 0 })
    cleanUpAfterTest(() => target.stop())
    const run = await runCli([], { script })
    assert.equal(run.exitCode, 4)
    assert.match(run.stderr, /port 9200 is in use/)
  })
})
