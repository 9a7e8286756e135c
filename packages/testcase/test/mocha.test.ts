import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { serveHttp, stopServers } from './helpers/servers.ts'

const require = createRequire(import.meta.url)
const mochaBinary = path.join(path.dirname(require.resolve('mocha/package.json')), 'bin/mocha.js')
const tsx = pathToFileURL(require.resolve('tsx')).href
const source = (file: string) => fileURLToPath(new URL(`../src/${file}`, import.meta.url))

interface Report {
  code: number
  stats: { suites: number; tests: number; passes: number; failures: number }
  titles: string[]
  failures: { fullTitle: string; message: string }[]
  log: string[]
}

describe('the mocha interface', () => {
  let dir: string

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'loads-mocha-'))
  })

  afterEach(async () => {
    await rm(dir, { recursive: true })
    await stopServers()
  })

  /** Runs the real mocha on a file with this text; `log(...)` of the file comes back too. */
  async function runMocha(name: string, text: string, env: Record<string, string> = {}): Promise<Report> {
    const file = path.join(dir, name)
    const head = [
      `import { TestCase } from ${JSON.stringify(source('index.ts'))}`,
      `const log = (line: string) => process.stderr.write('LOG ' + line + '\\n')`,
    ]
    await writeFile(file, `${head.join('\n')}\n${text}`)
    await writeFile(path.join(dir, 'package.json'), '{"type": "module"}')
    const args = [
      '--import',
      tsx,
      mochaBinary,
      '--no-config',
      '--reporter',
      'json',
      '--ui',
      source('mocha.ts'),
      file,
    ]
    return new Promise((resolve, reject) => {
      const options = { cwd: dir, env: { ...process.env, ...env }, timeout: 50_000 }
      execFile(process.execPath, args, options, (error, stdout, stderr) => {
        try {
          const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
            stats: Report['stats']
            tests: { fullTitle: string }[]
            failures: { fullTitle: string; err: { message: string } }[]
          }
          resolve({
            code: typeof error?.code === 'number' ? error.code : 0,
            stats: report.stats,
            titles: report.tests.map((test) => test.fullTitle),
            failures: report.failures.map(({ fullTitle, err }) => ({ fullTitle, message: err.message })),
            log: stderr.split('\n').flatMap((line) => (line.startsWith('LOG ') ? [line.slice(4)] : [])),
          })
        } catch {
          reject(new Error(`mocha said: ${stdout}\n${stderr}`))
        }
      })
    })
  }

  it('runs exported classes as suites, with a fresh instance and all hooks for each test', async () => {
    const report = await runMocha(
      'hooks.test.ts',
      `export class TestHooks extends TestCase {
        seen = 0
        static async setUpRun(run) { run.annotate('to nobody'); log('setUpRun'); return { token: 7 } }
        static setUpAgent(run) { log('setUpAgent ' + run.data.token) }
        static tearDownAgent() { log('tearDownAgent') }
        static tearDownRun() { log('tearDownRun') }
        setUpUser() { log('setUpUser') }
        setUp() { log('setUp') }
        async test_one() { log('one ' + this.seen++ + ' ' + this.run.data.token) }
        test_two() { log('two ' + this.seen++); this.fail('on purpose') }
        tearDown() { log('tearDown') }
        tearDownUser() { log('tearDownUser') }
      }
      class Hidden extends TestCase { test_hidden() { log('hidden') } }
      export const notATest = { test_x() { log('not a test') } }
      export default [class TestDefault extends TestCase { test_x() {} }, Hidden]`,
    )
    assert.deepEqual(report.titles.toSorted(), [
      'Hidden test_hidden',
      'TestDefault test_x',
      'TestHooks test_one',
      'TestHooks test_two',
    ])
    assert.deepEqual(report.failures, [{ fullTitle: 'TestHooks test_two', message: 'on purpose' }])
    assert.equal(report.code, 1)
    const lines = report.log.slice(report.log.indexOf('setUpRun'), report.log.indexOf('tearDownRun') + 1)
    assert.deepEqual(lines, [
      'setUpRun',
      'setUpAgent 7',
      'setUpUser',
      'setUp',
      'one 0 7',
      'tearDown',
      'tearDownUser',
      'setUpUser',
      'setUp',
      'two 0',
      'tearDown',
      'tearDownUser',
      'tearDownAgent',
      'tearDownRun',
    ])
    assert.equal(report.log.includes('not a test'), false)
  })

  it('tears down what a failed set-up began, and shows the first error', async () => {
    const report = await runMocha(
      'teardown.test.ts',
      `export class TestSetUp extends TestCase {
        setUp() { throw new Error('set-up broke') }
        test_x() { log('test') }
        tearDown() { log('tearDown'); throw new Error('tear-down broke') }
        tearDownUser() { log('tearDownUser') }
      }
      export class TestUser extends TestCase {
        setUpUser() { throw new Error('user broke') }
        setUp() { log('setUp') }
        test_x() { log('test') }
        tearDown() { log('tearDown of setUp') }
        tearDownUser() { log('tearDownUser') }
      }`,
    )
    assert.deepEqual(
      report.failures.map(({ message }) => message),
      ['set-up broke', 'user broke'],
    )
    assert.deepEqual(report.log, ['tearDown', 'tearDownUser', 'tearDownUser'])
  })

  it('reaches the server of the environment, and ends though connections are kept alive', async () => {
    const { url } = await serveHttp((_request, response) => response.end('hello'))
    const report = await runMocha(
      'server.test.mts',
      `export class TestSite extends TestCase {
        static serverUrl = 'http://127.0.0.1:9'
        async test_hello() { (await this.app.get('/')).mustContain('hello') }
        async test_missing() { (await this.app.get('/')).mustContain('goodbye') }
      }`,
      { LOADS_SERVER_URL: url },
    )
    assert.equal(report.stats.passes, 1)
    assert.equal(report.failures.length, 1)
    assert.match(report.failures[0]!.message, /the body does not contain "goodbye"/)
  })

  it('fails a test whose checks failed, at its end', async () => {
    const report = await runMocha(
      'checks.test.mts',
      `export class TestChecks extends TestCase {
        test_holds() { this.check('one is one', 1 === 1) }
        test_fails() {
          this.checks({ 'status is 200': false, 'is short': true })
          log('went on')
        }
        tearDown() { log('tearDown') }
      }`,
    )
    assert.equal(report.stats.passes, 1)
    assert.deepEqual(report.failures, [
      { fullTitle: 'TestChecks test_fails', message: '1 of 2 checks failed: status is 200' },
    ])
    assert.deepEqual(report.log, ['tearDown', 'went on', 'tearDown'])
  })
})
