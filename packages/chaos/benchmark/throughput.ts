/**
 * What the proxy costs next to others: requests per second and added latency, all ways in turn, several rounds. The proxy has
 * one processor, load and server the other. Ratios of one run are comparable, absolute numbers are not; on a machine that does
 * other things, too, compare the requests per second of the proxy's own processor time.
 *
 *     npm run bench -- chaos        with BENCH_ROUNDS, BENCH_SECONDS, BENCH_WAYS=ours,pipe and TOXIPROXY=/path/of/its/server
 */
import { inDirectory, runCommand } from '../../../test/bench/command.ts'
import { median } from '../../../test/bench/median.ts'
import { startNginx } from '../../../test/bench/nginx.ts'
import { measureIdle } from './idle.ts'
import { startWay, type StartedProxy } from './started-proxy.ts'

const ways = ['direct', 'ours', 'ours-latency-0', 'ours-http', 'pipe', 'haproxy', 'toxiproxy']
const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const seconds = Number(process.env.BENCH_SECONDS ?? 2)
const asked = process.env.BENCH_WAYS?.split(',') ?? ways
const [loadProcessor, proxyProcessor] = [0, 1]

const loads = {
  small: { path: '/', connections: 64 },
  'small, 1 connection': { path: '/', connections: 1 },
  '64 KB': { path: '/files/64k', connections: 64 },
} as const
type Load = keyof typeof loads

interface Result {
  perSecond: number
  /** Requests by second of the proxy's processor; null: there is no proxy. */
  perCpuSecond: number | null
  medianMs: number
}

export async function compareProxies(): Promise<void> {
  await inDirectory({ 'files/64k': 'x'.repeat(65_536) }, async (directory) => {
    const nginx = await startNginx(directory, loadProcessor)
    const target = new URL(nginx.url).host
    const proxies = new Map<string, StartedProxy | null>()
    try {
      for (const way of asked) {
        const proxy = way === 'direct' ? null : await startWay(way, target, proxyProcessor, directory)
        if (way !== 'direct' && proxy === null) console.log(`  ${way}: not installed, left out`)
        else proxies.set(way, proxy)
      }
      for (const load of Object.keys(loads) as Load[]) {
        const results = new Map([...proxies.keys()].map((way) => [way, [] as Result[]]))
        for (let round = 0; round < rounds; round++)
          for (const [way, proxy] of proxies) results.get(way)!.push(await measured(load, target, proxy))
        print(load, results)
      }
    } finally {
      for (const proxy of proxies.values()) await proxy?.stop()
      await nginx.stop()
    }
  })
  await measureIdle(proxyProcessor)
}

async function measured(load: Load, target: string, proxy: StartedProxy | null): Promise<Result> {
  const { path, connections } = loads[load]
  const url = `http://${proxy === null ? target : `127.0.0.1:${proxy.port}`}${path}`
  const command = ['taskset', '-c', String(loadProcessor), 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`]
  const before = (await proxy?.cpuSeconds()) ?? 0
  const output = await runCommand([...command, '--latency', url], '/', seconds * 1000 + 20_000)
  const cpu = ((await proxy?.cpuSeconds()) ?? 0) - before
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`${load}: ${output}`)
  const count = Number(/(\d+) requests in/.exec(output)![1])
  const [, number, unit] = /50%\s+([\d.]+)(us|ms|s)/.exec(output)!
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)![1]),
    perCpuSecond: proxy === null ? null : count / cpu,
    medianMs: Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's'],
  }
}

function print(load: Load, results: ReadonlyMap<string, readonly Result[]>): void {
  const middle = (way: string, of: (result: Result) => number): number | null => {
    const found = results.get(way)
    return found === undefined || found.length === 0 ? null : median(found.map(of))
  }
  const ratio = (own: number, other: number | null): string =>
    other === null || other === 0 ? '-' : (own / other).toFixed(2)
  const cpuRate = (result: Result): number => result.perCpuSecond ?? 0
  const head = ['requests/s', 'by toxiproxy', 'by pipe', 'by cpu second', 'by toxiproxy', 'median ms']
  console.log(`  ${load.padEnd(20)}${head.map((title) => title.padStart(15)).join('')}`)
  for (const way of results.keys()) {
    const rate = middle(way, (result) => result.perSecond)!
    const cpu = middle(way, cpuRate)!
    const cells = [
      rate.toFixed(0),
      ratio(
        rate,
        middle('toxiproxy', (result) => result.perSecond),
      ),
      ratio(
        rate,
        middle('pipe', (result) => result.perSecond),
      ),
      cpu === 0 ? '-' : cpu.toFixed(0),
      cpu === 0 ? '-' : ratio(cpu, middle('toxiproxy', cpuRate)),
      middle(way, (result) => result.medianMs)!.toFixed(3),
    ]
    console.log(`    ${way.padEnd(18)}${cells.map((cell) => cell.padStart(15)).join('')}`)
  }
}
