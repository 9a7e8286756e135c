/**
 * Memory of a whole local run over ten million hits: the resident size of all its processes, as the hits go by.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { inDirectory, loadsRunner } from './command.ts'
import { startNginx } from './nginx.ts'
import { residentMegabytes } from './resident-size.ts'
import type { Bench } from './run.ts'

const hits = Number(process.env.BENCH_HITS ?? 10_000_000)
const users = 50
const everyMs = 5000

export const bench: Bench = {
  async run() {
    await inDirectory({}, async (serverDirectory) => {
      const nginx = await startNginx(serverDirectory, 0)
      try {
        await inDirectory(files(nginx.url), (directory) => watch(directory))
      } finally {
        await nginx.stop()
      }
    })
  },
}

const files = (url: string) => ({
  'page.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() { for (let n = 0; n < 10; n++) await this.session.get('${url}') }
    }`,
})

async function watch(directory: string): Promise<void> {
  const iterations = Math.ceil(hits / 10 / users)
  const args = [
    'page',
    '--users',
    `${users}`,
    '--iterations',
    `${iterations}`,
    '--workers',
    '1',
    '--json',
    '-',
    '--quiet',
  ]
  const child = spawn(process.execPath, [loadsRunner, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'exit')
  const sizes: number[] = []
  let over = false
  void ended.then(() => (over = true))
  while (!over) {
    await Promise.race([delay(everyMs), ended])
    const size = over ? 0 : await residentMegabytes(child.pid!)
    if (size > 0) sizes.push(size)
  }
  const summary = JSON.parse(output) as {
    hits: { count: number; perSecond: number }
    durationSeconds: number
  }
  const quarter = Math.max(1, Math.floor(sizes.length / 4))
  const mean = (part: number[]) => part.reduce((sum, each) => sum + each, 0) / part.length
  const [first, last] = [mean(sizes.slice(1, 1 + quarter)), mean(sizes.slice(-quarter))]
  console.log(
    `  ${summary.hits.count} hits in ${summary.durationSeconds.toFixed(0)} s, ${summary.hits.perSecond.toFixed(0)}/s`,
  )
  console.log(
    `  memory in the first quarter ${first.toFixed(0)} MB, in the last ${last.toFixed(0)} MB: ${(last / first).toFixed(2)}`,
  )
  console.log(`  every ${everyMs / 1000} s: ${sizes.map((size) => size.toFixed(0)).join(' ')} MB`)
}
