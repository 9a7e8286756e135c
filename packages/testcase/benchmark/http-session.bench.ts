/**
 * What the session costs next to wrk: GETs of 64 users over keep-alive connections, against nginx on the other
 * processor, all ways in turn, several rounds. Ratios of one run are comparable, absolute numbers are not.
 *
 *     node --import tsx packages/testcase/benchmark/http-session.bench.ts [--tls] [--users 64] [--rounds 5]
 *         [--seconds 3] [--ways wrk,session]
 *
 * Needs taskset, nginx, wrk and two processors.
 */
import { Client, type Dispatcher } from 'undici'
import { execFile } from 'node:child_process'
import { parseArgs, promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { inDirectory } from '../../../test/bench/command.ts'
import { median } from '../../../test/bench/median.ts'
import { startNginx } from '../../../test/bench/nginx.ts'
import {
  attachUser,
  createRandom,
  defaultTarget,
  silentMeter,
  TestCase,
  type UserContext,
} from '../src/index.ts'

const options = {
  tls: { type: 'boolean', default: false },
  users: { type: 'string', default: '64' },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '3' },
  ways: { type: 'string' },
  /** Of the child: what it measures. */
  child: { type: 'string' },
  url: { type: 'string' },
} as const
const { values: args } = parseArgs({ options })
const users = Number(args.users)
const seconds = Number(args.seconds)
const [serverProcessor, clientProcessor] = [1, 0]

class Bench extends TestCase {
  async loop(url: string, until: number): Promise<number> {
    let count = 0
    while (performance.now() < until) {
      const answer = await this.session.get(url)
      if (answer.status !== 200) throw new Error(`status ${answer.status}`)
      count++
    }
    return count
  }

  async post(url: string, until: number): Promise<number> {
    let count = 0
    while (performance.now() < until) {
      const answer = await this.session.request('GET', url, { headers: { 'x-count': String(count) } })
      if (answer.status !== 200) throw new Error(`status ${answer.status}`)
      count++
    }
    return count
  }
}

function makeUser(): Bench {
  const test = new Bench()
  const context: UserContext = {
    user: 0,
    iteration: 0,
    executionId: 'bench/0/0',
    scenario: 'bench',
    ordinal: 0,
    tags: null,
    directory: '.',
    feeds: { row: () => Promise.reject(new Error('no feed')) },
    random: createRandom(1, 'bench/0/0'),
    params: {},
    run: { id: 'bench', seed: 1, agent: 'bench', data: null },
    signal: new AbortController().signal,
    meter: silentMeter,
    target: { ...defaultTarget, insecure: true },
    annotate: () => {},
  }
  attachUser(test, context)
  return test
}

const headers = ['user-agent', 'loads-runner', 'accept', '*/*', 'accept-encoding', 'gzip, deflate, br']

/** undici's older handler interface: the cheapest way to ask it for anything. */
class Handler implements Dispatcher.DispatchHandler {
  readonly #done: () => void
  constructor(done: () => void) {
    this.#done = done
  }
  onConnect() {}
  onHeaders() {
    return true
  }
  onData() {
    return true
  }
  onComplete() {
    this.#done()
  }
  onError(error: Error) {
    throw error
  }
}

async function overUndici(url: URL, until: number): Promise<number> {
  const client = new Client(url.origin, { connect: { rejectUnauthorized: false } })
  const request: Dispatcher.DispatchOptions = { path: url.pathname, method: 'GET', headers }
  let count = 0
  while (performance.now() < until) {
    await new Promise<void>((resolve) => {
      client.dispatch(request, new Handler(resolve))
    })
    count++
  }
  await client.destroy()
  return count
}

/** One user of each way: requests until the time is over; resolves with how many. */
const ways: Record<string, (url: URL, until: number) => Promise<number>> = {
  session: (url, until) => makeUser().loop(url.href, until),
  'session-options': (url, until) => makeUser().post(url.href, until),
  'undici-dispatch': overUndici,
}

async function child(way: string): Promise<void> {
  const run = ways[way]!
  const url = new URL(args.url!)
  const all = (until: number) => Promise.all(Array.from({ length: users }, () => run(url, until)))
  await all(performance.now() + 500)
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const counts = await all(startedAt + seconds * 1000)
  const { user, system } = process.cpuUsage(cpu)
  const total = counts.reduce((sum, each) => sum + each, 0)
  console.log(
    JSON.stringify({ rate: total / ((performance.now() - startedAt) / 1000), cpu: (user + system) / total }),
  )
  process.exit(0)
}

/** Output and errors of a command: bash tells its times there. */
async function run(command: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(command[0]!, command.slice(1), {
    timeout: (seconds + 30) * 1000,
  })
  return stdout + stderr
}

async function main(): Promise<void> {
  const all = ['wrk', ...Object.keys(ways)]
  const chosen = args.ways === undefined ? all : args.ways.split(',')
  const rates = new Map<string, number[]>(chosen.map((way) => [way, []]))
  const costs = new Map<string, number[]>(chosen.map((way) => [way, []]))
  await inDirectory({}, async (directory) => {
    const nginx = await startNginx(directory, serverProcessor, args.tls ? 'https' : 'http')
    try {
      for (let round = 0; round < Number(args.rounds); round++) {
        for (const way of chosen) {
          const self = [process.execPath, '--import', 'tsx', fileURLToPath(import.meta.url)]
          const command =
            way === 'wrk'
              ? [
                  'bash',
                  '-c',
                  `TIMEFORMAT='CPU %U %S'; time wrk -t1 -c${users} -d${seconds}s ${nginx.url} 2>&1`,
                ]
              : [
                  ...self,
                  '--child',
                  way,
                  '--url',
                  nginx.url,
                  '--users',
                  `${users}`,
                  '--seconds',
                  `${seconds}`,
                ]
          const output = await run(['taskset', '-c', String(clientProcessor), ...command])
          if (way === 'wrk') {
            const [rate, user, system] = [
              /Requests\/sec:\s+([\d.]+)/,
              /CPU ([\d.]+)/,
              /CPU [\d.]+ ([\d.]+)/,
            ].map((pattern) => Number(pattern.exec(output)![1]))
            rates.get(way)!.push(rate!)
            costs.get(way)!.push(((user! + system!) * 1e6) / (rate! * seconds))
          } else {
            const { rate, cpu } = JSON.parse(/\{.*\}/.exec(output)![0]) as { rate: number; cpu: number }
            rates.get(way)!.push(rate)
            costs.get(way)!.push(cpu)
          }
        }
      }
    } finally {
      await nginx.stop()
    }
  })
  const reference = rates.get('wrk') ?? []
  const cost = costs.get('wrk') ?? []
  for (const [way, all] of rates) {
    const ratio = reference.length === 0 ? NaN : median(all.map((each, round) => each / reference[round]!))
    const cpu = costs.get(way)!
    const perCore = cost.length === 0 ? NaN : median(cpu.map((each, round) => cost[round]! / each))
    console.log(
      `${way.padEnd(18)} ${median(all).toFixed(0).padStart(8)} /s  ${ratio.toFixed(2)} of wrk` +
        `  ${median(cpu).toFixed(2)} µs CPU each  ${perCore.toFixed(2)} of wrk per core-second`,
    )
  }
}

if (args.child === undefined) await main()
else await child(args.child)
