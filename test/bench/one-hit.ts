/**
 * How long the smallest run takes: wall time of one hit, and from the start to the first hit on five local agents.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inDirectory, loadsRunner, runCommand } from './command.ts'
import { medianAndRange } from './median.ts'
import type { Bench } from './run.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 10)

export const bench: Bench = {
  async run() {
    let firstHitAt = NaN
    const server = createServer((_request, response) => {
      if (Number.isNaN(firstHitAt)) firstHitAt = performance.now()
      response.end('{}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const source = `
      import { TestCase } from 'loads-runner'
      export class TestPage extends TestCase {
        async test_page() { await this.session.get('http://127.0.0.1:${port}/') }
      }`
    try {
      await inDirectory({ 'page.ts': source }, async (directory) => {
        const measure = async (...args: string[]) => {
          firstHitAt = NaN
          const startedAt = performance.now()
          await runCommand([process.execPath, ...args], directory, 60_000)
          const endedAt = performance.now()
          return { firstHitMs: firstHitAt - startedAt, wallMs: endedAt - startedAt }
        }
        const bare: number[] = []
        const local = { firstHit: [] as number[], wall: [] as number[] }
        const agents = { firstHit: [] as number[], wall: [] as number[] }
        const test = [loadsRunner, 'page.TestPage.test_page']
        for (let round = 0; round < rounds; round++) {
          bare.push((await measure('-e', '0')).wallMs)
          for (const [into, args] of [
            [local, []],
            [agents, ['--agents', '5']],
          ] as const) {
            const { firstHitMs, wallMs } = await measure(...test, ...args)
            into.firstHit.push(firstHitMs)
            into.wall.push(wallMs)
          }
        }
        const lines = [
          ['bare node, for comparison', bare],
          ['one hit, wall time', local.wall],
          ['one hit, start to first hit', local.firstHit],
          ['5 agents, wall time', agents.wall],
          ['5 agents, start to first hit', agents.firstHit],
        ] as const
        for (const [title, values] of lines)
          console.log(`  ${title.padEnd(30)} ${medianAndRange(values, 0)} ms`)
      })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  },
}
