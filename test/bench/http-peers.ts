/**
 * Hits per second of one load thread beside other load generators, against nginx: each gets the same processor, rounds
 * are interleaved, and the ratio to wrk (which is written in C and checks nothing) is what counts.
 */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { findCommand, inDirectory, loadsRunner, runCommand } from './command.ts'
import { median, medianAndRange } from './median.ts'
import { startNginx } from './nginx.ts'
import type { Bench } from './run.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const seconds = Number(process.env.BENCH_SECONDS ?? 4)
/** `BENCH_PEERS=wrk,loads-runner` runs only those. */
const chosen = process.env.BENCH_PEERS?.split(',')
const connections = 50
const [serverProcessor, clientProcessor] = [0, 1]

interface Peer {
  name: string
  /** Program to look for; peers that are not installed are left out. */
  program: string
  command(url: string): string[]
  /** Hits per second from its output. */
  read(output: string, directory: string): Promise<number> | number
}

const peers: Peer[] = [
  {
    name: 'wrk',
    program: 'wrk',
    command: (url) => ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, url],
    read: (output) => Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
  },
  {
    name: 'hey',
    program: 'hey',
    command: (url) => ['hey', '-cpus', '1', '-c', `${connections}`, '-z', `${seconds}s`, url],
    read: (output) => Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
  },
  {
    name: 'ab',
    program: 'ab',
    command: (url) => ['ab', '-k', '-q', '-c', `${connections}`, '-t', `${seconds}`, '-n', '10000000', url],
    read: (output) => Number(/Requests per second:\s+([\d.]+)/.exec(output)?.[1]),
  },
  {
    name: 'autocannon',
    program: 'autocannon',
    command: (url) => ['autocannon', '-j', '-n', '-c', `${connections}`, '-d', `${seconds}`, url],
    read: (output) => (JSON.parse(output) as { requests: { average: number } }).requests.average,
  },
  {
    name: 'k6',
    program: 'k6',
    command: () => ['k6', 'run', '-q', '-u', `${connections}`, '-d', `${seconds}s`, 'k6.js'],
    read: (output) => Number(/http_reqs\S*:\s+\d+\s+([\d.]+)\/s/.exec(output)?.[1]),
  },
  {
    name: 'loads-runner',
    program: 'node',
    command: () => {
      const load = ['--users', `${connections}`, '--duration', `${seconds}s`, '--workers', '1']
      return [
        process.execPath,
        loadsRunner,
        'page.TestPage.test_page',
        ...load,
        '--quiet',
        '--json',
        'summary.json',
      ]
    },
    read: async (_, directory) => {
      const text = await readFile(join(directory, 'summary.json'), 'utf8')
      return (JSON.parse(text) as { hits: { perSecond: number } }).hits.perSecond
    },
  },
]

const files = (url: string) => ({
  'page.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() {
        const res = await this.session.get('${url}')
        this.assertEqual(res.status, 200)
      }
    }`,
  'k6.js': `
    import http from 'k6/http'
    export default function () { http.get('${url}') }`,
})

export const bench: Bench = {
  async run() {
    if (findCommand('taskset') === null || availableParallelism() < 2) {
      throw new Error('this benchmark needs taskset and two processors')
    }
    const wanted = peers.filter(({ name }) => chosen?.includes(name) ?? true)
    const installed = wanted.filter(({ program }) => findCommand(program) !== null)
    const absent = wanted.filter((peer) => !installed.includes(peer)).map(({ name }) => name)
    if (absent.length > 0) console.log(`not installed: ${absent.join(', ')}`)
    console.log(`${rounds} rounds of ${seconds} s each, ${connections} connections, 100-byte answers`)
    const results = new Map(installed.map(({ name }) => [name, [] as number[]]))
    await inDirectory({}, async (serverDirectory) => {
      const nginx = await startNginx(serverDirectory, serverProcessor)
      try {
        await inDirectory(files(nginx.url), async (directory) => {
          for (let round = 0; round < rounds; round++) {
            for (const peer of installed) {
              const command = ['taskset', '-c', String(clientProcessor), ...peer.command(nginx.url)]
              const output = await runCommand(command, directory, (seconds + 60) * 1000)
              const rate = await peer.read(output, directory)
              if (!(rate > 0)) throw new Error(`cannot read the rate of ${peer.name} from:\n${output}`)
              results.get(peer.name)!.push(rate)
            }
          }
        })
      } finally {
        await nginx.stop()
      }
    })
    const reference = results.get('wrk')
    for (const [name, rates] of results) {
      const ratio = reference === undefined ? '' : `${(median(rates) / median(reference)).toFixed(2)} of wrk`
      console.log(`  ${name.padEnd(14)} ${medianAndRange(rates, 0).padStart(28)} hits/s  ${ratio}`)
    }
  },
}
