import assert from 'node:assert/strict'
import { assertWentToPlan } from './helpers/open-run.ts'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'

const shop = (server: OwnServer) => `
  import { TestCase } from 'loads-runner'
  export class TestShop extends TestCase {
    async test_browse() { await this.session.get('${server.url}/browse?region=' + this.params.region, { name: 'browse' }) }
    async test_order() { await this.session.post('${server.url}/order', { json: { id: this.executionId } }) }
  }`

/** When the first request to a path came, in milliseconds since the epoch. */
function begins(server: OwnServer, path: string): number {
  return Date.now() - performance.now() + server.seen.find(({ url }) => url.pathname === path)!.at
}

const count = (server: OwnServer, path: string) =>
  server.seen.filter(({ url }) => url.pathname === path).length

const plan = `
  import { defineConfig } from 'loads-runner'
  export default defineConfig({
    scenarios: {
      browsers: { tests: ['shop.TestShop.test_browse'], users: 3, iterations: 20, params: { region: 'north' } },
      buyers: { tests: ['shop.TestShop.test_order'], rate: '20/s', duration: '3s', startAfter: '1s', tags: { tier: 'gold' } },
    },
    profiles: { small: { scenarios: { browsers: { tests: ['shop.TestShop.test_browse'], users: 1, iterations: 2 } } } },
  })`

describe('scenarios of a plan file', function () {
  this.timeout(60_000)

  sideBySide({
    'go on side by side, each with its own load, on three agents': async () => {
      const server = await startServer()
      const files = { 'shop.ts': shop(server), 'loads.config.ts': plan }
      const run = await runCli(['--agents', '3'], { files })
      assertWentToPlan(run)
      assert.equal(count(server, '/browse'), 60)
      assert.equal(count(server, '/order'), 60)
      // Never before its time; whether the first one was in time, a busy machine decides.
      const after = begins(server, '/order') - Date.parse(run.summary!.started!)
      assert.ok(after > 900 && after < 20_000, `the second began after ${after} ms`)
      for (const { url } of server.seen) {
        if (url.pathname === '/browse') assert.equal(url.searchParams.get('region'), 'north')
      }
      const { series, scenarios } = run.summary!
      assert.deepEqual(Object.fromEntries(series.map(({ method, tags }) => [method, tags])), {
        GET: { scenario: 'browsers' },
        POST: { scenario: 'buyers', tier: 'gold' },
      })
      assert.equal(series.length, 2)
      assert.deepEqual(
        scenarios.map(({ name, started, successes }) => [name, started, successes]),
        [
          ['browsers', 60, 60],
          ['buyers', 60, 60],
        ],
      )
    },

    'are those of a profile when one is named': async () => {
      const server = await startServer()
      const run = await runCli(['--profile', 'small'], {
        files: { 'shop.ts': shop(server), 'loads.config.ts': plan },
      })
      assertWentToPlan(run)
      assert.equal(count(server, '/browse'), 2)
    },

    'can be judged apart': async () => {
      const server = await startServer()
      const thresholds = ['--threshold', 'iterations{scenario:buyers}: count==60']
      const run = await runCli([...thresholds, '--threshold', 'iterations{scenario:browsers}: count<10'], {
        files: { 'shop.ts': shop(server), 'loads.config.ts': plan },
      })
      assert.ok([99, 6].includes(run.exitCode), run.stdout + run.stderr)
      assert.deepEqual(
        run.summary!.thresholds.map(({ ok, value }) => [ok, value]),
        [
          [true, 60],
          [false, 60],
        ],
      )
    },

    'are shown before they are run': async () => {
      const server = await startServer()
      const run = await runCli(['--dry-run', '--agents', '2'], {
        files: { 'shop.ts': shop(server), 'loads.config.ts': plan },
        json: false,
      })
      assertWentToPlan(run)
      for (const said of [/browsers/, /buyers/, /20\/s/, /3 users/, /60/]) assert.match(run.stdout, said)
      assert.equal(server.seen.length, 0)
    },

    'are refused with all that is wrong at once, and where': async () => {
      const server = await startServer()
      const yaml = [
        'scenarios:',
        '  browsers:',
        '    tests: [shop.TestShop.test_browse]',
        '    usres: 3',
        '  buyers:',
        '    tests: [shop.TestShop.test_order]',
        '    rate: fast',
        '    iterations: 0',
        'thresholds: ["p(95)<"]',
        'tuesday: true',
        '',
      ].join('\n')
      const run = await runCli([], { files: { 'shop.ts': shop(server), 'loads.config.yaml': yaml } })
      assert.equal(run.exitCode, 2, run.stdout + run.stderr)
      for (const said of [/usres.*users/s, /rate.*fast/s, /iterations/, /p\(95\)</, /tuesday/]) {
        assert.match(run.stderr, said)
      }
      assert.match(run.stderr, /4/, 'the line of the first one')
      assert.equal(server.seen.length, 0)
    },

    'come from class attributes, too': async () => {
      const server = await startServer()
      const files = {
        'rated.ts': `
          import { TestCase } from 'loads-runner'
          export class TestRated extends TestCase {
            static load = { rate: '25/s', duration: '2s' }
            static tags = { team: 'search' }
            async test_rated() { await this.session.get('${server.url}/rated') }
          }`,
      }
      const run = await runCli(['rated'], { files })
      assertWentToPlan(run)
      assert.equal(server.seen.length, 50)
      assert.deepEqual(run.summary!.series[0]!.tags, { team: 'search' })
      const more = await runCli(['rated', '--rate', '50/s'], { files })
      assertWentToPlan(more)
      assert.equal(server.seen.length, 150, 'the command line wins')
    },
  })
})
