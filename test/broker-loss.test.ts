import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { assertNoneLeft, descendantsOf } from './helpers/processes.ts'
import { startCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'
import { pidOfAgent, startSteps, stepsOf } from './helpers/steps.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

/** Waits until the target has seen no request for a second. */
async function becomesQuiet(target: OwnServer, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  const last = () => target.seen.at(-1)?.at ?? 0
  while (performance.now() - last() < 1_000) {
    assert.ok(performance.now() < deadline, `load is still made after ${withinMs} ms`)
    await delay(50)
  }
}

describe('a broker that is lost', function () {
  this.timeout(120_000)
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  sideBySide({
    'ends the load in the stated time; its agents forget the run when it is back, and serve the next one':
      async () => {
        const target = await startSteps()
        const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: stepsOf(target) })
        const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4']
        const run = await cluster.start([...args, '--duration', '60s', '--max-orphan-time', '2s'])
        await target.sawRequests(4 * 30)
        cluster.broker.kill('SIGKILL')
        const seen = target.seen.length
        const [{ exitCode, stdout, stderr, summary }] = await Promise.all([
          run.result,
          run.waitForLine(/^warning: the connection to the broker has ended .*; trying again for 2 s$/),
          ...[...cluster.agents.values()].map(async (agent) => {
            const since = await agent.waitForLine(/^(\S+) warning the broker is out of reach/)
            const until = await agent.waitForLine(/^(\S+) warning no broker for 2 s: the load stops/)
            const loadMs = Date.parse(until[1]!) - Date.parse(since[1]!)
            assert.ok(loadMs > 1_900 && loadMs < 20_000, `load went on for ${loadMs} ms`)
          }),
        ])
        await becomesQuiet(target, 20_000)
        assert.equal(exitCode, 4, stdout + stderr)
        assert.equal(summary, null)
        assert.match(
          stderr,
          /^error: the connection to the broker has ended .*broke\) and it cannot be reached; if run \S+ goes on there, watch it again with --attach \S+$/m,
        )
        assert.ok(target.seen.length > seen, 'the load ended at once')

        // What it does not know any more is not made again, and leaves nothing on the agents.
        await cluster.startBroker()
        for (const agent of cluster.agents.values()) {
          await agent.waitForLine(/the broker is back/)
          await agent.waitForLine(/run \S+ is over/)
          assert.equal(agent.stderr.match(/is over/g)!.length, 1)
          assert.deepEqual(descendantsOf(agent.pid), [])
        }
        const before = target.seen.length
        const next = await cluster.run([...args, '--iterations', '5'])
        assert.equal(next.exitCode, 0, next.stderr)
        assert.equal(next.summary!.hits.count, 20)
        assert.equal(target.seen.length - before, 20)
      },

    'of a private cluster ends the run at once, and nothing stays': async () => {
      const target = await startSteps()
      const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--duration', '60s']
      const run = await startCli(args, { files: stepsOf(target) })
      await target.sawRequests(4 * 30)
      process.kill(pidOfAgent(run, 'broker'), 'SIGKILL')
      const killedAt = performance.now()
      const { exitCode, stderr } = await run.result
      assert.ok(performance.now() - killedAt < 30_000)
      assert.equal(exitCode, 4)
      assert.match(stderr, /^error: the broker has ended before the run \(signal SIGKILL\)$/m)
      await assertNoneLeft(run.mark, 0)
      await becomesQuiet(target, 10_000)
    },

    'is waited for by its agents, also when it was never there': async () => {
      const target = await startSteps()
      const cluster = await StandingCluster.start({ agents: ['a1'], files: stepsOf(target) })
      cluster.broker.kill('SIGTERM')
      assert.equal((await cluster.broker.result).exitCode, 0)
      await cluster.agent('a1').waitForLine(/warning the broker is out of reach: /)
      const join = `@${cluster.join('agent')}`
      const early = await startCli(['--broker', join, '--name', 'a2'], {
        binary: 'loads-agent',
        timeoutMs: 110_000,
      })
      await early.waitForLine(/warning Nothing listens at .*; trying again$/)
      await cluster.startBroker()
      await Promise.all([
        early.waitForLine(/agent a2 is registered/),
        cluster.agent('a1').waitForLine(/the broker is back/),
      ])
      const run = await cluster.run(['steps.TestSteps.test_step', '--agents', '2'])
      assert.equal(run.exitCode, 0, run.stderr)
      early.kill('SIGTERM')
      assert.equal((await early.result).exitCode, 0)
    },

    'is reported at once where there is none': async () => {
      const cluster = await StandingCluster.start({ agents: [] })
      cluster.broker.kill('SIGTERM')
      await cluster.broker.result
      const directory = await temporaryDirectory()
      const files = {
        'nothing.ts': `import { TestCase } from 'loads-runner'; export class TestNothing extends TestCase { async test_it() {} }`,
      }
      for (const args of [
        ['--ping-broker'],
        ['--list-runs'],
        ['--attach'],
        ['nothing.TestNothing.test_it'],
      ]) {
        const startedAt = performance.now()
        const { exitCode, stderr } = await cluster.run(args, { cwd: directory, files })
        assert.equal(exitCode, 4, args.join())
        assert.equal(
          stderr,
          `error: Nothing listens at ${cluster.address}. Start the broker, or check the address.\n`,
        )
        assert.ok(performance.now() - startedAt < 20_000)
      }
    },
  })
})
