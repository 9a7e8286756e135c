/**
 * What a broker costs when the load grows: processor time and bytes per window with the same series and agents, at one
 * and at ten times the rate of hits.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inDirectory, loadsRunner } from './command.ts'
import { medianAndRange } from './median.ts'
import type { Bench } from './run.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const seconds = Number(process.env.BENCH_SECONDS ?? 10)
const agents = 2
const users = 40
/** Milliseconds between two executions of a user: what makes the rate. */
const delays = { 'few hits': 400, 'ten times as many': 40 }
/** Processor ticks per second, as Linux counts them for programs. */
const ticksPerSecond = 100

const files = (url: string) => ({
  'pages.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPages extends TestCase {
      async test_pages() { for (const name of ['/a', '/b', '/c', '/d']) await this.session.get('${url}' + name) }
    }`,
})

export const bench: Bench = {
  async run() {
    const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const children: ChildProcess[] = []
    try {
      await inDirectory(files(url), async (directory) => {
        const start = (binary: string, ...args: string[]) => {
          const child = spawn(
            process.execPath,
            [loadsRunner.replace('loads-runner.js', `${binary}.js`), ...args],
            {
              cwd: directory,
              stdio: 'ignore',
            },
          )
          children.push(child)
          return child
        }
        const broker = start('loads-broker', '--bind', '127.0.0.1:0', '--state-dir', 'state')
        for (let each = 0; each < agents; each++) {
          start('loads-agent', '--broker', `@${directory}/state/agent.join`, '--name', `agent-${each}`)
        }
        const results = new Map(Object.keys(delays).map((name) => [name, [] as Figures[]]))
        for (let round = 0; round < rounds; round++) {
          for (const [name, milliseconds] of Object.entries(delays)) {
            results.get(name)!.push(await measure(directory, broker.pid!, start, milliseconds))
          }
        }
        for (const [name, figures] of results) {
          const shown = (pick: (each: Figures) => number, digits: number) =>
            medianAndRange(figures.map(pick), digits)
          console.log(`  ${name}: ${shown((each) => each.hitsPerSecond, 0)} hits/s`)
          console.log(`    broker   ${shown((each) => each.cpuPercent, 1)} % of a core`)
          console.log(`    received ${shown((each) => each.bytesPerWindow, 0)} bytes per window, on the wire`)
        }
      })
    } finally {
      for (const child of children) child.kill('SIGKILL')
      server.closeAllConnections()
      server.close()
    }
  },
}

interface Figures {
  hitsPerSecond: number
  cpuPercent: number
  bytesPerWindow: number
}

async function measure(
  directory: string,
  broker: number,
  start: (binary: string, ...args: string[]) => ChildProcess,
  delayMs: number,
): Promise<Figures> {
  const cluster = ['--broker', `@${directory}/state/operator.join`, '--agents', `${agents}`]
  const load = ['--users', `${users}`, '--duration', `${seconds + 4}s`, '--delay', `${delayMs}ms`]
  const runner = start('loads-runner', 'pages', ...cluster, ...load, '--quiet', '--json', 'summary.json')
  const ended = once(runner, 'exit')
  await delay(3000)
  const before = { cpu: await cpuSeconds(broker), bytes: receivedBytes(broker), at: performance.now() }
  await delay(seconds * 1000)
  const span = (performance.now() - before.at) / 1000
  const cpu = (await cpuSeconds(broker)) - before.cpu
  const bytes = receivedBytes(broker) - before.bytes
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`the run ended with exit code ${code}`)
  const summary = JSON.parse(await readFile(join(directory, 'summary.json'), 'utf8')) as {
    hits: { perSecond: number }
  }
  return {
    hitsPerSecond: summary.hits.perSecond,
    cpuPercent: (100 * cpu) / span,
    bytesPerWindow: bytes / (span * agents),
  }
}

async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** What the kernel has received for the connections of a process. */
function receivedBytes(pid: number): number {
  const { stdout } = spawnSync('ss', ['-tinpH'], { encoding: 'utf8' })
  const lines = stdout.split('\n')
  let sum = 0
  for (const [index, line] of lines.entries()) {
    if (line.includes(`pid=${pid},`))
      sum += Number(/bytes_received:(\d+)/.exec(lines[index + 1] ?? '')?.[1] ?? 0)
  }
  return sum
}
