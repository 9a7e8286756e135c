import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

/** A class that writes a line to `hooks.log` for each hook; `body` is what its test does. */
function hookedTest(body = ''): string {
  return `
    import { appendFileSync } from 'node:fs'
    import { TestCase } from 'loads-runner'
    import type { RunHookContext } from 'loads-runner'
    const log = (...words: unknown[]) => appendFileSync(process.env.HOOKS_LOG!, words.join(' ') + '\\n')
    export class TestHooks extends TestCase {
      static async setUpRun({ runId, data, params }: RunHookContext) {
        log('setUpRun', runId !== '', data, params.shop)
        return { token: 'secret of ' + params.shop }
      }
      static async tearDownRun({ data }: RunHookContext) { log('tearDownRun', JSON.stringify(data)) }
      static async setUpAgent({ data, agent }: RunHookContext) { log('setUpAgent', agent, JSON.stringify(data)) }
      static async tearDownAgent({ agent }: RunHookContext) { log('tearDownAgent', agent) }
      async setUpUser() { log('setUpUser', this.user, (this.run.data as { token: string }).token) }
      async tearDownUser() { log('tearDownUser', this.user) }
      async setUp() { log('setUp', this.user, this.iteration) }
      async tearDown() { log('tearDown', this.user, this.iteration) }
      async test_hooks() {
        log('test', this.user, this.iteration)
        ${body}
      }
    }`
}

/** The lines of the hooks of a run in this directory. */
async function hooksIn(directory: string): Promise<string[]> {
  const text = await readFile(join(directory, 'hooks.log'), 'utf8').catch(() => '')
  return text.split('\n').slice(0, -1)
}

const args = ['hooked.TestHooks', '--users', '2', '--iterations', '2', '--param', 'shop=corner']
/** Relative to the working directory of the console, which is not that of the load. */
const optionsFor = (directory: string, body?: string) => ({
  cwd: directory,
  files: { 'hooked.ts': hookedTest(body) },
  env: { HOOKS_LOG: join(directory, 'hooks.log') },
})

describe('hooks', function () {
  this.timeout(60_000)

  for (const place of [[], ['--workers', '0'], ['--agents', '2']]) {
    it(`are called on all four levels, in order (${place.join(' ') || 'plainly'})`, async () => {
      const directory = await temporaryDirectory()
      const run = await runCli([...args, ...place], optionsFor(directory))
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      const lines = await hooksIn(directory)
      const data = '{"token":"secret of corner"}'
      assert.equal(lines[0], 'setUpRun true  corner')
      assert.equal(lines.at(-1), `tearDownRun ${data}`)
      const agents = run.summary!.agents.map(({ id }) => id).toSorted()
      const starting = (word: string) => lines.filter((line) => line.startsWith(`${word} `))
      assert.deepEqual(
        starting('setUpAgent').toSorted(),
        agents.map((id) => `setUpAgent ${id} ${data}`),
      )
      assert.deepEqual(
        starting('tearDownAgent').toSorted(),
        agents.map((id) => `tearDownAgent ${id}`),
      )
      for (const user of [0, 1]) {
        assert.deepEqual(
          lines.filter((line) =>
            new RegExp(`^(setUpUser|tearDownUser|setUp|tearDown|test) ${user}\\b`).test(line),
          ),
          [
            `setUpUser ${user} secret of corner`,
            ...[0, 1].flatMap((iteration) =>
              ['setUp', 'test', 'tearDown'].map((hook) => `${hook} ${user} ${iteration}`),
            ),
            `tearDownUser ${user}`,
          ],
        )
      }
      assert.equal(lines.length, 2 + 2 * agents.length + 2 * (2 + 2 * 3), lines.join('\n'))
      // No user starts before every agent is set up.
      const lastSetUp = lines.findLastIndex((line) => line.startsWith('setUpAgent'))
      assert.ok(lastSetUp < lines.findIndex((line) => line.startsWith('setUpUser')), lines.join('\n'))
      if (agents.length === 1) assert.equal(lines.at(-2), `tearDownAgent ${agents[0]}`)
    })
  }

  it('give each class its own, also where two have one name', async () => {
    const file = (name: string) => `
      import { TestCase } from 'loads-runner'
      export class TestTwin extends TestCase {
        static async setUpRun() { return '${name}' }
        async test_twin() { this.incrCounter('${name} got ' + this.run.data) }
      }`
    const run = await runCli(['one.TestTwin', 'two.TestTwin'], {
      files: { 'one.ts': file('one'), 'two.ts': file('two') },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.deepEqual(run.summary!.counters, { 'one got one': 1, 'two got two': 1 })
  })

  it('are called at Ctrl-C, after the executions have finished', async () => {
    const directory = await temporaryDirectory()
    const server = await startServer(() => {})
    const many = [...args, '--iterations', '1000']
    const cli = await startCli(many, optionsFor(directory, `await this.session.get('${server.url}/')`))
    await server.sawRequests(2)
    cli.kill('SIGINT')
    await cli.waitForLine(/^draining: drain was asked for/)
    // Users may go on for a moment until the word has reached them: not for all of their executions.
    server.answer = (_request, response) => void setTimeout(() => response.end('{}'), 20)
    for (const { response } of server.seen) response.end('{}')
    const run = await cli.result
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    const { tests, verdict, reasons } = run.summary!
    assert.equal(verdict, 'aborted')
    assert.deepEqual(reasons, ['stopped by SIGINT'])
    const seen = server.seen.length
    assert.ok(seen < 2000, 'it was not stopped')
    assert.deepEqual([tests.started, tests.successes, tests.interrupted], [seen, seen, 0])
    const lines = await hooksIn(directory)
    assert.equal(lines.filter((line) => line.startsWith('tearDown ')).length, seen)
    assert.deepEqual(lines.filter((line) => line.startsWith('tearDownUser ')).toSorted(), [
      'tearDownUser 0',
      'tearDownUser 1',
    ])
    assert.deepEqual(lines.slice(-2), ['tearDownAgent local', 'tearDownRun {"token":"secret of corner"}'])
  })

  it('are called at the second Ctrl-C, which cuts executions off', async () => {
    const directory = await temporaryDirectory()
    const server = await startServer(() => {})
    const cli = await startCli(args, optionsFor(directory, `await this.session.get('${server.url}/')`))
    await server.sawRequests(2)
    cli.kill('SIGINT')
    await cli.waitForLine(/^stopping: users finish what they are doing/)
    cli.kill('SIGINT')
    await cli.waitForLine(/^stopping: users are cut off/)
    const run = await cli.result
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    const { tests, hits, series, errorGroups } = run.summary!
    assert.deepEqual([tests.started, tests.finished, tests.interrupted], [2, 0, 2])
    assert.deepEqual([hits.count, hits.interrupted, hits.failed], [2, 2, 0])
    assert.deepEqual(
      series.map(({ status, count, failed }) => [status, count, failed]),
      [['interrupted', 2, 0]],
    )
    assert.deepEqual(errorGroups, [])
    const lines = await hooksIn(directory)
    assert.deepEqual(lines.slice(-6, -2).toSorted(), [
      'tearDown 0 0',
      'tearDown 1 0',
      'tearDownUser 0',
      'tearDownUser 1',
    ])
    assert.deepEqual(lines.slice(-2), ['tearDownAgent local', 'tearDownRun {"token":"secret of corner"}'])
  })
})

describe('a hook that fails', function () {
  this.timeout(60_000)

  /** Runs two users, two executions each, of a class with these members. */
  const runWith = (members: string) =>
    runCli(['hooked.TestHooks', '--users', '2', '--iterations', '2'], {
      files: {
        'hooked.ts': `
          import { TestCase } from 'loads-runner'
          export class TestHooks extends TestCase {
            async test_nothing() {}
            ${members}
          }`,
      },
    })

  it('setUpRun: no load, exit code 4 with the text, and tearDownRun is attempted', async () => {
    const run = await runWith(`
      static async setUpRun() { throw new Error('the database is not there') }
      static async tearDownRun() { console.log('tearDownRun was called') }`)
    assert.equal(run.exitCode, 4, run.stdout + run.stderr)
    assert.match(run.stdout, /^error: setUpRun failed: hooked\.TestHooks: Error: the database is not there$/m)
    assert.match(run.stdout, /hooked\.ts:6:\d+/)
    assert.match(run.stdout, /^tearDownRun was called$/m)
    const { verdict, tests, reasons, started } = run.summary!
    assert.equal(verdict, 'infrastructure')
    assert.equal(tests.started, 0)
    assert.equal(started, null)
    assert.match(reasons.join(), /^setUpRun failed: hooked\.TestHooks: Error: the database is not there/)
  })

  it('setUpRun that returns what JSON cannot hold: exit code 4', async () => {
    const run = await runWith(`static async setUpRun() { return { big: 10n } }`)
    assert.equal(run.exitCode, 4, run.stdout + run.stderr)
    assert.match(run.summary!.reasons.join(), /setUpRun returned is not JSON.*BigInt/)
  })

  it('tearDownRun: the figures stand, exit code 4', async () => {
    const run = await runWith(`static async tearDownRun() { throw new Error('cannot drop it') }`)
    assert.equal(run.exitCode, 4, run.stdout + run.stderr)
    assert.equal(run.summary!.tests.successes, 4)
    assert.match(run.summary!.reasons.join(), /^tearDownRun failed: hooked\.TestHooks: Error: cannot drop it/)
  })

  it('setUpAgent: no load, exit code 4 with the text', async () => {
    const run = await runWith(`static async setUpAgent() { throw new Error('no disk') }`)
    assert.equal(run.exitCode, 4, run.stdout + run.stderr)
    assert.equal(run.summary!.tests.started, 0)
    assert.match(run.summary!.reasons.join(), /^local cannot run: setUpAgent failed: Error: no disk/)
  })

  it('an assertion in setUp: each execution is a failure, torn down all the same', async () => {
    const run = await runWith(`
      async setUp() { this.assertEqual(this.user, 7) }
      async tearDown() { this.incrCounter('torn down') }`)
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { tests, errorGroups, counters } = run.summary!
    assert.deepEqual([tests.failures, tests.errors, tests.successes], [4, 0, 0])
    assert.deepEqual(counters, { 'torn down': 4 })
    assert.equal(errorGroups.length, 1)
    assert.match(errorGroups[0]!.sample, /at TestHooks\.setUp \(hooked\.ts:6:\d+\)/)
  })

  it('setUpUser: the user cannot go on, and is torn down', async () => {
    const run = await runWith(`
      async setUpUser() { if (this.user === 1) throw new Error('no account left') }
      async tearDownUser() { this.incrCounter('torn down') }`)
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    const { tests, errorGroups, counters } = run.summary!
    assert.deepEqual([tests.successes, tests.errors, tests.failures], [2, 1, 0])
    assert.deepEqual(counters, { 'torn down': 2 })
    assert.deepEqual(
      errorGroups.map(({ type, message, count }) => [type, message, count]),
      [['Error', 'no account left', 1]],
    )
  })

  it('tearDown: each execution is an error', async () => {
    const run = await runWith(`async tearDown() { throw new Error('still in use') }`)
    assert.equal(run.exitCode, 1, run.stdout + run.stderr)
    assert.deepEqual([run.summary!.tests.errors, run.summary!.tests.successes], [4, 0])
  })

  for (const hook of ['async tearDownUser', 'static async tearDownAgent']) {
    it(`${hook.split(' ').at(-1)}: the executions stand, and the run has failed`, async () => {
      const run = await runWith(`${hook}() { throw new Error('still in use') }`)
      assert.equal(run.exitCode, 1, run.stdout + run.stderr)
      const { tests, errorGroups, reasons } = run.summary!
      assert.equal(tests.successes, 4)
      assert.match(reasons.join(), /^\d errors? (was|were) thrown outside of executions$/)
      assert.equal(errorGroups[0]!.message, 'still in use')
      assert.match(run.stdout, /still in use/)
    })
  }
})
