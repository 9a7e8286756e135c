/**
 * Hits per second of two load threads to one: on a machine with two processors the target shares them.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inDirectory, loadsRunner, runCommand } from './command.ts'
import { median, medianAndRange } from './median.ts'
import { startNginx } from './nginx.ts'
import type { Bench } from './run.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const seconds = Number(process.env.BENCH_SECONDS ?? 4)

export const bench: Bench = {
  async run() {
    const results = new Map<number, number[]>([
      [1, []],
      [2, []],
    ])
    await inDirectory({}, async (serverDirectory) => {
      const nginx = await startNginx(serverDirectory, 0)
      try {
        await inDirectory(files(nginx.url), async (directory) => {
          for (let round = 0; round < rounds; round++) {
            for (const [workers, rates] of results) rates.push(await rateWith(workers, directory))
          }
        })
      } finally {
        await nginx.stop()
      }
    })
    for (const [workers, rates] of results) {
      console.log(`  ${workers} load thread${workers > 1 ? 's' : ' '} ${medianAndRange(rates, 0)} hits/s`)
    }
    console.log(`  ratio ${(median(results.get(2)!) / median(results.get(1)!)).toFixed(2)}`)
  },
}

const files = (url: string) => ({
  'page.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() { await this.session.get('${url}') }
    }`,
})

async function rateWith(workers: number, directory: string): Promise<number> {
  const load = ['--users', '64', '--duration', `${seconds}s`, '--workers', `${workers}`]
  const command = [process.execPath, loadsRunner, 'page', ...load, '--quiet', '--json', 'summary.json']
  await runCommand(command, directory, (seconds + 60) * 1000)
  const text = await readFile(join(directory, 'summary.json'), 'utf8')
  return (JSON.parse(text) as { hits: { perSecond: number } }).hits.perSecond
}
