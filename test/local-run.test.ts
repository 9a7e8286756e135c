import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCli } from './helpers/run-cli.ts'
import { exampleFor, startTarget } from './helpers/target.ts'

/** A test class with one method, in a file of its own. */
function oneTest(body: string): string {
  return `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() {
        ${body}
      }
    }`
}

describe('a local run', function () {
  this.timeout(90_000)

  it('makes one hit with the test of the slides', async () => {
    const target = await startTarget()
    const run = await runCli(['example.TestWebSite.test_es'], {
      files: { 'example.ts': await exampleFor(target) },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const shown = [
      /^Hits: 1$/m,
      /^Duration: [\d.]+ seconds$/m,
      /^Approximate Average RPS: \d+/m,
      /^Average request time: [\d.]+s$/m,
      /^Success: 1$/m,
      /^Errors: 0$/m,
      /^Failures: 0$/m,
    ].map((line) => line.exec(run.stdout)?.index ?? assert.fail(`no line ${line} in:\n${run.stdout}`))
    assert.deepEqual(
      shown,
      shown.toSorted((a, b) => a - b),
      'the lines are in another order',
    )
    assert.deepEqual(target.count(), { http: 1, websocket: 0, messages: 0 })

    const summary = run.summary!
    assert.equal(summary.schema, 'loads.summary/1')
    assert.equal(summary.verdict, 'passed')
    assert.equal(summary.exitCode, 0)
    assert.equal(summary.hits.count, 1)
    assert.equal(summary.hits.failed, 0)
    assert.equal(summary.serviceTime.count, 1)
    assert.deepEqual(
      summary.series.map(({ kind, method, status, count }) => ({ kind, method, status, count })),
      [{ kind: 'http', method: 'GET', status: '200', count: 1 }],
    )
    const stored = JSON.parse(
      await readFile(join(run.directory, 'results/latest/summary.json'), 'utf8'),
    ) as unknown
    assert.deepEqual(stored, summary)
  })

  it('holds the WebSocket conversation of the slides', async () => {
    const target = await startTarget()
    const run = await runCli(['example.TestWebSite.test_something'], {
      files: { 'example.ts': await exampleFor(target) },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.deepEqual(target.count(), { http: 0, websocket: 1, messages: 2 })
    const { websockets, hits, tests } = run.summary!
    assert.equal(tests.successes, 1)
    assert.equal(hits.count, 1)
    assert.equal(websockets.opened, 1)
    assert.equal(websockets.messagesSent, 2)
    assert.equal(websockets.messagesReceived, 2)
    assert.equal(websockets.bytesSent, 'somethinghappened'.length)
    assert.equal(websockets.bytesReceived, 'somethinghappened'.length)
  })

  it('runs every test of a class that is named alone', async () => {
    const target = await startTarget()
    const run = await runCli(['example.TestWebSite'], { files: { 'example.ts': await exampleFor(target) } })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.deepEqual(target.count(), { http: 1, websocket: 1, messages: 2 })
    assert.deepEqual(
      run.summary!.executions.map(({ test, successes }) => `${test} ${successes}`).toSorted(),
      ['TestWebSite.test_es 1', 'TestWebSite.test_something 1'],
    )
  })

  for (const workers of ['1', '2', '0']) {
    it(`counts exactly what the target counts (--workers ${workers})`, async () => {
      const target = await startTarget()
      const run = await runCli(
        ['page.TestPage.test_page', '--users', '10', '--iterations', '1000', '--workers', workers],
        { files: { 'page.ts': oneTest(`await this.session.get('${target.httpUrl}/')`) } },
      )
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      assert.equal(target.count().http, 10_000)
      const summary = run.summary!
      assert.equal(summary.hits.count, 10_000)
      assert.equal(summary.serviceTime.count, 10_000)
      assert.equal(summary.tests.started, 10_000)
      assert.equal(summary.tests.successes, 10_000)
      assert.deepEqual(
        summary.agents.map(({ ledger }) => ledger),
        [{ planned: 10_000, started: 10_000, finished: 10_000, reported: 10_000, lost: 0, dropped: 0 }],
      )
      assert.equal(summary.coverage.ratio, 1)
    })
  }

  it('ends with 1 when an assertion fails, and shows which', async () => {
    const target = await startTarget()
    const body = `const res = await this.session.get('${target.httpUrl}/status/404'); this.assertEqual(res.status, 200)`
    const run = await runCli(['page.TestPage.test_page', '--iterations', '3'], {
      files: { 'page.ts': oneTest(body) },
    })
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    assert.match(run.stdout, /^Failures: 3$/m)
    assert.match(run.stdout, /404/)
    const summary = run.summary!
    assert.equal(summary.verdict, 'failed')
    assert.equal(summary.tests.failures, 3)
    assert.equal(summary.tests.errors, 0)
    assert.equal(summary.hits.failed, 3)
    assert.equal(summary.errorGroups.length, 1)
    assert.equal(summary.errorGroups[0]!.count, 3)
    assert.match(summary.errorGroups[0]!.sample, /page\.ts:\d+/)
    assert.equal(target.count().http, 3)
  })

  it('ends with 1 when a test throws anything else', async () => {
    const run = await runCli(['page.TestPage.test_page'], {
      files: { 'page.ts': oneTest(`throw new TypeError('no such luck')`) },
    })
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { tests, errorGroups } = run.summary!
    assert.equal(tests.errors, 1)
    assert.equal(tests.failures, 0)
    assert.deepEqual(
      errorGroups.map(({ type, message, count }) => ({ type, message, count })),
      [{ type: 'TypeError', message: 'no such luck', count: 1 }],
    )
  })

  it('counts a refused request as a failed, timed hit', async () => {
    // Nothing listens there; a port that was given back may be another's.
    const run = await runCli(['page.TestPage.test_page'], {
      files: { 'page.ts': oneTest(`await this.session.get('http://127.0.0.1:9/')`) },
    })
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { hits, series, tests } = run.summary!
    assert.equal(hits.count, 1)
    assert.equal(hits.failed, 1)
    assert.equal(tests.errors, 1)
    assert.deepEqual(
      series.map(({ kind, status, count }) => ({ kind, status, count })),
      [{ kind: 'http', status: 'refused', count: 1 }],
    )
  })

  it('ends with 3 for a name that does not exist, and offers the nearest', async () => {
    const target = await startTarget()
    const files = { 'example.ts': await exampleFor(target) }
    for (const [name, wrong, right] of [
      ['example.TestWebSite.test_ess', 'test_ess', 'test_es'],
      ['example.TestWebsite', 'TestWebsite', 'TestWebSite'],
      ['exmaple.TestWebSite', 'exmaple', 'example'],
    ] as const) {
      const run = await runCli([name], { files })
      assert.equal(run.exitCode, 3, run.stdout + run.stderr)
      assert.match(run.stderr, new RegExp(`\\b${wrong}\\b`))
      assert.match(run.stderr, new RegExp(`\\b${right}\\b`))
      assert.doesNotMatch(run.stderr, /^\s+at /m, 'a stack is of no use here')
    }
    assert.deepEqual(target.count(), { http: 0, websocket: 0, messages: 0 })
  })

  it('ends with 3 for a syntax error, and names the place', async () => {
    const files = {
      'broken.ts': `import { TestCase } from 'loads-runner'\n\nexport class TestX extends TestCase )\n{}\n`,
    }
    const run = await runCli(['broken.TestX'], { files })
    assert.equal(run.exitCode, 3, run.stdout + run.stderr)
    assert.match(run.stderr, /broken\.ts:3:\d+/)
    assert.doesNotMatch(run.stderr, /^\s+at /m, 'a stack is of no use here')
  })

  it('ends with 2 for options that make no sense, and says all of them', async () => {
    const run = await runCli(['example', '--users', 'many', '--durration', '3s'])
    assert.equal(run.exitCode, 2, run.stdout + run.stderr)
    assert.match(run.stderr, /users/)
    assert.match(run.stderr, /duration/)
  })
})
