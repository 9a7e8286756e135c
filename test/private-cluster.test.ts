import assert from 'node:assert/strict'
import { assertNoneLeft, descendantsOf, processesMarked } from './helpers/processes.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { startTarget } from './helpers/target.ts'
import type { Target } from './helpers/target.ts'

const filesFor = (target: Target) => ({
  'page.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() { await this.session.get('${target.httpUrl}/') }
    }`,
})

describe('a run on agents of its own', function () {
  this.timeout(180_000)

  it('counts exactly what the target counts, and shares users out evenly', async () => {
    const target = await startTarget()
    const args = ['page.TestPage.test_page', '--agents', '3', '--users', '10', '--iterations', '200']
    const run = await runCli(args, { files: filesFor(target) })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(target.count().http, 2_000)
    const { hits, tests, agents, coverage } = run.summary!
    assert.equal(hits.count, 2_000)
    assert.equal(tests.successes, 2_000)
    assert.deepEqual(
      agents.map(({ ledger }) => ledger.planned).toSorted((a, b) => a - b),
      [600, 600, 800],
    )
    for (const { ledger, state } of agents) {
      assert.equal(state, 'done')
      assert.deepEqual(ledger, {
        planned: ledger.planned,
        started: ledger.planned,
        finished: ledger.planned,
        reported: ledger.planned,
        dropped: 0,
        lost: 0,
      })
    }
    assert.equal(
      agents.reduce((sum, agent) => sum + agent.hits, 0),
      2_000,
    )
    assert.equal(coverage.ratio, 1)
  })

  it('leaves nothing when the console is killed with SIGKILL', async function () {
    if (process.platform !== 'linux') this.skip()
    const target = await startTarget()
    const args = ['page.TestPage.test_page', '--agents', '3', '--users', '6', '--duration', '60s']
    const run = await startCli(args, { files: filesFor(target), timeoutMs: 60_000 })
    await run.waitForLine(/hits/i)
    const programs = descendantsOf(run.pid).map(
      ({ command }) => /bin\/(loads-\w+)\.js/.exec(command)?.[1] ?? 'other',
    )
    const ours = programs.filter((program) => program !== 'other').toSorted()
    assert.deepEqual(ours, ['loads-agent', 'loads-agent', 'loads-agent', 'loads-broker'])
    run.kill('SIGKILL')
    assert.equal((await run.result).exitCode, 137)
    await assertNoneLeft(run.mark)
    assert.deepEqual(processesMarked(run.mark), [])
  })
})
