import assert from 'node:assert/strict'
import type { Summary } from '@loads-runner/metrics'
import { runCli } from './helpers/run-cli.ts'
import { assertLedgerBalances } from './helpers/standing-cluster.ts'
import { startTarget } from './helpers/target.ts'
import type { Target } from './helpers/target.ts'

const page = (target: Target) => ({
  'page.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() { await this.session.get('${target.httpUrl}/') }
    }`,
})

/** One of everything that is counted; which of it, is drawn from the seed and the execution alone. */
const everything = ({ httpUrl, wsUrl }: Target) => ({
  'everything.ts': `
    import { TestCase } from 'loads-runner'
    export class TestEverything extends TestCase {
      static weights = { test_pages: 3 }

      async setUp() { this.incrCounter('executions of ' + this.user) }

      async test_pages() {
        const { random } = this
        await this.session.get('${httpUrl}/users/:id', { params: { id: random.integer(1, 5) } })
        const response = await this.session.get('${httpUrl}/status/' + random.pick([200, 404, 503]), { name: 'any status' })
        this.assertEqual(response.status, 200)
      }

      async test_socket() {
        const ws = await this.createWs('${wsUrl}')
        for (let sent = this.random.integer(1, 4); sent > 0; sent--) {
          await ws.send('x'.repeat(sent))
          await ws.receive()
        }
      }

      async test_error() {
        if (this.random.integer(1, 3) === 1) throw new TypeError('bad luck')
      }
    }`,
})

/** What must not depend on where a test ran. */
function countsOf({ tests, hits, executions, series, websockets, counters, errorGroups }: Summary) {
  const { perSecond: _, ...counted } = hits
  const sorted = <T>(rows: T[]) => rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  return {
    tests,
    hits: counted,
    executions: sorted(
      executions.map(({ test, started, successes, failures, errors, interrupted, duration }) => {
        return { test, started, successes, failures, errors, interrupted, timed: duration.count }
      }),
    ),
    series: sorted(series.map(({ serviceTime, ...rest }) => ({ ...rest, timed: serviceTime.count }))),
    websockets,
    counters,
    // A group shows the message that it saw first; which of two users at once that was is not a matter of counts.
    errorGroups: sorted(
      errorGroups.map(({ type, message, count }) => ({
        type,
        message: message.replaceAll(/\d+/g, '<n>'),
        count,
      })),
    ),
  }
}

describe('counts of distributed runs', function () {
  this.timeout(120_000)

  for (const [agents, planned] of [
    [1, [10_000]],
    [3, [4_000, 3_000, 3_000]],
    [5, [2_000, 2_000, 2_000, 2_000, 2_000]],
  ] as const) {
    it(`are what the target counts, on ${agents} agents`, async () => {
      const target = await startTarget()
      const args = ['page.TestPage.test_page', '--users', '10', '--iterations', '1000']
      const run = await runCli([...args, '--agents', String(agents)], {
        files: page(target),
        timeoutMs: 110_000,
      })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const summary = run.summary!
      assert.equal(target.count().http, 10_000)
      assert.equal(summary.hits.count, 10_000)
      assert.equal(summary.tests.successes, 10_000)
      assert.deepEqual(
        summary.agents.map(({ ledger }) => ledger),
        planned.map((all) => ({
          planned: all,
          started: all,
          finished: all,
          reported: all,
          lost: 0,
          dropped: 0,
        })),
      )
      assertLedgerBalances(summary)
    })
  }

  it('one user runs on each agent where nothing else is said', async () => {
    const target = await startTarget()
    const run = await runCli(['page.TestPage.test_page', '--agents', '5'], { files: page(target) })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(target.count().http, 5)
    assert.deepEqual(
      run.summary!.agents.map(({ hits, ledger }) => [hits, ledger.finished]),
      Array.from({ length: 5 }, () => [1, 1]),
    )
  })

  it('are the same locally, on two threads and over agents, for all that is counted', async () => {
    const places = [[], ['--workers', '2'], ['--agents', '3']]
    const results = await Promise.all(
      places.map(async (place) => {
        const target = await startTarget()
        const args = ['everything', '--users', '7', '--iterations', '12', '--seed', '5', ...place]
        const run = await runCli(args, { files: everything(target) })
        assert.equal(run.exitCode, 1, run.stdout + run.stderr)
        const { http, websocket } = target.count()
        assert.equal(run.summary!.hits.count, http + websocket)
        return { counts: countsOf(run.summary!), target: target.count() }
      }),
    )
    const [local, ...others] = results
    assert.equal(local!.counts.tests.started, 84)
    assert.ok(local!.counts.tests.failures > 0 && local!.counts.tests.errors > 0)
    for (const other of others) {
      // Ports differ from target to target, and are part of the names.
      assert.deepEqual(withoutPorts(other), withoutPorts(local))
    }
  })
})

function withoutPorts(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(/localhost:\d+/g, 'localhost')) as unknown
}
