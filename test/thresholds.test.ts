import assert from 'node:assert/strict'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'

/** A slow and a fast page, and every tenth fast page is missing. */
async function startPages(): Promise<OwnServer> {
  let fast = 0
  return startServer((request, response) => {
    if (request.url!.startsWith('/slow')) setTimeout(() => response.end('{}'), 120)
    else {
      if (fast++ % 10 === 9) response.statusCode = 404
      response.end('{}')
    }
  })
}

const pages = (server: OwnServer) => ({
  'pages.ts': `
    import { TestCase } from 'loads-runner'
    export class TestPages extends TestCase {
      async test_pages() {
        await this.session.get('${server.url}/fast', { name: 'fast' })
        const res = await this.session.get('${server.url}/slow', { name: 'slow' })
        this.check('slow is there', res.status === 200)
        this.check('never', false)
        this.incrCounter('orders', 2)
      }
    }`,
})

const load = ['pages', '--users', '4', '--iterations', '25']
const with_ = (...expressions: string[]) => expressions.flatMap((each) => ['--threshold', each])

describe('thresholds', function () {
  this.timeout(180_000)

  sideBySide({
    'that hold let a run pass, and are in its summary with what was seen': async () => {
      const server = await startPages()
      const expressions = [
        'http_req_duration{name:slow}: p(90)<2s',
        'http_req_duration{name:slow}: min>100ms',
        'http_req_failed: rate<0.2',
        'hits: count==200',
        'orders: count==200',
        'checks{name:slow is there}: rate==1',
        'iteration_duration: avg>100',
      ]
      const run = await runCli([...load, ...with_(...expressions)], { files: pages(server) })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const { thresholds, verdict } = run.summary!
      assert.equal(verdict, 'passed')
      assert.equal(thresholds.length, expressions.length)
      for (const { ok, expression } of thresholds) assert.equal(ok, true, expression)
      assert.equal(thresholds[3]!.value, 200)
      assert.ok(thresholds[0]!.value! > 100)
    },

    'that are crossed fail it with 99 and say by how much': async () => {
      const server = await startPages()
      const crossed = 'http_req_duration{name:slow}: p(50)<20ms'
      const run = await runCli([...load, ...with_(crossed, 'hits: count>10')], { files: pages(server) })
      assert.equal(run.exitCode, 99, run.stdout + run.stderr)
      const { thresholds, verdict, reasons } = run.summary!
      assert.equal(verdict, 'failed')
      assert.deepEqual(
        thresholds.map(({ ok }) => ok),
        [false, true],
      )
      assert.match(reasons.join('\n'), /http_req_duration\{name:slow\}/)
      assert.match(run.stdout, /http_req_duration\{name:slow\}/)
    },

    'without data are crossed': async () => {
      const server = await startPages()
      const run = await runCli([...load, ...with_('http_req_duration{name:slwo}: p(95)<10s')], {
        files: pages(server),
      })
      assert.equal(run.exitCode, 99)
      assert.deepEqual(
        run.summary!.thresholds.map(({ value, ok }) => [value, ok]),
        [[null, false]],
      )
      assert.match(run.stdout, /no data|too few/)
    },

    'on a quantile that too few samples speak for have no data': async () => {
      const server = await startPages()
      const run = await runCli([...load, ...with_('http_req_duration{name:slow}: p(99)<10s')], {
        files: pages(server),
      })
      assert.equal(run.exitCode, 99)
      assert.equal(run.summary!.thresholds[0]!.ok, false)
    },

    'end a run that crosses them, when asked, on every agent': async () => {
      const server = await startPages()
      const begun = performance.now()
      const args = ['pages', '--users', '4', '--duration', '60s', '--agents', '2', '--abort-on-fail']
      const run = await runCli([...args, ...with_('http_req_duration{name:slow}: max<50ms')], {
        files: pages(server),
      })
      assert.equal(run.exitCode, 99, run.stdout + run.stderr)
      assert.ok(performance.now() - begun < 60_000, 'the run went on')
      assert.match(run.stdout, /crossed/)
      const { tests } = run.summary!
      assert.equal(tests.started, tests.finished + tests.interrupted)
    },

    'decide instead of the errors that they name': async () => {
      const server = await startServer((_request, response) => response.end('{}'))
      const files = {
        'flaky.ts': `
          import { TestCase } from 'loads-runner'
          export class TestFlaky extends TestCase {
            async test_flaky() {
              await this.session.get('${server.url}/')
              if (this.iteration % 10 === 0) throw new Error('now and then')
            }
          }`,
      }
      const args = ['flaky', '--users', '2', '--iterations', '20']
      assert.equal((await runCli(args, { files })).exitCode, 1)
      assert.equal((await runCli([...args, ...with_('errors: rate<0.2')], { files })).exitCode, 0)
      assert.equal((await runCli([...args, ...with_('errors: rate<0.01')], { files })).exitCode, 99)
    },

    'that cannot be read are all named before any load': async () => {
      const server = await startPages()
      const wrong = ['http_req_duration: q(95)<200', 'http_req_duration: p(95)<200 bananas', 'p(101)<3']
      const run = await runCli([...load, ...with_(...wrong)], { files: pages(server) })
      assert.equal(run.exitCode, 2)
      for (const each of wrong) assert.ok(run.stderr.includes(each), `${each} is not in:\n${run.stderr}`)
      assert.equal(server.seen.length, 0)
    },

    'leave the warm-up out': async () => {
      let number = 0
      const server = await startServer((_request, response) => {
        // The first requests fail, as those of a cold service.
        if (number++ < 4) response.statusCode = 503
        setTimeout(() => response.end('{}'), 5)
      })
      const files = pages(server)
      const args = ['pages', '--users', '4', '--duration', '8s', '--warm-up', '4s']
      const run = await runCli([...args, ...with_('http_req_failed: rate==0')], { files })
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const { hits, warmUp } = run.summary!
      assert.equal(hits.failed, 0)
      assert.ok(warmUp !== null && warmUp.hits >= 4)
      assert.equal(hits.count + warmUp.hits, server.seen.length)
      assert.match(run.stdout, /[Ww]arm-up/)
    },
  })
})
