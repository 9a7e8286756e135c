/**
 * Memory of a virtual user that only waits, and of one that holds a connection: ten thousand of them to one.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { inDirectory, loadsRunner } from './command.ts'
import { residentMegabytes } from './resident-size.ts'
import type { Bench } from './run.ts'

const users = Number(process.env.BENCH_USERS ?? 10_000)
/** After this all users have begun and what the start left behind is collected. */
const settleMs = 12_000

export const bench: Bench = {
  async run() {
    const server = createServer((_request, response) => response.end('{}'))
    server.keepAliveTimeout = 600_000
    server.listen(0, '127.0.0.1', 16_384)
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    try {
      await inDirectory(files(url), async (directory) => {
        for (const test of ['test_wait', 'test_connected']) {
          const [one, many] = [await sizeOf(test, 1, directory), await sizeOf(test, users, directory)]
          const each = ((many - one) * 1e6) / (users - 1) / 1024
          console.log(
            `  ${test.slice(5).padEnd(10)} 1 user ${one.toFixed(0)} MB, ${users} users ${many.toFixed(0)} MB: ${each.toFixed(1)} KiB per user`,
          )
        }
      })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  },
}

const files = (url: string) => ({
  'idle.ts': `
    import { TestCase } from 'loads-runner'
    const wait = () => new Promise((resolve) => setTimeout(resolve, 600_000))
    export class TestIdle extends TestCase {
      async test_wait() { await wait() }
      async test_connected() { await this.session.get('${url}'); await wait() }
    }`,
})

/** Resident size of the runner with that many users, in megabytes. */
async function sizeOf(test: string, count: number, directory: string): Promise<number> {
  const load = ['--users', `${count}`, '--iterations', '1', '--workers', '1', '--ramp-up', '4s']
  const args = [loadsRunner, `idle.TestIdle.${test}`, ...load, '--quiet']
  const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  try {
    await delay(settleMs)
    return await residentMegabytes(child.pid!)
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}
