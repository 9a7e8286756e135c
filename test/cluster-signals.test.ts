import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { assertNoneLeft, descendantsOf } from './helpers/processes.ts'
import { startCli } from './helpers/run-cli.ts'
import type { CliResult, RunningCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'
import { holdAnswers, startSteps, stepsOf } from './helpers/steps.ts'
import { startInTerminal } from './helpers/terminal.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

/** A run on agents of its own; code at each stage tells the server that it is there, and waits for its answer. */
interface Stage {
  server: OwnServer
  cli: RunningCli
  /** Where all of its processes have their temporary files. */
  temporary: string
}

interface Parts {
  thread?: string
  test?: string
}

const agents = 3

async function startRun({ thread, test }: Parts): Promise<Stage> {
  const server = await startServer(() => {})
  const temporary = await temporaryDirectory()
  const source = `
    import { isMainThread } from 'node:worker_threads'
    import { TestCase } from 'loads-runner'
    const reached = (name: string) => fetch('${server.url}/' + name)
    if (!isMainThread) { ${thread ?? ''} }
    export class TestStop extends TestCase {
      async test_stop() { ${test ?? ''} }
    }`
  const args = ['stop.TestStop', '--agents', String(agents), '--users', '6']
  const cli = await startCli(args, { files: { 'stop.ts': source }, env: { TMPDIR: temporary } })
  return { server, cli, temporary }
}

/** Waits until the run has so many programs of a kind. */
async function hasPrograms(cli: RunningCli, name: string, count: number): Promise<void> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const found = descendantsOf(cli.pid).filter(({ command }) => command.includes(`bin/${name}.js`)).length
    if (found >= count) return
    assert.ok(performance.now() < deadline, `${found} of ${count} ${name}`)
    await delay(5)
  }
}

/** The run is over: no process, file or connection of it is left. */
async function endOf({ cli, server, temporary }: Stage): Promise<CliResult> {
  const run = await cli.result
  await assertNoneLeft(cli.mark, run.signal === 'SIGKILL' ? 10_000 : 0)
  assert.deepEqual(await readdir(temporary), [])
  for (const { request } of server.seen) {
    if (!request.socket.destroyed) await new Promise((resolve) => request.socket.once('close', resolve))
  }
  return run
}

/** Every moment at which a run on three agents can be ended, and how to know that it has come. */
const moments: Record<string, { parts: Parts; reached: (stage: Stage) => Promise<void> }> = {
  'its broker starts': { parts: {}, reached: ({ cli }) => hasPrograms(cli, 'loads-broker', 1) },
  'its agents start': { parts: {}, reached: ({ cli }) => hasPrograms(cli, 'loads-agent', agents) },
  'its agents load the tests': {
    parts: { thread: `await reached('thread')` },
    reached: ({ server }) => server.sawRequests(agents),
  },
  'users run': { parts: { test: `await reached('test')` }, reached: ({ server }) => server.sawRequests(6) },
  'it drains': {
    parts: { test: `await reached('test')` },
    reached: async ({ server, cli }) => {
      await server.sawRequests(6)
      cli.kill('SIGINT')
      await cli.waitForLine(/^draining: drain was asked for/)
    },
  },
}

describe('a run on agents of its own leaves nothing', function () {
  this.timeout(120_000)
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  const stories: Record<string, () => Promise<void>> = {}
  for (const [moment, { parts, reached }] of Object.entries(moments)) {
    stories[`when it is interrupted while ${moment}`] = async () => {
      const stage = await startRun(parts)
      await reached(stage)
      stage.cli.kill('SIGINT')
      // Once more, for users that wait for an answer which never comes.
      const again = stage.cli.waitForLine(/^stopping: users finish/).then(() => stage.cli.kill('SIGINT'))
      await again.catch(() => {})
      const run = await endOf(stage)
      assert.equal(run.exitCode, 130, run.stdout + run.stderr)
      const results = await readdir(join(run.directory, 'results')).catch((): string[] => [])
      if (run.summary === null) {
        assert.equal(run.stderr, 'error: interrupted by SIGINT\n')
        assert.deepEqual(results, [])
      } else {
        assert.equal(run.summary.verdict, 'aborted')
        assert.equal(run.summary.reasons[0], 'stopped by SIGINT')
        assert.equal(run.summary.tests.lost, 0)
        assert.equal(run.summary.tests.interrupted, run.summary.tests.started)
        assert.ok(results.includes('latest'))
      }
    }
    stories[`when its console is killed while ${moment}`] = async () => {
      const stage = await startRun(parts)
      await reached(stage)
      stage.cli.kill('SIGKILL')
      assert.equal((await endOf(stage)).exitCode, 137)
    }
  }
  sideBySide(stories)
})

describe('a console at a terminal', function () {
  this.timeout(120_000)
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  sideBySide(
    {
      'that was suspended for longer than a connection lives finds its run again': async () => {
        const target = await startSteps()
        const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--duration', '20s']
        const run = await startCli(args, { files: stepsOf(target) })
        await target.sawRequests(20)
        run.kill('SIGSTOP')
        // A side that hears nothing for ten seconds gives the connection up; it looks once a second, later on a busy machine.
        await delay(14_000)
        run.kill('SIGCONT')
        await run.waitForLine(/^connected to the broker again$/)
        const { exitCode, summary, stderr } = await run.result
        assert.equal(exitCode, 0, stderr)
        assert.equal(summary!.hits.count, target.seen.length)
        assert.equal(summary!.coverage.ratio, 1)
      },

      'asks at the first Ctrl-C, and lets the run go on without it': async () => {
        const target = await startSteps()
        const cluster = await StandingCluster.start({ agents: ['a1'], files: stepsOf(target) })
        const terminal = await startInTerminal(
          [...runSteps(cluster), '--users', '2', '--iterations', '150'],
          cluster.directory,
        )
        await target.sawRequests(20)
        // The run does not end before it is left.
        const answer = holdAnswers(target)
        terminal.type('\u0003')
        await terminal.shows(/Stop the run, or detach and let it go on\? .*: $/)
        terminal.type('d\r')
        const shown = await terminal.shows(
          /Run (\S+) goes on\. Watch it: loads-runner --attach \1 --broker @\S+operator\.join; stop it: loads-runner --stop \1 --broker/,
        )
        assert.equal((await terminal.result).exitCode, 0)
        answer()
        const { summary } = await cluster.run(['--attach', shown[1]!])
        assert.equal(summary!.exitCode, 0)
        assert.equal(summary!.hits.count, 300)
      },

      'asks, and stops the run; also where it only watches': async () => {
        const target = await startSteps()
        const cluster = await StandingCluster.start({ agents: ['a1'], files: stepsOf(target) })
        const load = ['--users', '2', '--duration', '60s']
        const own = await startInTerminal([...runSteps(cluster), ...load], cluster.directory)
        await target.sawRequests(20)
        own.type('\u0003')
        await own.shows(/Stop the run, or detach .*: $/)
        own.type('s\r')
        const stopped = await own.result
        assert.equal(stopped.exitCode, 130)
        assert.match(stopped.stdout, /stopped by SIGINT/)

        const starter = await cluster.start(['steps.TestSteps.test_step', ...load])
        await target.sawRequests(target.seen.length + 20)
        const watcher = await startInTerminal(['--attach', ...brokerOf(cluster)], cluster.directory)
        await watcher.shows(/[1-9]\d* hits/)
        watcher.type('\u0003')
        await watcher.shows(/Stop the run, or detach .*: $/)
        watcher.type('s\r')
        // Nobody has interrupted the console that started it: an operator has stopped its run.
        for (const { exitCode, stdout } of await Promise.all([watcher.result, starter.result])) {
          assert.equal(exitCode, 7)
          assert.match(stdout, /stopped by an operator/)
        }
      },
    },
    3,
  )
})

const brokerOf = (cluster: StandingCluster) => ['--broker', `@${cluster.join('operator')}`]
const runSteps = (cluster: StandingCluster) => ['steps.TestSteps.test_step', ...brokerOf(cluster)]
