import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Summary } from '@loads-runner/metrics'
import { assertWentToPlan } from './helpers/open-run.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import type { RunningCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'

/** A test of `waitMs`, whose target sees who made which execution, where, and when it began. */
const step = (server: OwnServer, waitMs: number) => ({
  'step.ts': `
    import { TestCase } from 'loads-runner'
    export class TestStep extends TestCase {
      async test_step() {
        const query = { user: this.user, id: this.executionId, at: Date.now(), pid: process.pid }
        await this.session.get('${server.url}/', { query, name: 'step' })
        await new Promise((resolve) => setTimeout(resolve, ${waitMs}))
      }
    }`,
})

interface Start {
  /** Of the schedule, from 0; of users each has numbers of its own. */
  number: number
  /** The process that made it. */
  pid: string
  /** Milliseconds since the epoch, by the clock of that process: the target may see it any time later. */
  at: number
}

/** Starts by what a query parameter says, in their order. */
function startsBy(server: OwnServer, parameter: 'user' | 'pid'): Start[][] {
  const groups = new Map<string, Start[]>()
  for (const { searchParams } of server.seen.map(({ url }) => url)) {
    const [key, id, pid, at] = [parameter, 'id', 'pid', 'at'].map((name) => searchParams.get(name)!)
    const group = groups.get(key!) ?? []
    groups.set(key!, group)
    group.push({ number: Number(id!.split('/').at(-1)), pid: pid!, at: Number(at) })
  }
  return [...groups.values()].map((group) => group.toSorted((one, other) => one.at - other.at))
}

const spreadOf = (starts: readonly Start[]) => starts.at(-1)!.at - starts[0]!.at

/** Clocks of several processes, and the whole milliseconds in which they are told. */
const clockMs = 20

/** Each start came when it was due, at the earliest; on a busy machine later, as far as the run says so of itself. */
function assertStartedWhenDue(server: OwnServer, summary: Summary, dueMs: (number: number) => number): void {
  const began = Date.parse(summary.started!)
  const late = startsBy(server, 'pid').flatMap((ofAgent) => {
    const each = ofAgent.map(({ number, at }) => at - began - dueMs(number))
    const least = Math.min(...each)
    assert.ok(least > -clockMs, `a start came ${-least} ms before it was due`)
    // An agent hears a moment later that load begins.
    return each.map((ms) => ms - least)
  })
  const typical = late.toSorted((one, other) => one - other)[Math.floor(late.length / 2)]!
  const { p50 } = summary.responseTime!
  assert.ok(typical < 200 + p50!, `half of the starts came more than ${typical} ms late, p50 is ${p50} ms`)
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
      assertStartedWhenDue(server, run.summary!, (number) => number / 0.03)
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
      assertStartedWhenDue(server, run.summary!, (number) => {
        if (number < 90) return 1_000 * Math.sqrt(number / 10)
        if (number < 210) return 3_000 + (number - 90) / 0.06
        return 8_000 - 1_000 * Math.sqrt((300 - number) / 10)
      })
    },

    'ramping users': async () => {
      const server = await startServer()
      const load = ['--stages', '3s:9,2s:9,3s:0']
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 50) })
      assertWentToPlan(run)
      const users = startsBy(server, 'user')
      assert.ok(users.length >= 5 && users.length <= 9, `${users.length} users`)
      const began = Date.parse(run.summary!.started!)
      const firsts = users.map(([first]) => first!.at - began).toSorted((one, other) => one - other)
      // One more each third of a second, and as long before the end one less.
      for (const [rank, first] of firsts.entries())
        assert.ok(first > (rank * 1_000) / 3 - clockMs, `user ${rank + 1} of 9 began after ${first} ms`)
      // The last start of a user may be made a moment later than it was decided on.
      const spans = users.map((starts) => (starts.length < 3 ? 0 : spreadOf(starts.slice(0, -1))))
      for (const [rank, span] of spans.toSorted((one, other) => other - one).entries())
        assert.ok(span < 8_000 - (rank * 2_000) / 3 + clockMs, `user ${rank + 1} of 9 went on for ${span} ms`)
      for (const { id, hits } of run.summary!.agents) assert.ok(hits > 0, `${id} made ${hits} hits`)
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
      assert.ok(server.seen.length >= 6 && server.seen.length <= 126, `${server.seen.length} executions`)
      for (const starts of startsBy(server, 'user')) {
        // The last one may begin a moment later than it was decided on.
        const spread = spreadOf(starts.slice(0, Math.max(1, starts.length - 1)))
        assert.ok(spread < 2_000 + clockMs, `they started for ${spread} ms`)
      }
      const { durationSeconds } = run.summary!
      assert.ok(durationSeconds >= 2, `it ended after ${durationSeconds} s`)
    },

    'constant users with pauses at random': async () => {
      const server = await startServer()
      const load = ['--users', '6', '--iterations', '15', '--pause', '100ms..300ms', '--seed', '3']
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 1) })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const users = startsBy(server, 'user')
      assert.equal(users.length, 6)
      for (const starts of users) {
        const gaps = starts.slice(1).map(({ at }, index) => at - starts[index]!.at)
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
      const run = await runCli(['step', ...load, ...agents], { files: step(server, 300) })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const { durationSeconds } = run.summary!
      assert.ok(durationSeconds > 1.88, `5 starts, 400 ms apart, and 300 ms in ${durationSeconds} s`)
      const gaps = startsBy(server, 'user').flatMap((starts) =>
        starts.slice(1).map(({ at }, index) => at - starts[index]!.at),
      )
      assert.equal(gaps.length, 12)
      // Not 400 ms after what takes 300: from start to start.
      assert.ok(Math.min(...gaps) < 650, gaps.join())
    },
  })
})

describe('an externally controlled run', function () {
  this.timeout(120_000)
  /** Longer than any test takes: they end their runs themselves. */
  const duration = ['--duration', '110s']
  const timeoutMs = 115_000

  /** Ends the run, whose users finish what they are doing. */
  async function end(run: RunningCli): Promise<Summary> {
    run.kill('SIGINT')
    const { exitCode, summary, stdout, stderr } = await run.result
    assert.equal(exitCode, 130, stdout + stderr)
    return summary!
  }

  it('changes its rate, pauses and resumes as another console says', async () => {
    const server = await startServer()
    const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: step(server, 1) })
    const load = ['--controlled', 'rate', '--rate', '10/s', '--users', '50', ...duration]
    const run = await cluster.start(['step', ...load], { timeoutMs })
    await server.sawRequests(20)
    /** The word has to reach every agent; then it is so for a second. */
    const untilRate = async (wanted: string, isSo: (rate: number) => boolean) => {
      const rates: number[] = []
      while (rates.length < 20) {
        const from = server.seen.length
        await delay(1_000)
        rates.push(server.seen.length - from)
        if (isSo(rates.at(-1)!)) return
      }
      assert.fail(`${rates.join()} starts in a second instead of ${wanted}`)
    }
    const control = async (...args: string[]) => {
      const said = await cluster.run(['--control', ...args], { json: false })
      assert.equal(said.exitCode, 0, said.stdout + said.stderr)
    }
    await control('--set-rate', '80/s')
    await untilRate('80', (rate) => rate > 50 && rate < 120)
    await control('--pause-load')
    await untilRate('0', (rate) => rate === 0)
    await control('--resume-load')
    await untilRate('80', (rate) => rate > 50 && rate < 120)
    const wrong = await cluster.run(['--control', '--set-users', '5'], { json: false })
    assert.equal(wrong.exitCode, 2)
    assert.match(wrong.stderr, /rate/)
    const { schedule, hits } = await end(run)
    assert.equal(schedule.planned, schedule.started + schedule.dropped)
    assert.equal(hits.count, server.seen.length)
  })

  it('changes its users', async () => {
    const server = await startServer()
    const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: step(server, 50) })
    const load = ['--controlled', 'users', '--users', '20', '--start', '2', ...duration]
    const run = await cluster.start(['step', ...load], { timeoutMs })
    const users = (from: number) =>
      new Set(server.seen.slice(from).map(({ url }) => url.searchParams.get('user'))).size
    await server.sawRequests(20)
    assert.equal(users(0), 2)
    const said = await cluster.run(['--control', '--set-users', '12'], { json: false })
    assert.equal(said.exitCode, 0, said.stdout + said.stderr)
    while (users(-100) < 12) await server.sawRequests(server.seen.length + 1)
    const tooMany = await cluster.run(['--control', '--set-users', '21'], { json: false })
    assert.equal(tooMany.exitCode, 2)
    assert.match(tooMany.stderr, /20/)
    const { hits } = await end(run)
    assert.equal(users(0), 12)
    assert.equal(hits.count, server.seen.length)
  })
})
