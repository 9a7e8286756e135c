import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { dirname, join } from 'node:path'
import { createStatsd } from '../../src/statsd/statsd-output.ts'
import { fixtureSummary, namesOf } from '../../src/testing.ts'
import { playInto, TemporaryDirectory } from '../files/directory.ts'
import { environmentOf } from '../recording-output.ts'

interface Flushed {
  counters: Record<string, number>
  gauges: Record<string, number>
}

/** Prints what each flush holds, as a line of JSON. */
const backend = `
exports.init = (startup, config, events) => {
  events.on('flush', (at, { counters, gauges }) => console.log(JSON.stringify({ counters, gauges })))
  console.log('ready')
  return true
}`

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

describe('statsd, the daemon of npm', () => {
  const directory = new TemporaryDirectory()
  let daemon: ChildProcess
  let port: number
  const flushed: Flushed[] = []

  beforeEach(async () => {
    await directory.make()
    flushed.length = 0
    port = await freePort()
    const home = dirname(createRequire(import.meta.url).resolve('statsd/package.json'))
    await writeFile(directory.file('backend.js'), backend)
    const config = `{ address: '127.0.0.1', port: ${port}, mgmt_address: '127.0.0.1', mgmt_port: ${await freePort()},
      flushInterval: 200, backends: [${JSON.stringify(directory.file('backend.js'))}], deleteIdleStats: false }`
    await writeFile(directory.file('config.js'), config)
    daemon = spawn(process.execPath, [join(home, 'stats.js'), directory.file('config.js')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: daemon.stdout! })
    const ready = new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        if (line.startsWith('{')) flushed.push(JSON.parse(line) as Flushed)
      })
      // A first flush: the socket is bound before that.
      lines.on('line', (line) => line.startsWith('{') && resolve())
      daemon.once('exit', (code) => reject(new Error(`the daemon ended with ${code}`)))
    })
    await ready
  })

  afterEach(async () => {
    daemon.removeAllListeners('exit')
    const gone = once(daemon, 'exit')
    daemon.kill()
    await gone
    await directory.remove()
  })

  /** Until a counter has come to this, or 10 s are over; counters of each flush begin at 0. */
  async function sumOf(name: string, expected: number): Promise<number> {
    const deadline = performance.now() + 10_000
    for (;;) {
      const sum = flushed.reduce((all, { counters }) => all + (counters[name] ?? 0), 0)
      if (sum >= expected || performance.now() > deadline) return sum
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  for (const names of ['plain', 'hostile'] as const)
    it(`understands every line of a run with ${names} names, and counts what the summary counts`, async () => {
      const { health } = await playInto([createStatsd(`127.0.0.1:${port}?prefix=shop`, environmentOf())], {
        names,
      })
      assert.equal(health[0]!.dropped, 0)
      const { hits, tests, counters } = fixtureSummary({ names })
      assert.equal(await sumOf('shop.hits', hits.count), hits.count)
      assert.equal(await sumOf('shop.failed', hits.failed), hits.failed)
      assert.equal(await sumOf('shop.executions', tests.finished), tests.finished)
      const custom = namesOf(names).counter.replace(/[^\w-]/g, '_')
      const [value] = Object.values(counters)
      assert.equal(await sumOf(`shop.counter.${custom}`, value!), value)
      assert.equal(await sumOf('statsd.bad_lines_seen', 0), 0)
      const { gauges } = flushed.at(-1)!
      assert.equal(gauges['shop.users'], 10)
      assert.ok(gauges['shop.p95']! > 0)
    })
})
