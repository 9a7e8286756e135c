/**
 * What a session costs on top of undici: GETs over keep-alive connections, all ways in turn, several rounds.
 *
 *     node --import tsx packages/testcase/benchmark/http-session.bench.ts [URL] [USERS]
 *
 * Without URL it starts a small node:http server in a child process. Give it nginx on another core for a fair look:
 * ratios of one run are comparable, absolute numbers are not.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Client, type Dispatcher } from 'undici'
import {
  attachUser,
  createRandom,
  defaultTarget,
  silentMeter,
  TestCase,
  type UserContext,
} from '../src/index.ts'

const roundMs = 1500
const rounds = 5

interface Way {
  name: string
  /** One user: requests until the time is over; resolves with how many. */
  user(url: URL, until: number): Promise<number>
}

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
}

function context(user: number): UserContext {
  return {
    user,
    iteration: 0,
    random: createRandom(1, `0/${user}/0`),
    params: {},
    run: { id: 'bench', seed: 1, agent: 'bench', data: null },
    signal: new AbortController().signal,
    meter: silentMeter,
    target: defaultTarget,
  }
}

const headers = ['user-agent', 'loads-runner', 'accept', '*/*', 'accept-encoding', 'gzip, deflate, br']

/** undici's older handler interface: the cheapest way to ask it for anything. */
class Handler implements Dispatcher.DispatchHandler {
  readonly #done: () => void
  status = 0
  bytes = 0
  constructor(done: () => void) {
    this.#done = done
  }
  onConnect() {}
  onHeaders(status: number) {
    this.status = status
    return true
  }
  onData(chunk: Buffer) {
    this.bytes += chunk.length
    return true
  }
  onComplete() {
    this.#done()
  }
  onError(error: Error) {
    throw error
  }
}

const ways: Way[] = [
  {
    name: 'undici dispatch, awaited',
    async user(url, until) {
      const client = new Client(url.origin)
      const options: Dispatcher.DispatchOptions = { path: url.pathname, method: 'GET', headers }
      let count = 0
      while (performance.now() < until) {
        await new Promise<void>((resolve) => {
          client.dispatch(options, new Handler(resolve))
        })
        count++
      }
      await client.destroy()
      return count
    },
  },
  {
    name: 'undici request, body dumped',
    async user(url, until) {
      const client = new Client(url.origin)
      let count = 0
      while (performance.now() < until) {
        const { body } = await client.request({ path: url.pathname, method: 'GET', headers })
        await body.dump()
        count++
      }
      await client.destroy()
      return count
    },
  },
  {
    name: 'session.get',
    async user(url, until) {
      const test = new Bench()
      attachUser(test, context(0))
      const count = await test.loop(url.href, until)
      test.session.close()
      return count
    },
  },
]

async function main(): Promise<void> {
  const [given, users = '64'] = process.argv.slice(2)
  const child = given === undefined ? fork(fileURLToPath(import.meta.url), ['--server']) : null
  const url = new URL(given ?? ((await once(child!, 'message'))[0] as string))
  const rates = new Map<string, number[]>(ways.map((way) => [way.name, []]))
  const costs = new Map<string, number[]>(ways.map((way) => [way.name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) {
      const cpu = process.cpuUsage()
      const until = performance.now() + roundMs
      const counts = await Promise.all(Array.from({ length: Number(users) }, () => way.user(url, until)))
      const { user, system } = process.cpuUsage(cpu)
      const total = counts.reduce((sum, each) => sum + each, 0)
      // The first round warms up.
      if (round === 0) continue
      rates.get(way.name)!.push(total / (roundMs / 1000))
      costs.get(way.name)!.push((user + system) / total)
    }
  }
  const [first] = ways
  for (const { name } of ways) {
    const rate = median(rates.get(name)!)
    const cost = median(costs.get(name)!)
    const byRate = median(rates.get(name)!.map((each, round) => each / rates.get(first!.name)![round]!))
    const byCost = median(costs.get(name)!.map((each, round) => costs.get(first!.name)![round]! / each))
    console.log(
      `${name.padEnd(28)} ${rate.toFixed(0).padStart(8)} /s  ratio ${byRate.toFixed(2)}` +
        `  ${cost.toFixed(1).padStart(6)} µs CPU each  ratio ${byCost.toFixed(2)}`,
    )
  }
  child?.kill()
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}

function serve(): void {
  const body = 'x'.repeat(100)
  const server = createServer((_request, response) => response.end(body))
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object' && address !== null) process.send!(`http://127.0.0.1:${address.port}/`)
  })
}

if (process.argv[2] === '--server') serve()
else await main()
