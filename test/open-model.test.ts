import assert from 'node:assert/strict'
import { assertWentToPlan } from './helpers/open-run.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { pidOfAgent } from './helpers/steps.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { assertLedgerBalances } from './helpers/standing-cluster.ts'

const page = (server: OwnServer) => ({
  'page.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() { await this.session.get('${server.url}/page?id=' + this.executionId + '&pid=' + process.pid + '&at=' + Date.now(), { name: 'page' }) }
    }`,
})

/** Answers at once, but for a time of `stallMs` that begins `afterMs` after the first request: then nobody is answered. */
async function startStalling(afterMs: number, stallMs: number): Promise<OwnServer> {
  let stallFrom = Infinity
  return startServer((_request, response) => {
    const now = performance.now()
    if (stallFrom === Infinity) stallFrom = now + afterMs
    const isStalled = now >= stallFrom && now < stallFrom + stallMs
    if (isStalled) setTimeout(() => response.end('{}'), stallFrom + stallMs - now)
    else response.end('{}')
  })
}

/** Each start came once, and no other. */
function assertStartedOnce(server: OwnServer, scenario: string, count: number): void {
  const ids = server.seen.map(({ url }) => url.searchParams.get('id'))
  assert.equal(new Set(ids).size, ids.length)
  const expected = new Set(Array.from({ length: count }, (_, number) => `${scenario}/${number}`))
  for (const id of ids) assert.ok(expected.has(id!), id!)
}

describe('an open model', function () {
  this.timeout(120_000)

  sideBySide({
    'shows a stall of 2 s in the response times of all that were due, whoever was free to make them':
      async () => {
        const server = await startStalling(4_000, 2_000)
        const load = ['--rate', '200/s', '--duration', '10s', '--users', '10']
        const run = await runCli(['page.TestPage', ...load], { files: page(server) })
        assertWentToPlan(run)
        const { schedule, serviceTime, responseTime, hits, executions } = run.summary!
        assert.equal(schedule.planned, 2_000)
        assert.equal(schedule.planned, schedule.started + schedule.dropped)
        assert.equal(schedule.dropped, 0)
        assert.equal(hits.count, server.seen.length)
        // Ten users had a slow request each: the target's stall is nearly invisible in the service time.
        assert.ok(serviceTime.p95! < 500, `service time p95 ${serviceTime.p95}`)
        // 400 of 2,000 starts fell due in the stall; the slowest tenth of all waited for one to two seconds.
        assert.ok(responseTime!.p90! > 850, `response time p90 ${responseTime!.p90}`)
        assert.ok(responseTime!.p90! < 20_000, `response time p90 ${responseTime!.p90}`)
        assert.ok(responseTime!.max! > 1_800, `response time max ${responseTime!.max}`)
        assert.equal(responseTime!.count, 2_000)
        assert.equal(executions[0]!.responseTime!.count, 2_000)
      },

    'drops nothing with enough users, and its p90 of response time is half of the stall': async () => {
      const server = await startStalling(4_000, 2_000)
      const load = ['--rate', '200/s', '--duration', '10s', '--users', '1000']
      const run = await runCli(['page.TestPage', ...load], { files: page(server) })
      assertWentToPlan(run)
      const { schedule, serviceTime, responseTime } = run.summary!
      assert.equal(schedule.planned, 2_000)
      assert.equal(schedule.started, 2_000)
      assert.equal(schedule.dropped, 0)
      for (const { p90 } of [responseTime!, serviceTime]) assert.ok(p90! > 850 && p90! < 20_000, `p90 ${p90}`)
      assertStartedOnce(server, 'default', 2_000)
    },

    'drops what could not start within --max-late, and counts it': async () => {
      const server = await startStalling(1_000, 3_000)
      const load = ['--rate', '50/s', '--duration', '6s', '--users', '2', '--max-late', '1s']
      const run = await runCli(['page.TestPage', ...load], { files: page(server) })
      const { schedule, tests } = run.summary!
      assert.equal(schedule.planned, 300)
      assert.equal(schedule.planned, schedule.started + schedule.dropped)
      // The stall is three times as long as a start may wait.
      assert.ok(schedule.dropped > 60 && schedule.dropped < 290, `${schedule.dropped} dropped`)
      assert.equal(tests.started, schedule.started)
      assert.equal(server.seen.length, schedule.started)
      assert.match(run.stdout, new RegExp(`${schedule.dropped} dropped`))
    },

    'spaces starts at random when asked, the same starts for the same seed on any number of agents':
      async () => {
        const runs: { starts: PlannedStart[]; planned: number; p50: number }[] = []
        for (const agents of [[], ['--agents', '2']]) {
          const server = await startServer()
          const load = ['--rate', '40/s', '--spacing', 'poisson', '--duration', '5s', '--seed', '7']
          const run = await runCli(['page.TestPage', ...load, ...agents], { files: page(server) })
          assertWentToPlan(run)
          const { schedule, responseTime, started } = run.summary!
          assert.equal(schedule.planned, server.seen.length)
          assertStartedOnce(server, 'default', server.seen.length)
          const starts = startsOf(server, Date.parse(started!))
          runs.push({ starts, planned: schedule.planned!, p50: responseTime!.p50! })
        }
        const [alone, together] = runs.map(({ starts }) => starts.slice(0, 150)) as [
          PlannedStart[],
          PlannedStart[],
        ]
        assert.equal(runs[0]!.planned, runs[1]!.planned)
        // A start is never early; where this machine stood still, the other run shows when it was due.
        const due = alone.map(({ at }, index) => Math.min(at, together[index]!.at))
        const gaps = due.slice(1).map((at, index) => at - due[index]!)
        const shorter = gaps.filter((gap) => gap < 25 * Math.LN2).length
        assert.ok(
          shorter > 40 && shorter < 110,
          `half of exponential gaps are short: ${shorter} of ${gaps.length}`,
        )
        // An agent hears a moment later than another that load begins.
        const later = together.map(({ at, pid }, index) => ({ pid, ms: at - alone[index]!.at }))
        const apart = [...new Set(later.map(({ pid }) => pid))].flatMap((pid) => {
          const ofAgent = later.filter((each) => each.pid === pid).map(({ ms }) => ms)
          return ofAgent.map((ms) => Math.abs(ms - middleOf(ofAgent)))
        })
        const allowed = 60 + runs[0]!.p50 + runs[1]!.p50
        assert.ok(middleOf(apart) < allowed, `the same starts, half of them ${middleOf(apart)} ms apart`)
      },

    'keeps its rate when an agent is killed': async () => {
      const server = await startServer()
      const load = ['--rate', '60/s', '--duration', '14s', '--users', '60', '--agents', '3']
      const run = await startCli(['page.TestPage', ...load], { files: page(server), timeoutMs: 90_000 })
      await server.sawRequests(150)
      process.kill(pidOfAgent(run, 'agent-2'), 'SIGKILL')
      const { summary, exitCode } = await run.result
      // Windows that it had not sent are gone, which is said.
      assert.ok([0, 5, 6].includes(exitCode), `exit code ${exitCode}`)
      const { schedule, tests } = summary!
      assert.equal(schedule.planned, schedule.started + schedule.dropped)
      assert.ok(schedule.planned! >= 840, `${schedule.planned} of 840 starts are accounted for`)
      assertLedgerBalances(summary!)
      assert.ok(tests.lost <= 60)
      // One that was made just before the kill may not have reached the target: it is lost, and counted.
      const reached = server.seen.length
      assert.ok(
        reached + tests.lost >= 840,
        `${reached} of 840 starts reached the target, ${tests.lost} are lost`,
      )
      // What fell due between the kill and its discovery came late, but came.
      const starts = startsOf(server, Date.parse(summary!.started!))
      const lastSeconds = starts.filter(({ at }) => at > 11_000).length
      assert.ok(lastSeconds > 140, `${lastSeconds} starts in the last 3 s instead of 180`)
    },

    'says that the generator was the limit, when the target was not': async () => {
      const server = await startServer()
      const files = {
        'busy.ts': `
          import { TestCase } from 'loads-runner'
          export class TestBusy extends TestCase {
            async test_busy() {
              await this.session.get('${server.url}/')
              const until = performance.now() + 30
              while (performance.now() < until);
            }
          }`,
      }
      const load = ['--rate', '60/s', '--duration', '5s', '--workers', '1']
      const run = await runCli(['busy.TestBusy', ...load], { files, timeoutMs: 90_000 })
      assert.equal(run.exitCode, 6, run.stdout + run.stderr)
      const { verdict, generator } = run.summary!
      assert.equal(verdict, 'generator-limited')
      assert.equal(generator.limited, true)
      assert.ok(generator.tainted.length > 0)
      assert.match(run.stdout, /generator-limited/)
    },
  })
})

interface PlannedStart {
  /** Of the process that made it. */
  pid: string
  /** Milliseconds since load began, by the clock of that process: the target may see it any time later. */
  at: number
}

/** In the order of the schedule. */
function startsOf(server: OwnServer, began: number): PlannedStart[] {
  const ordinal = (url: URL) => Number(url.searchParams.get('id')!.split('/').at(-1))
  return server.seen
    .map(({ url }) => url)
    .toSorted((one, other) => ordinal(one) - ordinal(other))
    .map(({ searchParams }) => ({
      pid: searchParams.get('pid')!,
      at: Number(searchParams.get('at')) - began,
    }))
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!
}

describe('reported times', function () {
  this.timeout(60_000)

  it('are those that the target itself has recorded', async () => {
    const taken: number[] = []
    let number = 0
    const server = await startServer((_request, response) => {
      const begun = performance.now()
      // Mostly 100 ms, a tenth 400 ms, a hundredth 900 ms.
      const kind = number++ % 100
      setTimeout(
        () => response.end('{}', () => taken.push(performance.now() - begun)),
        kind === 99 ? 900 : kind >= 90 ? 400 : 100,
      )
    })
    const files = {
      'page.ts': `
        import { TestCase } from 'loads-runner'
        export class TestPage extends TestCase {
          async test_page() {
            const begun = performance.now()
            await this.session.get('${server.url}/page', { name: 'page' })
            this.recordTiming('stopwatch', performance.now() - begun)
          }
        }`,
    }
    const run = await runCli(['page.TestPage', '--users', '40', '--iterations', '50'], { files })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const { serviceTime } = run.summary!
    const stopwatch = run.summary!.timings['stopwatch']!
    const sorted = taken.toSorted((a, b) => a - b)
    assert.equal(serviceTime.count, sorted.length)
    assert.equal(serviceTime.trustedTo, 0.995)
    for (const [share, reported, stopped] of [
      [0.5, serviceTime.p50, stopwatch.p50],
      [0.9, serviceTime.p90, stopwatch.p90],
      [0.95, serviceTime.p95, stopwatch.p95],
    ] as const) {
      const low = sorted[Math.floor((share - 0.005) * 2_000)]!
      assert.ok(reported! > low * 0.992 - 1, `p${share * 100} ${reported} is below the target's ${low}`)
      // The way there and back belongs to it, too, which is long where the machine stands still.
      assert.ok(
        reported! < stopped! * 1.017 + 1,
        `p${share * 100} ${reported} is above the test's ${stopped}`,
      )
    }
    const [p50, p50Recorded] = [serviceTime.p50!, sorted[1_010]!]
    assert.ok(p50 < p50Recorded * 1.008 + 60, `p50 ${p50} is above the target's ${p50Recorded}`)
  })
})
