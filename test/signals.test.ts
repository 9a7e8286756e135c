import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { assertNoneLeft, descendantsOf } from './helpers/processes.ts'
import { startCli } from './helpers/run-cli.ts'
import type { CliOptions, RunningCli } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

/** A test class. Each part of it is code; `reached(name)` tells the server and resolves when that answers. */
interface Parts {
  /** Runs when the module is loaded: in the console, then in the load threads. */
  console?: string
  thread?: string
  setUpRun?: string
  tearDownRun?: string
  test?: string
}

function testOf(server: OwnServer, parts: Parts): string {
  return `
    import { isMainThread } from 'node:worker_threads'
    import { TestCase } from 'loads-runner'
    const reached = (name: string) => fetch('${server.url}/' + name)
    if (isMainThread) { ${parts.console ?? ''} } else { ${parts.thread ?? ''} }
    export class TestStop extends TestCase {
      ${parts.setUpRun === undefined ? '' : `static async setUpRun() { ${parts.setUpRun} }`}
      ${parts.tearDownRun === undefined ? '' : `static async tearDownRun() { ${parts.tearDownRun} }`}
      async test_stop() { ${parts.test ?? ''} }
    }`
}

interface Stopped {
  server: OwnServer
  cli: RunningCli
  /** Resolves when the code has said so. */
  reached(name: string): Promise<void>
  /** Where the run has its temporary files. */
  temporary: string
}

/** Starts a run of this class against a server that never answers. */
async function start(parts: Parts, args: string[] = [], options: CliOptions = {}): Promise<Stopped> {
  const server = await startServer(() => {})
  const temporary = await temporaryDirectory()
  const cli = await startCli(['stop.TestStop', ...args], {
    files: { 'stop.ts': testOf(server, parts) },
    ...options,
    env: { TMPDIR: temporary, ...options.env },
  })
  const reached = async (name: string) => {
    for (let count = 1; ; count++) {
      await server.sawRequests(count)
      if (server.seen.some(({ url }) => url.pathname === `/${name}`)) return
    }
  }
  return { server, cli, reached, temporary }
}

/** The run is over, and nothing of it is left: processes (see `result`), files, sockets to the target. */
async function endOf({ cli, server, temporary }: Stopped) {
  const run = await cli.result
  assert.deepEqual(await readdir(temporary), [])
  for (const { request } of server.seen) {
    if (!request.socket.destroyed) await new Promise((resolve) => request.socket.once('close', resolve))
  }
  return run
}

describe('Ctrl-C', function () {
  this.timeout(120_000)

  it('while tests are loaded ends at once, and there was no run', async () => {
    const stopped = await start({ console: `await reached('console')` })
    await stopped.reached('console')
    stopped.cli.kill('SIGINT')
    const run = await endOf(stopped)
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    assert.equal(run.stderr, 'error: interrupted by SIGINT\n')
    assert.equal(run.summary, null)
    assert.deepEqual(await readdir(join(run.directory, 'results')), [])
  })

  it('while load threads prepare ends the run before its load', async () => {
    const stopped = await start({
      thread: `await reached('thread')`,
      tearDownRun: `console.log('torn down')`,
    })
    await stopped.reached('thread')
    stopped.cli.kill('SIGINT')
    const run = await endOf(stopped)
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    const [why, before, ...others] = run.summary!.reasons
    assert.deepEqual([why, others], ['stopped by SIGINT', []])
    assert.match(before!, /^stopped before load began, by \S+@\S+$/)
    assert.equal(run.summary!.tests.started, 0)
    assert.doesNotMatch(run.stdout, /torn down/, 'nothing was set up')
  })

  it('while setUpRun runs waits for it and tears down', async () => {
    const stopped = await start({
      setUpRun: `await reached('set-up'); return { token: 7 }`,
      tearDownRun: `console.log('torn down')`,
    })
    await stopped.reached('set-up')
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: users finish/)
    stopped.server.seen[0]!.response.end()
    const run = await endOf(stopped)
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    assert.equal(run.summary!.tests.started, 0)
    assert.match(run.stdout, /^torn down$/m)
  })

  it('three times does not wait for setUpRun', async () => {
    const stopped = await start({ setUpRun: `await reached('set-up')` })
    await stopped.reached('set-up')
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: users finish/)
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: users are cut off/)
    stopped.cli.kill('SIGINT')
    const run = await endOf(stopped)
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
  })

  it('three times ends a test that blocks its thread', async () => {
    const stopped = await start({
      test: `reached('test'); setTimeout(() => { for (;;); }, 100)
      await new Promise(() => {})`,
    })
    await stopped.reached('test')
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: users finish/)
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: users are cut off/)
    const asked = performance.now()
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: processes are killed/)
    const run = await endOf(stopped)
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    assert.ok(performance.now() - asked < 4_800, 'it waited for the grace of a cancel')
    const { tests, verdict, coverage } = run.summary!
    assert.equal(verdict, 'aborted')
    assert.deepEqual([tests.started, tests.finished], [1, 0])
    assert.equal(tests.interrupted + tests.lost, 1)
    assert.equal(coverage.ratio, 1)
  })

  it('three times does not wait for tearDownRun', async () => {
    const stopped = await start({ tearDownRun: `await reached('tear-down')` })
    await stopped.reached('tear-down')
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: /)
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: users are cut off/)
    stopped.cli.kill('SIGINT')
    const run = await endOf(stopped)
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    assert.equal(run.summary!.tests.successes, 1)
    assert.match(run.summary!.reasons.join(), /stopped by SIGINT/)
  })

  it('stops agents of our own, too', async () => {
    const args = ['--agents', '2', '--users', '4']
    const stopped = await start({ test: `await reached('test')` }, args)
    await stopped.server.sawRequests(4)
    stopped.cli.kill('SIGINT')
    await stopped.cli.waitForLine(/^stopping: users finish/)
    stopped.cli.kill('SIGINT')
    const run = await endOf(stopped)
    assert.equal(run.exitCode, 130, run.stdout + run.stderr)
    const { tests, agents } = run.summary!
    assert.deepEqual([tests.started, tests.interrupted, tests.lost], [4, 4, 0])
    assert.deepEqual(
      agents.map(({ state }) => state),
      ['done', 'done'],
    )
  })
})

describe('SIGTERM', function () {
  this.timeout(120_000)

  it('stops a run like Ctrl-C, with its own exit code', async () => {
    const stopped = await start({ test: `await reached('test')` }, ['--users', '3'])
    await stopped.server.sawRequests(3)
    stopped.cli.kill('SIGTERM')
    await stopped.cli.waitForLine(/^draining: drain was asked for/)
    for (const { response } of stopped.server.seen) response.end()
    const run = await endOf(stopped)
    assert.equal(run.exitCode, 143, run.stdout + run.stderr)
    assert.deepEqual(run.summary!.reasons, ['stopped by SIGTERM'])
    assert.deepEqual([run.summary!.tests.successes, run.summary!.tests.interrupted], [3, 0])
  })
})

describe('SIGKILL', function () {
  this.timeout(120_000)

  it('leaves no process of a local run', async function () {
    if (process.platform !== 'linux') this.skip()
    const stopped = await start({ test: `await reached('test')` }, ['--users', '3'])
    await stopped.server.sawRequests(3)
    assert.ok(descendantsOf(stopped.cli.pid).length > 0)
    stopped.cli.kill('SIGKILL')
    assert.equal((await endOf(stopped)).exitCode, 137)
    await assertNoneLeft(stopped.cli.mark)
  })
})

describe('a console that nobody reads any more', function () {
  this.timeout(120_000)

  for (const [what, leave] of [
    ['a closed pipe', (cli: RunningCli) => cli.closeOutput()],
    [
      'a closed terminal',
      (cli: RunningCli) => {
        cli.closeOutput()
        cli.kill('SIGHUP')
      },
    ],
  ] as const) {
    it(`finishes its run (${what})`, async () => {
      const stopped = await start({ test: `await reached('test')` }, ['--users', '2', '--iterations', '2'])
      await stopped.server.sawRequests(2)
      leave(stopped.cli)
      stopped.server.answer = (_request, response) => response.end()
      for (const { response } of stopped.server.seen) response.end()
      const run = await endOf(stopped)
      assert.equal(run.exitCode, 0, run.stdout + run.stderr)
      assert.equal(run.summary!.tests.successes, 4)
      assert.ok((await readdir(join(run.directory, 'results/latest'))).includes('summary.json'))
    })
  }
})
