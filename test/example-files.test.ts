import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { startTarget as startExampleTarget } from '../examples/target/server.js'
import { assertWentToPlan } from './helpers/open-run.ts'
import { runCli } from './helpers/run-cli.ts'
import type { CliResult } from './helpers/run-cli.ts'
import { cleanUpAfterTest } from './helpers/temporary.ts'

const examples = fileURLToPath(new URL('../examples', import.meta.url))

type Target = Awaited<ReturnType<typeof startExampleTarget>>

async function startTarget(): Promise<Target> {
  const target = await startExampleTarget({ httpPort: 0, wsPort: 0, tcpPort: 0, grpcPort: 0 })
  cleanUpAfterTest(() => target.stop())
  return target
}

/** It went as planned. A busy machine may have been too slow for a threshold of times, as the run says then. */
function assertAsPlanned(run: CliResult): void {
  const crossed = run.summary!.thresholds.filter(({ ok }) => !ok)
  if (crossed.length === 0) return assertWentToPlan(run)
  for (const { expression } of crossed) assert.match(expression, /duration|response_time/)
  assert.ok([99, 6].includes(run.exitCode), `exit code ${run.exitCode}\n${run.stdout}${run.stderr}`)
}

/** Runs an example as it stands, against this target. */
async function runExample(target: Target, ...args: string[]): Promise<CliResult> {
  const where = ['--server-url', target.httpUrl, '--param', `tcp=localhost:${target.tcpPort}`]
  const grpc = ['--param', `grpc=127.0.0.1:${target.grpcPort}`]
  const run = await runCli(['--test-dir', examples, ...args, ...where, ...grpc])
  assert.ok(run.summary !== null, run.stdout + run.stderr)
  assertAsPlanned(run)
  return run
}

describe('the examples, one by one', function () {
  this.timeout(120_000)

  it('open-model.ts starts as many as its rate says, and tells the response time', async () => {
    const target = await startTarget()
    const { summary } = await runExample(target, 'open-model')
    assert.deepEqual([summary!.schedule!.planned, summary!.schedule!.started], [250, 250])
    assert.equal(target.count().http, 250)
    assert.ok(summary!.responseTime!.count === 250)
    assert.equal(summary!.thresholds.length, 2)
  })

  it('ramping.ts goes up and down', async () => {
    const target = await startTarget()
    const { summary } = await runExample(target, 'ramping')
    assert.ok(summary!.hits.count > 20)
    assert.equal(target.count().http, summary!.hits.count)
  })

  it('scenarios: two loads side by side from one plan file', async () => {
    const target = await startTarget()
    const directory = `${examples}/scenarios`
    const where = ['--test-dir', directory, '--server-url', target.httpUrl]
    const run = await runCli(['--config', `${directory}/loads.config.ts`, ...where])
    assertAsPlanned(run)
    const tests = Object.fromEntries(run.summary!.executions.map(({ test, successes }) => [test, successes]))
    assert.equal(tests['TestShop.test_buy'], 20)
    assert.ok(tests['TestShop.test_browse']! > tests['TestShop.test_look_up']!)
  })

  it('checks-and-steps.ts counts checks and measures steps', async () => {
    const target = await startTarget()
    const { stdout } = await runExample(target, 'checks-and-steps', '--users', '2', '--iterations', '3')
    assert.match(stdout, /front page has a tagline/)
    assert.match(stdout, /visit \/ look around/)
  })

  it('feed.ts has each user of its file once, on agents too', async () => {
    const target = await startTarget()
    const { summary } = await runExample(target, 'feed', '--agents', '2')
    assert.equal(summary!.tests.successes, 10)
    assert.equal(target.count().http, 10)
  })

  it('events.ts, grpc.ts, tcp.ts and measure.ts speak to their servers', async () => {
    const target = await startTarget()
    const kinds: [string, string, number][] = [
      ['events', 'sse', 1],
      ['grpc', 'grpc', 2],
      ['tcp', 'tcp', 2],
      ['measure', 'call', 1],
    ]
    for (const [example, kind, hits] of kinds) {
      const { summary } = await runExample(target, example)
      const count = summary!.series
        .filter((series) => series.kind === kind)
        .reduce((sum, each) => sum + each.count, 0)
      assert.equal(count, hits, example)
    }
    const { http, tcp, grpc } = target.count()
    assert.deepEqual({ http, tcp, grpc }, { http: 2, tcp: 1, grpc: 2 })
  })
})
