import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ok, startServer } from './helpers/own-server.ts'
import { smallDisk } from './helpers/small-disk.ts'
import { runCli } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

const page = `
  import { TestCase } from 'loads-runner'
  export class TestPage extends TestCase {
    async test_page() {}
    async test_other() {}
    async look() {}
  }
  export class TestNothing extends TestCase { async check() {} }`

describe('tests that do not load', function () {
  this.timeout(180_000)

  const cases: [name: string, files: Record<string, string>, shown: RegExp][] = [
    ['page.TestPage.test_pag', {}, /no test 'test_pag' in class 'TestPage'; did you mean test_page\?/],
    ['page.TestPage.look', {}, /no test 'look' in class 'TestPage'; it has test_page, test_other/],
    ['page.TestPgae', {}, /no test class 'TestPgae' in module 'page'; did you mean TestPage\?/],
    ['page.TestPage.test_page.more', {}, /after the module come a class and a method/],
    ['page.TestNothing', {}, /class 'TestNothing' has no test methods; their names start with 'test'/],
    ['paeg.TestPage', {}, /no module 'paeg' .*did you mean page\?/],
    ['./shop/cart.ts::TestCart', {}, /no module '\.\/shop\/cart\.ts'/],
    [
      'broken',
      { 'broken.ts': 'export class TestX {\n  async test_x() {\n    const a = ;\n' },
      /broken\.ts:3:15: /,
    ],
    [
      'lost',
      {
        'lost.ts': `import { x } from './gone.ts'\nimport lodash from 'lodash-of-nobody'\nconsole.log(x, lodash)`,
      },
      /lost\.ts:1:19: Could not resolve ".\/gone\.ts"[^]*lost\.ts:2:20: Could not resolve "lodash-of-nobody"/,
    ],
    [
      'throws',
      { 'throws.ts': `\nthrow new RangeError('at the door')` },
      /RangeError: at the door\n +at .*throws\.ts:2:7/,
    ],
    ['empty', { 'empty.ts': 'export const x = 1' }, /module 'empty' exports no subclass of TestCase/],
  ]

  it('end with 3, name the place or the nearest names, and make no load', async () => {
    const cwd = await temporaryDirectory({ 'page.ts': page })
    for (const [name, files, shown] of cases) {
      const run = await runCli([name], { cwd, files })
      assert.equal(run.exitCode, 3, `${name}: ${run.stdout}${run.stderr}`)
      assert.match(run.stderr, shown)
      assert.equal(run.stdout, '')
      assert.equal(run.summary, null)
      assert.doesNotMatch(
        run.stderr,
        /\/dist\/|node_modules|node:internal/,
        'stacks of ours are of no use here',
      )
    }
    assert.deepEqual(
      await readdir(join(cwd, 'results')),
      [],
      'there was no run, so there is no run directory',
    )
  })
})

describe('options that make no sense', function () {
  this.timeout(180_000)

  const cases: [args: string, ...shown: RegExp[]][] = [
    ['', /name at least one test/],
    ['page --durration 3s', /unknown option --durration: did you mean --duration\?/],
    ['page --duration 3x', /--duration: "3x" is not a duration \(write 500ms, 30s, 5m or 1h/],
    ['page --duration 0', /--duration: must be longer than nothing/],
    ['page --users 0', /--users: "0" is not a whole number from 1 up/],
    ['page --users', /--users <N>' argument missing/],
    ['page --iterations 3 --duration 3s', /--iterations and --duration exclude each other: give one/],
    ['page --users 1:2 --iterations 1:2:3', /--users has 2 stages and --iterations 3/],
    ['page --users many --timeout soon', /--users: "many"/, /--timeout: "soon"/],
    ['page --config options.json', /unknown key "userz" in the configuration file: did you mean users\?/],
    ['page --config gone.json', /--config: cannot read gone\.json/],
    ['page --json gone/summary.json', /cannot write gone\/summary\.json: ENOENT/],
    ['page --secret TOKEN=env:NOT_HERE', /there is no variable NOT_HERE here/],
    ['page@{size:3}', /the parameters in 'page@{size:3}' are not JSON/],
    ['page --rate 50/s', /--rate.*--duration|--duration.*--rate/],
    ['page --rate fast --stages 10s', /--rate: "fast"/, /--stages: /],
    ['page --max-late 3s', /--max-late.*--rate/],
    ['page --pause 3s..1s', /--pause: /],
    ['page --rate 5/s --iterations 3 --duration 3s', /--iterations/, /--rate/],
    ['page --threshold p(95)', /--threshold: "p\(95\)"/],
    ['page --set-users 3', /--set-users.*--control/],
    ['--replay nowhere:default/0/0', /nowhere/],
  ]

  it('end with 2, are said all at once, and make no load', async () => {
    const cwd = await temporaryDirectory({ 'page.ts': page, 'options.json': '{ "userz": 3 }' })
    for (const [args, ...shown] of cases) {
      const run = await runCli(args.split(' ').filter(Boolean), { cwd, json: false })
      assert.equal(run.exitCode, 2, `${args}: ${run.stdout}${run.stderr}`)
      for (const each of shown) assert.match(run.stderr, each)
      assert.equal(run.stdout, '')
    }
  })
})

/** Runs the console with a limit of open files. */
async function runLimited(openFiles: number, args: string[]): ReturnType<typeof runCli> {
  const binary = new URL('../packages/loads-runner/bin/loads-runner.js', import.meta.url).pathname
  const cwd = await temporaryDirectory({
    'page.ts': page,
    'limited.mjs': `
      import { spawnSync } from 'node:child_process'
      const command = ['-c', 'ulimit -n ${openFiles}; exec "$0" "$@"', process.execPath, '${binary}']
      const { status } = spawnSync('sh', [...command, ...process.argv.slice(2)], { stdio: 'inherit' })
      process.exit(status)`,
  })
  return runCli(args, { cwd, script: join(cwd, 'limited.mjs') })
}

describe('a machine that is too small', function () {
  this.timeout(180_000)

  it('has too few open files for the plan: exit code 2 before the load', async function () {
    if (process.platform !== 'linux') this.skip()
    const run = await runLimited(100, ['page', '--users', '37'])
    assert.equal(run.exitCode, 2, run.stdout + run.stderr)
    assert.match(run.stderr, /37 users in one process may need 101 open files .* limit here is 100: raise it/)
    const near = await runLimited(100, ['page', '--users', '36'])
    assert.equal(near.exitCode, 0, near.stdout + near.stderr)
    assert.match(near.stdout, /^warning: 36 users in one process come close to the limit of 100 open files/m)
  })

  it('has a disk that is full: the run goes on, and only a summary without a place ends with 4', async function () {
    const disk = await smallDisk(64)
    if (disk === null) return this.skip()
    const server = await startServer()
    const filler = join(disk, 'filler')
    const run = (name: string) =>
      runCli(['hit.TestHit', '--iterations', '15', '--delay', '100ms', '--results', join(disk, name)], {
        files: {
          'hit.ts': `
            import { TestCase } from 'loads-runner'
            export class TestHit extends TestCase {
              async test_hit() { await this.session.get('${server.url}/') }
            }`,
        },
        // Outputs try for a while to write what they have.
        timeoutMs: 120_000,
      })
    // Room for the summary, and for nothing once that is needed: the disk fills up after the start.
    await writeFile(filler, Buffer.alloc(52 * 1024))
    server.answer = (request, response) => {
      server.answer = ok
      const filled = writeFile(filler, Buffer.alloc(64 * 1024))
      void filled.catch(() => {}).then(() => ok(request, response))
    }
    const full = await run('results')
    assert.equal(full.exitCode, 4, full.stdout + full.stderr)
    assert.match(
      full.stdout,
      /^warning: cannot write to .*results.*: ENOSPC.*; the run goes on without a record$/m,
    )
    assert.match(full.stderr, /^error: cannot write .*summary\.json: ENOSPC/m)
    const hits = server.seen.length
    assert.equal(hits, 15)
    assert.match(full.stdout, new RegExp(`^Hits: ${hits}$`, 'm'), 'the figures are shown all the same')
    assert.equal(full.summary!.hits.count, hits)
    assert.equal(full.summary!.verdict, 'passed')
    assert.match(full.stdout, /^Verdict: passed/m)
  })

  it('has no place for results: exit code 4 before the load', async () => {
    const cwd = await temporaryDirectory({ 'page.ts': page, occupied: 'by a file' })
    const run = await runCli(['page', '--results', 'occupied/results'], { cwd })
    assert.equal(run.exitCode, 4, run.stdout + run.stderr)
    assert.match(
      run.stderr,
      /^error: cannot make a run directory in .*occupied\/results: .*; choose another with --results/,
    )
    assert.equal(run.stdout, '')
    assert.equal(run.summary, null)
  })
})

describe('tests that run wild', function () {
  this.timeout(180_000)

  const runBody = (body: string, options = '') =>
    runCli(['wild.TestWild', ...options.split(' ').filter(Boolean)], {
      timeoutMs: 120_000,
      files: {
        'wild.ts': `
          import { TestCase } from 'loads-runner'
          const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
          export class TestWild extends TestCase {
            async tearDown() { this.incrCounter('torn down') }
            async test_wild() {
              ${body}
            }
          }`,
      },
    })

  it('never end: an error after --test-timeout, and the next execution starts', async () => {
    const run = await runBody(
      `if (this.iteration === 0) await new Promise(() => {})`,
      '--users 2 --iterations 2 --test-timeout 2s',
    )
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { tests, errorGroups, counters } = run.summary!
    assert.deepEqual([tests.started, tests.errors, tests.successes, tests.interrupted], [4, 2, 2, 0])
    assert.deepEqual(counters, { 'torn down': 4 })
    assert.deepEqual(
      errorGroups.map(({ type, count }) => [type, count]),
      [['TestTimeout', 2]],
    )
    assert.match(errorGroups[0]!.message, /TestWild\.test_wild did not end within 2 s; raise --test-timeout/)
  })

  it('block their event loop: the thread is ended, the run says so', async () => {
    const run = await runBody(`for (;;);`, '--test-timeout 300ms')
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { tests, errorGroups } = run.summary!
    assert.deepEqual([tests.started, tests.errors], [1, 1])
    assert.match(errorGroups[0]!.message, /the event loop was blocked for more than 0\.3 s/)
    assert.match(run.stdout, /^warning: local: load thread 0 has been blocked for \d+ s/m)
  })

  it('throw a hundred thousand times: one group, counted in full', async () => {
    const run = await runBody(
      `throw new Error('order ' + this.user + '-' + this.iteration + ' of ' + this.random.next() + ' is lost')`,
      '--users 50 --iterations 2000',
    )
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { tests, errorGroups } = run.summary!
    assert.equal(tests.errors, 100_000)
    assert.deepEqual(
      errorGroups.map(({ type, count }) => [type, count]),
      [['Error', 100_000]],
    )
    assert.match(
      run.stdout,
      /^ {2}100,000 x Error: order \d+-\d+ of [\d.e-]+ is lost\n {6}at TestWild\.test_wild/m,
    )
    // One error is stored, not all of them.
    const events = await readFile(join(run.directory, 'results/latest/events'))
    assert.ok(events.length < 100_000, `${events.length} bytes`)
  })

  it('throw outside of executions: the run has failed, and shows where', async () => {
    const bodies = {
      'forgotten promise': `void Promise.reject(new Error('forgotten promise')); await sleep(20)`,
      'thrown by a timer': `setTimeout(() => { throw new Error('thrown by a timer') }, 1); await sleep(20)`,
    }
    for (const [message, body] of Object.entries(bodies)) {
      for (const workers of ['1', '0']) {
        const run = await runBody(body, `--users 2 --workers ${workers}`)
        assert.equal(run.exitCode, 1, run.stdout + run.stderr)
        const { tests, errorGroups, reasons, verdict } = run.summary!
        assert.equal(tests.successes, 2)
        assert.equal(verdict, 'failed')
        assert.deepEqual(reasons, ['2 errors were thrown outside of executions'])
        assert.deepEqual(
          errorGroups.map((group) => [group.message, group.count]),
          [[message, 2]],
        )
        assert.match(errorGroups[0]!.sample, /wild\.ts:7:\d+/)
      }
    }
  })

  it('end their own process: the run has failed', async () => {
    const run = await runBody(
      `if (this.iteration === 1) process.exit(0)`,
      '--users 2 --workers 2 --iterations 3',
    )
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    assert.match(run.stdout, /^error: local: load thread \d is gone: it exited$/m)
    const { tests, verdict, errorGroups } = run.summary!
    assert.deepEqual([tests.started, tests.successes, tests.interrupted], [4, 2, 2])
    assert.equal(verdict, 'failed')
    assert.deepEqual([...new Set(errorGroups.map(({ type }) => type))], ['LoadThreadGone'])
  })
})
