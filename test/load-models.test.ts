import assert from 'node:assert/strict'
import { assertWentToPlan } from './helpers/open-run.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'

/** A test of `waitMs`, whose target sees who made which execution. */
const step = (server: OwnServer, waitMs: number) => ({
  'step.ts': `
    import { TestCase } from 'loads-runner'
    export class TestStep extends TestCase {
      async test_step() {
        await this.session.get('${server.url}/?user=' + this.user + '&id=' + this.executionId, { name: 'step' })
        await new Promise((resolve) => setTimeout(resolve, ${waitMs}))
      }
    }`,
})

/** Requests in each second after the first one. */
function perSecond(server: OwnServer): number[] {
  const counts: number[] = []
  for (const { at } of server.seen) {
    const second = Math.floor((at - server.seen[0]!.at) / 1000)
    counts[second] = (counts[second] ?? 0) + 1
  }
  return Array.from(counts, (count) => count ?? 0)
}

/** Different users in each second after the first request. */
function usersPerSecond(server: OwnServer): number[] {
  const users: Set<string>[] = []
  for (const { at, url } of server.seen) {
    const second = Math.floor((at - server.seen[0]!.at) / 1000)
    ;(users[second] ??= new Set()).add(url.searchParams.get('user')!)
  }
  return Array.from(users, (set) => set?.size ?? 0)
}

function assertNear(actual: readonly number[], expected: readonly number[], slack: number): void {
  for (const [second, wanted] of expected.entries()) {
    const found = actual[second] ?? 0
    assert.ok(
      Math.abs(found - wanted) <= slack,
      `second ${second}: ${found} instead of ${wanted} (${actual.join()})`,
    )
  }
}

describe('load models over 3 agents', function () {
  this.timeout(120_000)
  const agents = ['--agents', '3']

  sideBySide({
    'constant rate': async () => {
      const server = await startServer()
      const run = await runCli(['step', '--rate', '30/s', '--duration', '5s', ...agents], {
        files: step(server, 5),
      })
      assertWentToPlan(run)
      assert.equal(run.summary!.schedule.planned, 150)
      assert.equal(server.seen.length, 150)
      assertNear(perSecond(server), [30, 30, 30, 30, 30], 10)
    },

    'a fraction of a start per second': async () => {
      const server = await startServer()
      const run = await runCli(['step', '--rate', '90/m', '--duration', '6s', ...agents], {
        files: step(server, 5),
      })
      assertWentToPlan(run)
      assert.equal(server.seen.length, 9)
    },

    'ramping rate': async () => {
      const server = await startServer()
      const load = ['--rate', '0', '--stages', '3s:60,2s:60,3s:0']
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 5) })
      assertWentToPlan(run)
      // 90 while it rises, 120 at the top, 90 while it falls.
      assert.equal(server.seen.length, 300)
      assert.equal(run.summary!.schedule.planned, 300)
      assertNear(perSecond(server).slice(0, 7), [13, 33, 54, 60, 59, 48, 28], 16)
    },

    'ramping users': async () => {
      const server = await startServer()
      const load = ['--stages', '3s:9,2s:9,3s:0']
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 50) })
      assertWentToPlan(run)
      assertNear(usersPerSecond(server).slice(0, 8), [3, 6, 9, 9, 9, 9, 6, 3], 2)
      for (const { id, hits } of run.summary!.agents) assert.ok(hits > 20, `${id} made ${hits} hits`)
    },

    'shared hits': async () => {
      const server = await startServer()
      const load = ['--users', '7', '--shared-hits', '100']
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 2) })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const ids = server.seen.map(({ url }) => url.searchParams.get('id')!)
      assert.deepEqual(
        ids.toSorted(),
        Array.from({ length: 100 }, (_, number) => `default/${number}`).toSorted(),
      )
      assert.equal(run.summary!.schedule.planned, 100)
    },

    'hits per user, with a time after which none starts': async () => {
      const server = await startServer()
      const load = ['--users', '6', '--iterations', '1000', '--max-duration', '2s']
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 100) })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      assert.ok(server.seen.length > 30 && server.seen.length <= 126, `${server.seen.length} executions`)
      const last = server.seen.at(-1)!.at - server.seen[0]!.at
      assert.ok(last < 4_000, `the last one started after ${last} ms`)
    },

    'constant users with pauses at random': async () => {
      const server = await startServer()
      const load = ['--users', '6', '--duration', '4s', '--pause', '100ms..300ms']
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 1) })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const byUser = grouped(server)
      assert.equal(byUser.size, 6)
      for (const requests of byUser.values()) {
        const gaps = requests.slice(1).map(({ at }, index) => at - requests[index]!.at)
        assert.ok(Math.min(...gaps) > 95, gaps.join())
        assert.ok(
          new Set(gaps.map((gap) => Math.round(gap / 20))).size > 2,
          `always the same pause: ${gaps.join()}`,
        )
      }
    },

    'a pace': async () => {
      const server = await startServer()
      const load = ['--users', '3', '--iterations', '5', '--pause', 'pace:400ms']
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 150) })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      for (const requests of grouped(server).values()) {
        const spread = requests.at(-1)!.at - requests[0]!.at
        assert.ok(spread > 1_550 && spread < 4_000, `5 starts, 400 ms apart, in ${spread} ms`)
      }
    },
  })
})

function grouped(server: OwnServer): Map<string | null, { at: number }[]> {
  const groups = new Map<string | null, { at: number }[]>()
  for (const seen of server.seen) {
    const user = seen.url.searchParams.get('user')
    const group = groups.get(user) ?? []
    group.push(seen)
    groups.set(user, group)
  }
  return groups
}

describe('an externally controlled run', function () {
  this.timeout(120_000)

  it('changes its rate, pauses and resumes as another console says', async () => {
    const server = await startServer()
    const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: step(server, 1) })
    const load = ['--controlled', 'rate', '--rate', '10/s', '--duration', '16s', '--users', '50']
    const run = await cluster.start(['step', ...load])
    await server.sawRequests(20)
    const rateOver = async (ms: number) => {
      const from = server.seen.length
      await new Promise((resolve) => setTimeout(resolve, ms))
      return ((server.seen.length - from) * 1000) / ms
    }
    const control = async (...args: string[]) => {
      const said = await cluster.run(['--control', ...args], { json: false })
      assert.equal(said.exitCode, 0, said.stdout + said.stderr)
      return rateOver(500)
    }
    await control('--set-rate', '80/s')
    const fast = await rateOver(2_000)
    assert.ok(fast > 50 && fast < 120, `${fast}/s instead of 80`)
    await control('--pause-load')
    assert.equal(await rateOver(1_500), 0)
    await control('--resume-load')
    const again = await rateOver(1_500)
    assert.ok(again > 40, `${again}/s after the pause`)
    const wrong = await cluster.run(['--control', '--set-users', '5'], { json: false })
    assert.equal(wrong.exitCode, 2)
    assert.match(wrong.stderr, /rate/)
    const result = await run.result
    assertWentToPlan(result)
    const { summary } = result
    assert.equal(summary!.schedule.planned, summary!.schedule.started + summary!.schedule.dropped)
    assert.equal(summary!.hits.count, server.seen.length)
  })

  it('changes its users', async () => {
    const server = await startServer()
    const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: step(server, 50) })
    const load = ['--controlled', 'users', '--users', '20', '--start', '2', '--duration', '8s']
    const run = await cluster.start(['step', ...load])
    await server.sawRequests(20)
    assert.equal(new Set(server.seen.map(({ url }) => url.searchParams.get('user'))).size, 2)
    const said = await cluster.run(['--control', '--set-users', '12'], { json: false })
    assert.equal(said.exitCode, 0, said.stdout + said.stderr)
    await server.sawRequests(server.seen.length + 200)
    assert.equal(new Set(server.seen.slice(-100).map(({ url }) => url.searchParams.get('user'))).size, 12)
    const tooMany = await cluster.run(['--control', '--set-users', '21'], { json: false })
    assert.equal(tooMany.exitCode, 2)
    assert.match(tooMany.stderr, /20/)
    const { exitCode, summary } = await run.result
    assert.equal(exitCode, 0)
    assert.equal(summary!.hits.count, server.seen.length)
  })
})
