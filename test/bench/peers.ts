import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { findCommand, inDirectory, loadsRunner, runPinned } from './command.ts'
import { median, medianAndRange } from './median.ts'
import { startNginx } from './nginx.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const seconds = Number(process.env.BENCH_SECONDS ?? 4)
/** `BENCH_PEERS=wrk,loads-runner` runs only those. */
const chosen = process.env.BENCH_PEERS?.split(',')
const connections = Number(process.env.BENCH_CONNECTIONS ?? 64)
const [serverProcessor, clientProcessor] = [0, 1]

interface Peer {
  name: string
  /** Program to look for; peers that are not installed are left out. */
  program: string
  command(url: string): string[]
  /** Hits per second from its output. */
  read(output: string, directory: string): Promise<number> | number
}

const duration = `${seconds}s`
const users = `${connections}`

const wrk: Peer = {
  name: 'wrk',
  program: 'wrk',
  command: (url) => ['wrk', '-t1', `-c${connections}`, `-d${duration}`, url],
  read: (output) => Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
}

const peers: Peer[] = [
  wrk,
  {
    name: 'ab',
    program: 'ab',
    command: (url) => ['ab', '-k', '-q', '-c', users, '-t', `${seconds}`, '-n', '10000000', url],
    read: (output) => Number(/Requests per second:\s+([\d.]+)/.exec(output)?.[1]),
  },
  {
    name: 'h2load',
    program: 'h2load',
    command: (url) => ['h2load', '--h1', '-t1', '-c', users, '-D', duration, url],
    read: (output) => Number(/finished in [\d.]+m?s, ([\d.]+) req\/s/.exec(output)?.[1]),
  },
  {
    name: 'autocannon',
    program: 'autocannon',
    command: (url) => ['autocannon', '-j', '-n', '-c', users, '-d', `${seconds}`, url],
    read: (output) => (JSON.parse(output) as { requests: { average: number } }).requests.average,
  },
  {
    name: 'hey',
    program: 'hey',
    command: (url) => ['hey', '-cpus', '1', '-c', users, '-z', duration, url],
    read: (output) => Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
  },
  {
    name: 'k6',
    program: 'k6',
    command: () => ['k6', 'run', '-q', '-u', users, '-d', duration, 'k6.js'],
    read: (output) => Number(/http_reqs\S*:\s+\d+\s+([\d.]+)\/s/.exec(output)?.[1]),
  },
  {
    name: 'locust',
    program: 'locust',
    command: (url) => {
      const load = ['--users', users, '--spawn-rate', users, '--run-time', duration]
      const host = new URL(url).origin
      return ['locust', '-f', 'locustfile.py', '--headless', '--json', ...load, '--host', host]
    },
    read: (output) => {
      const rows = JSON.parse(output.slice(output.indexOf('['))) as {
        num_requests: number
        start_time: number
        last_request_timestamp: number
      }[]
      const { num_requests: count, start_time: from, last_request_timestamp: to } = rows[0]!
      return count / (to - from)
    },
  },
]

const ours: Peer = {
  name: 'loads-runner',
  program: 'node',
  command: () => {
    const load = ['--users', users, '--duration', duration, '--workers', '1']
    const output = ['--insecure', '--quiet', '--json', 'summary.json']
    return [process.execPath, loadsRunner, 'page.TestPage.test_page', ...load, ...output]
  },
  read: async (_, directory) => {
    const text = await readFile(join(directory, 'summary.json'), 'utf8')
    return (JSON.parse(text) as { hits: { perSecond: number } }).hits.perSecond
  },
}

/** The same in each language: one request, one check of its status. */
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
    import { check } from 'k6'
    export const options = { insecureSkipTLSVerify: true }
    export default function () { check(http.get('${url}'), { 'is 200': (res) => res.status === 200 }) }`,
  'locustfile.py': `
from locust import FastHttpUser, task

class Page(FastHttpUser):
    @task
    def page(self):
        with self.client.get("/", catch_response=True) as res:
            if res.status_code != 200:
                res.failure("status")
`,
})

interface Sample {
  perSecond: number
  /** Hits per second of processor time, start-up included. */
  perCpuSecond: number
}

/**
 * Each load generator on the same processor, nginx on another; rounds are interleaved, and what counts is the ratio to
 * wrk (which is written in C and checks nothing) of the same call.
 */
export async function comparePeers(scheme: 'http' | 'https'): Promise<void> {
  if (findCommand('taskset') === null || availableParallelism() < 2) {
    throw new Error('this benchmark needs taskset and two processors')
  }
  const wanted = [...peers, ours].filter(({ name }) => chosen?.includes(name) ?? true)
  const installed = wanted.filter(({ program }) => findCommand(program) !== null)
  const absent = wanted.filter((peer) => !installed.includes(peer)).map(({ name }) => name)
  if (absent.length > 0) console.log(`not installed: ${absent.join(', ')}`)
  console.log(
    `${rounds} rounds of ${seconds} s each, ${connections} connections, ${scheme}, 100-byte answers`,
  )
  const results = new Map(installed.map(({ name }) => [name, [] as Sample[]]))
  await inDirectory({}, async (serverDirectory) => {
    const nginx = await startNginx(serverDirectory, serverProcessor, scheme)
    try {
      await inDirectory(files(nginx.url), async (directory) => {
        for (let round = 0; round < rounds; round++) {
          for (const peer of installed) {
            const command = peer.command(nginx.url)
            const { stdout, cpuSeconds } = await runPinned(
              clientProcessor,
              command,
              directory,
              (seconds + 60) * 1000,
            )
            const perSecond = await peer.read(stdout, directory)
            if (!(perSecond > 0)) throw new Error(`cannot read the rate of ${peer.name} from:\n${stdout}`)
            results.get(peer.name)!.push({ perSecond, perCpuSecond: (perSecond * seconds) / cpuSeconds })
          }
        }
      })
    } finally {
      await nginx.stop()
    }
  })
  print(results)
}

function print(results: ReadonlyMap<string, readonly Sample[]>): void {
  const reference = results.get(wrk.name)
  const ratio = (samples: readonly Sample[], of: keyof Sample) => {
    if (reference === undefined) return ''
    const figures = (all: readonly Sample[]) => median(all.map((sample) => sample[of]))
    return (figures(samples) / figures(reference)).toFixed(2)
  }
  console.log(`  ${'hits/s, median (range)'.padStart(45)}   to wrk   per core-second, to wrk`)
  for (const [name, samples] of results) {
    const rates = medianAndRange(
      samples.map((sample) => sample.perSecond),
      0,
    )
    console.log(
      `  ${name.padEnd(14)} ${rates.padStart(30)}   ${ratio(samples, 'perSecond').padStart(6)}   ${ratio(samples, 'perCpuSecond').padStart(6)}`,
    )
  }
}
