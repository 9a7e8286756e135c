/**
 * How late the starts of an open model are at 2,000 per second, beside a bare timer: milliseconds.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { inDirectory, loadsRunner, runPinned } from './command.ts'
import { medianAndRange } from './median.ts'
import { startNginx } from './nginx.ts'
import type { Bench } from './run.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const seconds = Number(process.env.BENCH_SECONDS ?? 10)
const rate = Number(process.env.BENCH_RATE ?? 2000)

interface Sample {
  p50: number
  p99: number
  /** Cores in use. */
  cpu: number
  dropped: number
}

export const bench: Bench = {
  async run() {
    const results = new Map<string, Sample[]>([
      ['bare timer', []],
      ['--rate', []],
      ['--rate --precise', []],
    ])
    await inDirectory({}, async (serverDirectory) => {
      const nginx = await startNginx(serverDirectory, 0)
      try {
        await inDirectory(files(nginx.url), async (directory) => {
          for (let round = 0; round < rounds; round++) {
            results.get('bare timer')!.push(await bareTimer(directory))
            results.get('--rate')!.push(await openModel(directory, []))
            results.get('--rate --precise')!.push(await openModel(directory, ['--precise']))
          }
        })
      } finally {
        await nginx.stop()
      }
    })
    console.log(`  ${rounds} rounds of ${seconds} s at ${rate}/s`)
    for (const [name, samples] of results) {
      const figures = (of: keyof Sample, digits: number) =>
        medianAndRange(
          samples.map((sample) => sample[of]),
          digits,
        )
      console.log(
        `  ${name.padEnd(18)} p50 ${figures('p50', 2)} ms, p99 ${figures('p99', 2)} ms, cores ${figures('cpu', 2)}, dropped ${figures('dropped', 0)}`,
      )
    }
  },
}

const files = (url: string) => ({
  'page.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() {
        const res = await this.session.get('${url}')
        this.assertEqual(res.status, 200)
      }
    }`,
  'timer.mjs': `
    const begun = performance.now()
    const late = []
    let next = 0
    const cpu = process.cpuUsage()
    function turn() {
      const now = performance.now() - begun
      for (; next * ${1000 / rate} <= now; next++) late.push(now - next * ${1000 / rate})
      if (now < ${seconds * 1000}) setTimeout(turn, next * ${1000 / rate} - now)
      else {
        late.sort((a, b) => a - b)
        const { user, system } = process.cpuUsage(cpu)
        const at = (share) => late[Math.floor(share * late.length)]
        console.log(JSON.stringify({ p50: at(0.5), p99: at(0.99), cpu: (user + system) / 1e6 / ${seconds}, dropped: 0 }))
      }
    }
    turn()`,
})

async function bareTimer(directory: string): Promise<Sample> {
  const { stdout } = await runPinned(1, [process.execPath, 'timer.mjs'], directory, 60_000)
  return JSON.parse(stdout) as Sample
}

async function openModel(directory: string, more: readonly string[]): Promise<Sample> {
  await delay(200)
  const load = ['--rate', `${rate}/s`, '--duration', `${seconds}s`, '--workers', '1', '--users', '500']
  const args = [loadsRunner, 'page.TestPage.test_page', ...load, ...more, '--quiet', '--json', '-']
  // The session's main thread needs a moment now and then, also beside a load thread that never rests.
  const { stdout } = await runPinned('0,1', [process.execPath, ...args], directory, 90_000)
  const { schedule, generator } = JSON.parse(stdout) as {
    schedule: { dropped: number; lateness: { p50: number; p99: number } }
    generator: { cpu: number }
  }
  return {
    p50: schedule.lateness.p50,
    p99: schedule.lateness.p99,
    cpu: generator.cpu,
    dropped: schedule.dropped,
  }
}
