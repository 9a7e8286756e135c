import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { NetworkNamespaces, thisMachine } from '@loads-runner/chaos'
import type { Summary } from '@loads-runner/metrics'
import { startHeldServer } from './helpers/own-server.ts'
import { PartitionedCluster } from './helpers/partitioned-cluster.ts'
import type { RunningCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { assertLedgerBalances, StandingCluster } from './helpers/standing-cluster.ts'
import { startSteps, stepMs, stepsOf } from './helpers/steps.ts'
import { cleanUpAfterTest } from './helpers/temporary.ts'

const step = 'steps.TestSteps.test_step'

function agentOf(summary: Summary, id: string): Summary['agents'][number] {
  return summary.agents.find((agent) => agent.id === id)!
}

/** Everything that the target has seen is in the figures, and nothing else. */
function assertComplete({ exitCode, summary, stdout, stderr }: Awaited<RunningCli['result']>, hits: number) {
  assert.equal(exitCode, 0, stdout + stderr)
  assertLedgerBalances(summary!)
  assert.equal(summary!.coverage.ratio, 1)
  assert.equal(summary!.hits.count, hits)
}

describe('#35 a cluster whose network is cut', function () {
  this.timeout(300_000)
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  sideBySide({
    'for longer than the lease of an agent: it is lost then, its users go on elsewhere, and after heal it serves again':
      async () => {
        // The run goes on until the agent is back.
        const target = await startHeldServer(stepMs, 700)
        const { cluster, matrix } = await PartitionedCluster.start(stepsOf(target))
        const load = [step, '--agents', '2', '--users', '4', '--timeout', '200s']
        const run = await cluster.start([...load, '--iterations', '250', '--lease', '2.5s'], {
          timeoutMs: 200_000,
        })
        await target.sawRequests(4 * 50)
        await matrix.cut('a2', 'broker')
        // Where the broker itself has no time to look, it may be lost at once.
        await run.waitForLine(/^agent a2 .*is (?:suspect: it is silent$|lost: )/)
        const [, silent] = await run.waitForLine(
          /^agent a2 .*is lost: nothing was heard of it for ([\d.]+) s/,
        )
        assert.ok(Number(silent) >= 2.5, silent)
        await run.waitForLine(/2 users of a2 go on on a1$/)
        await matrix.heal()
        const agent = cluster.agent('a2')
        await agent.waitForLine(/the broker is back/)
        await run.waitForLine(/^agent a2 .*is fenced: it came back too late$/)
        target.release()
        const { exitCode, summary, stdout, stderr } = await run.result
        assert.equal(exitCode, 5, stdout + stderr)
        assertLedgerBalances(summary!)
        assert.equal(summary!.tests.finished, 1_000)
        assert.equal(summary!.hits.count, 1_000)
        assert.equal(agentOf(summary!, 'a2').state, 'fenced')
        const [gap] = summary!.coverage.missing
        assert.ok(gap!.toSecond - gap!.fromSecond > 1.5, JSON.stringify(gap))
        // What it did meanwhile, and nobody heard of.
        assert.ok(target.seen.length > 1_000)
        await agent.waitForLine(new RegExp(`run ${summary!.runId} is over`))

        target.forget()
        assertComplete(await cluster.run([...load, '--iterations', '20']), 80)
        assert.equal(target.seen.length, 80)
      },

    'for less than the lease: nothing is lost, and all figures are there': async () => {
      const target = await startSteps()
      const { cluster, matrix } = await PartitionedCluster.start(stepsOf(target))
      const run = await cluster.start([
        step,
        '--agents',
        '2',
        '--users',
        '4',
        '--iterations',
        '250',
        '--lease',
        '30s',
      ])
      await target.sawRequests(4 * 50)
      const cut = await matrix.cut('a2', 'broker')
      await run.waitForLine(/^agent a2 .*is suspect: it is silent$/)
      // Load goes on meanwhile, unless it has come to its end by then.
      await target.sawRequests(Math.min(1_000, target.seen.length + 4 * 20))
      await cut.end()
      await cluster.agent('a2').waitForLine(/the broker is back/)
      assertComplete(await run.result, 1_000)
      assert.equal(target.seen.length, 1_000)
      assert.doesNotMatch(run.stdout, /is (lost|fenced)/)
    },

    'until the agent is through with its load: what it has to say arrives after heal': async () => {
      const target = await startSteps()
      const { cluster, matrix } = await PartitionedCluster.start(stepsOf(target))
      const run = await cluster.start([
        step,
        '--agents',
        '2',
        '--users',
        '4',
        '--iterations',
        '80',
        '--lease',
        '30s',
      ])
      await target.sawRequests(4 * 20)
      await matrix.cut('a2', 'broker')
      await target.sawRequests(320)
      // The end of its stage is told into the void.
      await delay(500)
      await matrix.heal()
      assertComplete(await run.result, 320)
      assert.equal(target.seen.length, 320)
    },

    'by resets of all connections: agents come back, nothing is lost': async () => {
      const target = await startSteps()
      const { cluster, matrix } = await PartitionedCluster.start(stepsOf(target))
      const run = await cluster.start([
        step,
        '--agents',
        '2',
        '--users',
        '4',
        '--iterations',
        '200',
        '--lease',
        '30s',
      ])
      await target.sawRequests(4 * 30)
      for (let times = 1; times <= 3; times++) {
        const cuts = [
          await matrix.cut('a1', 'broker', { mode: 'reset' }),
          await matrix.cut('a2', 'broker', { mode: 'reset' }),
        ]
        for (const name of ['a1', 'a2']) await seen(cluster.agent(name), /the broker is out of reach/g, times)
        for (const cut of cuts) await cut.end()
        for (const name of ['a1', 'a2']) await seen(cluster.agent(name), /the broker is back/g, times)
      }
      assertComplete(await run.result, 800)
      assert.equal(target.seen.length, 800)
      assert.doesNotMatch(run.stdout, /is (lost|fenced)/)
    },

    'in one direction, from the broker to an agent: it counts until it notices, and is lost after its lease':
      async () => {
        // The run goes on until the agent is back.
        const target = await startHeldServer(stepMs, 3_000)
        const { cluster, matrix } = await PartitionedCluster.start(stepsOf(target))
        const load = [step, '--agents', '2', '--users', '4', '--timeout', '200s']
        const run = await cluster.start([...load, '--iterations', '1000', '--lease', '3s'], {
          timeoutMs: 200_000,
        })
        await target.sawRequests(4 * 50)
        const beforeCut = target.seen.length
        await matrix.cut('broker', 'a2', { oneWay: true })
        // It is heard all the while, and hangs up when it has heard nothing for ten seconds. Then it cannot come back.
        const agent = cluster.agent('a2')
        await agent.waitForLine(
          /the broker is out of reach: Nothing was heard from the other side for 10 s/,
          60_000,
        )
        await cluster.broker.waitForLine(/the link to agent a2 ended \(lost\): Nothing was heard/)
        await run.waitForLine(/^agent a2 .*is (?:suspect: it is silent$|lost: )/)
        const [, silent] = await run.waitForLine(
          /^agent a2 .*is lost: nothing was heard of it for ([\d.]+) s$/,
        )
        assert.ok(Number(silent) >= 3, silent)
        await run.waitForLine(/2 users of a2 go on on a1$/)
        await matrix.heal()
        await agent.waitForLine(/the broker is back/)
        await run.waitForLine(/^agent a2 .*is fenced: it came back too late$/)
        target.release()
        const { exitCode, summary, stdout, stderr } = await run.result
        assert.equal(exitCode, 5, stdout + stderr)
        assertLedgerBalances(summary!)
        assert.equal(summary!.tests.finished, 4_000)
        assert.equal(summary!.hits.count, 4_000)
        const [gap] = summary!.coverage.missing
        assert.equal(gap!.agent, 'a2')
        // What came in the first ten seconds is there.
        assert.ok(gap!.fromSecond > 9, JSON.stringify(gap))
        assert.ok(agentOf(summary!, 'a2').hits > beforeCut)
        await agent.waitForLine(new RegExp(`run ${summary!.runId} is over`))

        target.forget()
        assertComplete(await cluster.run([...load, '--iterations', '20']), 80)
        assert.equal(target.seen.length, 80)
      },

    'by a slow line: figures are complete': async () => {
      const target = await startSteps()
      const { cluster, matrix } = await PartitionedCluster.start(stepsOf(target))
      for (const name of ['a1', 'a2']) {
        const way = await matrix.proxy(name, 'broker')
        for (const stream of ['upstream', 'downstream'] as const) {
          way.addFault({ type: 'latency', stream, attributes: { latency: 200 } })
          way.addFault({ type: 'bandwidth', stream, attributes: { rate: 64 } })
        }
      }
      const run = await cluster.run([step, '--agents', '2', '--users', '4', '--iterations', '150'])
      assertComplete(run, 600)
      assert.equal(target.seen.length, 600)
    },

    'between the operator and the broker: after heal its totals are those of everybody': async () => {
      const target = await startHeldServer(stepMs, 4 * 50)
      const partitioned = await PartitionedCluster.start(stepsOf(target))
      const { cluster, matrix } = partitioned
      const run = await partitioned.startOperator([
        step,
        '--agents',
        '2',
        '--users',
        '4',
        '--iterations',
        '300',
        '--timeout',
        '200s',
      ])
      await target.sawRequests(4 * 30)
      // Before it can be watched.
      await run.waitForLine(/2 agents/)
      const watcher = await cluster.start(['--attach'], { timeoutMs: 200_000 })
      await watcher.waitForLine(/2 agents/)
      target.release(4 * 250)
      await target.sawRequests(4 * 60)
      await matrix.cut('operator', 'broker')
      await target.sawRequests(4 * 160)
      // It learns nothing of the second half of the run meanwhile.
      assert.doesNotMatch(run.stdout, /^ *[5-9]\d%/m)
      await matrix.heal()
      await run.waitForLine(/^warning: the connection to the broker has ended/)
      await run.waitForLine(/^connected to the broker again$/)
      target.release()
      const [own, other] = await Promise.all([run.result, watcher.result])
      assertComplete(own, 1_200)
      assert.equal(target.seen.length, 1_200)
      assert.deepEqual(own.summary, other.summary)
    },
  })
})

describe('#35 an agent in a network of its own', function () {
  this.timeout(300_000)

  it('that starts into a black hole says what is wrong, and comes in after heal', async function () {
    const spaces = await NetworkNamespaces.open(['a1', 'a2']).catch((error: Error) => {
      if (process.env['CI'] !== undefined) throw error
      console.warn(`      NOT TESTED: ${error.message}`)
      return this.skip()
    })
    cleanUpAfterTest(() => spaces.close())
    const host = spaces.address(thisMachine)
    const target = await startSteps(host)
    const cluster = await StandingCluster.start({ agents: [], files: stepsOf(target), host })
    const at = (name: string) => ({
      at: (command: string, ...args: readonly string[]) => spaces.command(name, command, ...args),
    })
    await cluster.startAgent('a1', [], at('a1'))
    await spaces.cut('a2', thisMachine)
    const startedAt = performance.now()
    const late = cluster.startAgent('a2', [], at('a2'))
    late.catch(() => {})
    while (!cluster.agents.has('a2')) await delay(20)
    const agent = cluster.agent('a2')
    await agent.waitForLine(
      new RegExp(
        `warning Nothing answers at ${cluster.address}\\. Check the address and firewalls\\.; trying again$`,
      ),
      60_000,
    )
    // No answer is a time-out, not a refusal.
    assert.ok(performance.now() - startedAt > 4_900)
    await spaces.heal()
    await late
    const run = await cluster.run([step, '--agents', '2', '--users', '4', '--iterations', '30'])
    assertComplete(run, 120)
    assert.equal(target.seen.length, 120)
    assert.deepEqual(
      new Set(target.seen.map(({ from }) => from)),
      new Set(['a1', 'a2'].map((name) => spaces.address(name))),
    )
  })
})

/** Waits until a line has come so many times. */
async function seen(agent: RunningCli, line: RegExp, times: number): Promise<void> {
  const deadline = performance.now() + 60_000
  while ((agent.stderr.match(line) ?? []).length < times) {
    assert.ok(performance.now() < deadline, `${line} did not come ${times} times:\n${agent.stderr}`)
    await delay(20)
  }
}
