import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import { controlOf, endProxy, hostOf, startProxy } from './helpers/started-proxy.ts'
import { exampleFor, startTarget } from './helpers/target.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

describe('run() from code', function () {
  this.timeout(60_000)

  /** Runs a program that ends by itself; its last line is the answer. */
  async function program(
    body: string,
    files: Record<string, string>,
  ): Promise<{ answer: unknown; output: string; cwd: string }> {
    const cwd = await temporaryDirectory(files)
    const script = join(cwd, 'program.mjs')
    await writeFile(script, `import { run } from 'loads-runner'\n${body}`)
    const { exitCode, stdout, stderr } = await runCli([], { script, cwd })
    assert.equal(exitCode, 0, stdout + stderr)
    const lines = stdout.trimEnd().split('\n')
    return { answer: JSON.parse(lines.pop()!), output: lines.join('\n') + stderr, cwd }
  }

  const answer = (value: string) => `console.log(JSON.stringify(${value}))`

  it('returns the summary, and shows and leaves nothing', async () => {
    const target = await startTarget()
    const {
      answer: summary,
      output,
      cwd,
    } = await program(
      `const { verdict, hits, tests, counters } = await run({
        test: 'page.TestPage', users: 3, iterations: 5, param: { shop: 'corner' }, serverUrl: '${target.httpUrl}' })
      ${answer('{ verdict, hits: hits.count, successes: tests.successes, counters }')}`,
      {
        'page.ts': `
          import { TestCase } from 'loads-runner'
          export class TestPage extends TestCase {
            async test_page() { await this.app.get('/'); this.incrCounter(this.params.shop) }
          }`,
      },
    )
    assert.deepEqual(summary, { verdict: 'passed', hits: 15, successes: 15, counters: { corner: 15 } })
    assert.equal(target.count().http, 15)
    assert.equal(output, '')
    assert.deepEqual((await readdir(cwd)).toSorted(), ['node_modules', 'page.ts', 'program.mjs'])
  })

  it('runs several at once, here and on agents, and never mixes them', async () => {
    const target = await startTarget()
    const { answer: counts } = await program(
      `const runs = await Promise.all([
        run({ test: 'example.TestWebSite.test_es', users: 2, iterations: 3 }),
        run({ test: 'example.TestWebSite.test_something', users: 3, iterations: 2, agents: 2 }),
        run({ test: 'example.TestWebSite.test_es', users: 1, iterations: 5, workers: 0 }),
      ])
      ${answer('runs.map(({ hits, websockets, agents }) => [hits.count, websockets.messagesSent, agents.length])')}`,
      { 'example.ts': await exampleFor(target) },
    )
    assert.deepEqual(counts, [
      [6, 0, 1],
      [6, 12, 2],
      [5, 0, 1],
    ])
    assert.deepEqual(target.count(), { http: 11, websocket: 6, messages: 12 })
  })

  it('throws what the command would have said, with its exit code', async () => {
    const { answer: errors } = await program(
      `const wrong = [{ test: 'page.TestPag' }, { test: 'page', userz: 3 }, { test: 'page', users: 'many', duration: 'x' }, {}]
      const errors = []
      for (const options of wrong) {
        await run(options).catch(({ name, exitCode, message }) => errors.push([name, exitCode, message.split('\\n').length, message]))
      }
      ${answer('errors')}`,
      {
        'page.ts': `import { TestCase } from 'loads-runner'\nexport class TestPage extends TestCase { test_a() {} }`,
      },
    )
    const [name, key, values, nothing] = errors as [string, number, number, string][]
    assert.deepEqual(name!.slice(0, 3), ['EngineError', 3, 1])
    assert.match(name![3], /no test class 'TestPag' .*did you mean TestPage/)
    assert.deepEqual(key!.slice(0, 3), ['UsageError', 2, 1])
    assert.match(key![3], /unknown key "userz" in the options: did you mean users\?/)
    assert.deepEqual(values!.slice(0, 3), ['UsageError', 2, 2])
    assert.deepEqual(nothing!.slice(0, 2), ['UsageError', 2])
  })

  it('can be watched, kept and stopped', async () => {
    let begin = () => {}
    const began = new Promise<void>((resolve) => (begin = resolve))
    const server = await startServer((request, response) => {
      if (request.url === '/began') return void began.then(() => response.end())
      begin()
      response.end('{}')
    })
    const {
      answer: end,
      output,
      cwd,
    } = await program(
      `const stop = new AbortController()
      const running = run({ test: 'page', duration: '60s', delay: '20ms', signal: stop.signal, results: 'kept', quiet: false })
      await fetch('${server.url}/began')
      stop.abort()
      const { verdict, exitCode, tests } = await running
      ${answer('{ verdict, exitCode, cut: tests.interrupted, lost: tests.lost }')}`,
      {
        'page.ts': `
          import { TestCase } from 'loads-runner'
          export class TestPage extends TestCase {
            async test_page() { await this.session.get('${server.url}/') }
          }`,
      },
    )
    assert.deepEqual(end, { verdict: 'aborted', exitCode: 130, cut: 0, lost: 0 })
    assert.match(output, new RegExp(`^Hits: ${server.seen.length - 1}$`, 'm'))
    assert.equal((await readdir(join(cwd, 'kept'))).length, 2)
  })
})

describe('the same class under mocha', function () {
  this.timeout(60_000)

  const { resolve } = createRequire(import.meta.url)
  const mocha = resolve('mocha/bin/mocha.js')
  const options = [
    '--ui',
    'loads-runner/mocha',
    `--import=${pathToFileURL(resolve('tsx')).href}`,
    '--reporter',
    'json',
    // Its own limit of 2 s is short for the first request of a process.
    '--timeout',
    '30000',
  ]

  interface Report {
    stats: { passes: number; failures: number }
    tests: { fullTitle: string; err: { message?: string } }[]
  }

  async function report(file: string, files: Record<string, string>, env: Record<string, string> = {}) {
    const run = await runCli([...options, file], { script: mocha, files, env })
    // Hooks may have written before it.
    return {
      exitCode: run.exitCode,
      output: run.stdout,
      ...(JSON.parse(run.stdout.replace(/^[^{]*/, '')) as Report),
    }
  }

  it('passes with the example of the slides', async () => {
    const target = await startTarget()
    const { exitCode, tests, stats } = await report('example.ts', { 'example.ts': await exampleFor(target) })
    assert.equal(exitCode, 0)
    assert.equal(stats.passes, 2)
    assert.deepEqual(
      tests.map((test) => test.fullTitle),
      ['TestWebSite test_es', 'TestWebSite test_something'],
    )
    assert.deepEqual(target.count(), { http: 1, websocket: 1, messages: 2 })
  })

  it('calls all hooks, with a fresh instance for each method, and fails with the error of the test', async () => {
    const target = await startTarget()
    const { exitCode, output, tests } = await report(
      'hooked.ts',
      {
        'hooked.ts': `
          import { TestCase } from 'loads-runner'
          export class TestHooked extends TestCase {
            calls = 0
            static async setUpRun() { console.log('setUpRun'); return 7 }
            static async tearDownRun({ data }: { data: unknown }) { console.log('tearDownRun', data) }
            async setUp() { console.log('setUp', ++this.calls, this.run.data) }
            async tearDown() { console.log('tearDown') }
            async test_one() { (await this.app.get('/users/3')).mustContain('User 3') }
            async test_two() { await this.app.get('/nowhere') }
          }`,
      },
      { LOADS_SERVER_URL: target.httpUrl },
    )
    assert.equal(exitCode, 1)
    const lines = output.slice(0, output.indexOf('{')).trim().split('\n')
    assert.deepEqual(lines, ['setUpRun', 'setUp 1 7', 'tearDown', 'setUp 1 7', 'tearDown', 'tearDownRun 7'])
    assert.deepEqual(tests[0]!.err, {})
    assert.match(tests[1]!.err.message!, /\/nowhere answered 404, expected 2xx or 3xx/)
    assert.equal(target.count().http, 2)
  })

  const shop = (control: string) => ({
    'proxies.yaml': control,
    'shop.ts': `
      import { TestCase } from 'loads-runner'
      export class TestShop extends TestCase {
        async status() { return (await this.session.get('http://' + this.proxies.shop.address + '/')).status }
        async test_broken() {
          await this.proxies.shop.withBehavior('error', { statuses: [503] })
          this.assertEqual(await this.status(), 503)
        }
        async test_whole() { this.assertEqual(await this.status(), 200) }
      }`,
  })

  it('has the proxies of a file, or those of a loads-proxy that stays', async () => {
    const server = await startServer()
    const files = shop(`proxies: { shop: { backend: '${hostOf(server)}', protocol: http } }`)
    const own = await report('shop.ts', files, { LOADS_PROXIES: 'proxies.yaml' })
    assert.deepEqual([own.exitCode, own.stats.passes], [0, 2], own.output)

    const standing = await startProxy(['--backend', hostOf(server), '--protocol', 'http', '--name', 'shop'])
    const theirs = await report('shop.ts', files, { LOADS_PROXIES: await controlOf(standing) })
    assert.deepEqual([theirs.exitCode, theirs.stats.passes], [0, 2], theirs.output)
    assert.equal(server.seen.length, 2)
    await endProxy(standing)

    const wrong = await report('shop.ts', files, { LOADS_PROXIES: 'nowhere.yaml' })
    assert.notEqual(wrong.exitCode, 0)
    assert.match(wrong.tests[0]?.err.message ?? wrong.output, /nowhere\.yaml/)
  })
})
