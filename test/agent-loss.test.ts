import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Summary } from '@loads-runner/metrics'
import type { OwnServer } from './helpers/own-server.ts'
import { assertNoneLeft, descendantsOf } from './helpers/processes.ts'
import { startCli } from './helpers/run-cli.ts'
import type { CliOptions, RunningCli } from './helpers/run-cli.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { assertLedgerBalances, StandingCluster } from './helpers/standing-cluster.ts'
import { pidOfAgent, startSteps, stepMs, stepsOf } from './helpers/steps.ts'

type Gap = Summary['coverage']['missing'][number]

/** How often each user made each iteration: `counts[user][iteration]`. */
function timesMade(target: OwnServer, users: number): number[][] {
  const times: number[][] = Array.from({ length: users }, () => [])
  for (const { url } of target.seen) {
    const [user, iteration] = url.pathname.slice(1).split('/').map(Number) as [number, number]
    times[user]![iteration] = (times[user]![iteration] ?? 0) + 1
  }
  return times
}

function start(target: OwnServer, args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
  const all = ['steps.TestSteps.test_step', ...args]
  return startCli(all, { files: stepsOf(target), ...options })
}

function agentOf(summary: Summary, id: string): Summary['agents'][number] {
  return summary.agents.find((agent) => agent.id === id)!
}

/**
 * What a target saw of a lost agent of two users and the run did not. An agent that had been slow until then (a busy
 * machine) may have made a little more than at its fastest pace; never more than its target lets it.
 */
function assertBounded(unseen: number, gap: Gap, lost: number): void {
  const most = 2 * (gap.toSecond - gap.fromSecond + 0.1) * (1000 / stepMs)
  const facts = `${unseen}, ${lost}, ${most}: ${JSON.stringify(gap)}`
  assert.ok(gap.hitsAtMost! > 0 && gap.hitsAtMost! <= most, facts)
  assert.ok(unseen >= 0 && unseen <= most + lost, facts)
}

describe('an agent that is lost in mid-run', function () {
  this.timeout(120_000)
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  sideBySide({
    'may be frozen in its session alone: that is noticed, and it is ended': async () => {
      const target = await startSteps()
      const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: stepsOf(target) })
      const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--iterations', '100']
      const run = await cluster.start(args, { timeoutMs: 60_000 })
      await target.sawRequests(4 * 50)
      const [session] = descendantsOf(cluster.agent('a2').pid)
      process.kill(session!.pid, 'SIGSTOP')
      await run.waitForLine(
        /^agent a2 .*is lost: its session is gone: .*it said nothing for 10 s and was killed/,
      )
      const { exitCode, summary, stderr } = await run.result
      assert.equal(exitCode, 5, stderr)
      assert.equal(summary!.tests.finished, 400)
      assertLedgerBalances(summary!)
      assert.ok((await cluster.ask('ping')).agents.some(({ id }) => id === 'a2'))
    },

    'is shown at once; its users go on elsewhere from where they were; what is missing is named':
      async () => {
        const target = await startSteps()
        const run = await start(target, ['--agents', '3', '--users', '6', '--iterations', '180'])
        // Three seconds of load: every agent has reported more than once.
        await target.sawRequests(6 * 110)
        const pid = pidOfAgent(run, 'agent-2')
        process.kill(pid, 'SIGKILL')
        const killedAt = performance.now()
        await run.waitForLine(/^agent agent-2 .*is lost: it has exited: signal SIGKILL$/, 2_000)
        assert.ok(performance.now() - killedAt < 2_000)
        assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
        await run.waitForLine(/^warning: broker: 2 users of agent-2 go on on agent-1, agent-3$/)

        const { exitCode, summary, stdout, stderr } = await run.result
        assert.equal(exitCode, 5, stdout + stderr)
        assert.equal(summary!.verdict, 'incomplete')
        assertLedgerBalances(summary!)
        // Nothing of what was planned is missing: it was made, or made again.
        assert.equal(summary!.tests.finished, 1_080)
        assert.equal(summary!.hits.count, 1_080)
        assert.deepEqual(
          summary!.agents.map(({ id, state }) => [id, state]),
          [
            ['agent-1', 'done'],
            ['agent-2', 'lost'],
            ['agent-3', 'done'],
          ],
        )
        const { missing } = summary!.coverage
        assert.deepEqual(
          missing.map(({ agent }) => agent),
          ['agent-2'],
        )
        const [gap] = missing
        assert.match(summary!.reasons.join(), /1 of \d+ windows are missing \(agent-2: \d/)
        assert.match(
          stdout,
          /^Coverage: 9\d\.\d\d% .* missing: agent-2 from second [\d.]+ to [\d.]+ \(\d+ hits at most\)$/m,
        )

        // What the target saw and the run did not is what was in the missing window, and no more than is said.
        const lost = agentOf(summary!, 'agent-2').ledger.lost
        const unseen = target.seen.length - 1_080
        assertBounded(unseen, gap!, lost)
        const times = timesMade(target, 6)
        let repeated = 0
        for (const [user, ofUser] of times.entries()) {
          assert.equal(ofUser.length, 180, `user ${user}`)
          const again = ofUser.flatMap((count, iteration) => (count > 1 ? [iteration] : []))
          assert.ok(
            ofUser.every((count) => count === 1 || count === 2),
            `user ${user}`,
          )
          repeated += again.length
          if (again.length === 0) continue
          // Only users of the lost agent, and only from their last report on.
          assert.ok(user === 2 || user === 3, `user ${user}`)
          const finished = agentOf(summary!, 'agent-2').ledger.finished / 2
          assert.ok(
            Math.abs(again[0]! - finished) <= 2,
            `user ${user} went on from ${again[0]} of ${finished}`,
          )
          assert.equal(again.at(-1)! - again[0]! + 1, again.length)
        }
        assert.equal(repeated, unseen)
      },

    'ends a run that is to fail then, and leaves a hole in one that is to continue': async () => {
      const [failing, going] = await Promise.all([startSteps(), startSteps()])
      const load = ['--agents', '2', '--users', '4', '--iterations', '150', '--on-agent-loss']
      const runs = [
        { target: failing, run: await start(failing, [...load, 'fail']) },
        { target: going, run: await start(going, [...load, 'continue', '--min-coverage', '0.5']) },
      ]
      await Promise.all(
        runs.map(async ({ target, run }) => {
          await target.sawRequests(4 * 80)
          process.kill(pidOfAgent(run, 'agent-2'), 'SIGKILL')
          return run.result
        }),
      )
      const [failed, continued] = await Promise.all(runs.map(({ run }) => run.result))
      assert.equal(failed!.exitCode, 4, failed!.stderr)
      assert.equal(failed!.summary!.verdict, 'infrastructure')
      assert.match(failed!.summary!.reasons[0]!, /^agent agent-2 was lost, and the run is to fail then$/)
      assert.match(failed!.summary!.reasons.join(), /windows are missing/)
      assert.ok(failed!.summary!.tests.finished < 600)
      assertLedgerBalances(failed!.summary!)

      assert.equal(continued!.exitCode, 0, continued!.stderr)
      const summary = continued!.summary!
      assert.equal(summary.verdict, 'passed')
      assert.match(summary.reasons.join(), /tolerated by a minimal coverage of 0.5/)
      assertLedgerBalances(summary)
      const [one, two] = summary.agents
      assert.deepEqual([one!.ledger.planned, one!.ledger.finished], [300, 300])
      assert.equal(two!.ledger.planned, 300)
      assert.ok(two!.ledger.finished > 0 && two!.ledger.finished < 300, `${two!.ledger.finished}`)
      assert.equal(summary.tests.finished, 300 + two!.ledger.finished)
    },

    'is suspect, then lost after its lease, where nobody sees it exit; nothing of it goes on': async () => {
      const target = await startSteps()
      const cluster = await StandingCluster.start({ files: stepsOf(target) })
      const args = ['steps.TestSteps.test_step', '--agents', '3', '--users', '6', '--iterations', '160']
      const run = await cluster.start([...args, '--lease', '2.5s'])
      await target.sawRequests(6 * 100)
      const agent = cluster.agent('a2')
      agent.kill('SIGKILL')
      const killedAt = performance.now()
      await run.waitForLine(/^agent a2 .*is suspect: /, 5_000)
      const suspectAfter = performance.now() - killedAt
      await assertNoneLeft(agent.mark, 2_000)
      // Its lease began when it was last heard, on a busy machine well before it was killed.
      await run.waitForLine(/^agent a2 .*is lost: nothing was heard of it for (2\.[5-9]|[3-9]\.\d) s/, 10_000)
      const lostAfter = performance.now() - killedAt
      assert.ok(suspectAfter < lostAfter, `${suspectAfter} ms, ${lostAfter} ms`)
      const { exitCode, summary, stdout, stderr } = await run.result
      assert.equal(exitCode, 5, stdout + stderr)
      assertLedgerBalances(summary!)
      assert.equal(summary!.tests.finished, 960)
      const [gap] = summary!.coverage.missing
      assert.ok(gap!.toSecond - gap!.fromSecond > 2, JSON.stringify(gap))
      const unseen = target.seen.length - summary!.hits.count
      assertBounded(unseen, gap!, agentOf(summary!, 'a2').ledger.lost)
      assert.deepEqual(
        (await cluster.ask('ping')).agents.map(({ id }) => id),
        ['a1', 'a3'],
      )
    },

    'may be its session alone: the agent stays, and serves the next run': async () => {
      const target = await startSteps()
      const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: stepsOf(target) })
      const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--iterations', '120']
      const run = await cluster.start(args)
      await target.sawRequests(4 * 60)
      const session = descendantsOf(cluster.agent('a2').pid).find(({ command }) =>
        command.includes('session-process'),
      )!
      process.kill(session.pid, 'SIGKILL')
      await run.waitForLine(/^agent a2 .*is lost: its session is gone: .*killed by SIGKILL$/, 2_000)
      const { exitCode, summary, stderr } = await run.result
      assert.equal(exitCode, 5, stderr)
      assert.equal(summary!.tests.finished, 480)
      assertLedgerBalances(summary!)
      await cluster.agent('a2').waitForLine(new RegExp(`run ${summary!.runId} is over`))
      const left = (await readdir(tmpdir())).filter((name) => name.includes(`-${session.pid}-`))
      assert.deepEqual(left, [])

      const before = target.seen.length
      const next = await cluster.run(args)
      assert.equal(next.exitCode, 0, next.stderr)
      assert.equal(next.summary!.coverage.ratio, 1)
      assert.equal(next.summary!.hits.count, 480)
      assert.equal(target.seen.length - before, 480)
    },

    'is fenced when it wakes up after its lease: what it says then counts once or not at all': async () => {
      const target = await startSteps()
      const args = ['--agents', '3', '--users', '6', '--iterations', '220', '--lease', '2s']
      const run = await start(target, args)
      await target.sawRequests(6 * 100)
      const pid = pidOfAgent(run, 'agent-2')
      process.kill(pid, 'SIGSTOP')
      await run.waitForLine(/^agent agent-2 .*is suspect: it is silent$/, 2_000)
      await run.waitForLine(/^agent agent-2 .*is lost: nothing was heard of it for 2/, 5_000)
      process.kill(pid, 'SIGCONT')
      await run.waitForLine(/^agent agent-2 .*is fenced: it came back too late$/, 5_000)
      const { exitCode, summary, stdout, stderr } = await run.result
      assert.equal(exitCode, 5, stdout + stderr)
      assertLedgerBalances(summary!)
      assert.equal(agentOf(summary!, 'agent-2').state, 'fenced')
      assert.equal(summary!.tests.finished, 1_320)
      assert.equal(summary!.hits.count, 1_320)
      const times = timesMade(target, 6)
      assert.deepEqual(
        times.map((ofUser) => ofUser.length),
        Array.from({ length: 6 }, () => 220),
      )
      for (const [user, ofUser] of times.entries()) {
        if (user !== 2 && user !== 3)
          assert.ok(
            ofUser.every((count) => count === 1),
            `user ${user}`,
          )
      }
    },

    'makes no load for long when it is frozen and its session is not': async () => {
      const target = await startSteps()
      const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: stepsOf(target) })
      const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--duration', '8s']
      const run = await cluster.start([...args, '--max-orphan-time', '1s'])
      await target.sawRequests(4 * 20)
      cluster.agent('a2').kill('SIGSTOP')
      const stoppedAt = performance.now()
      // The users of the other agent are the clock: four seconds.
      await target.sawRequests(target.seen.length + 4 * 20 + 2 * 4 * (1000 / stepMs))
      const last = target.seen.findLast(({ url }) => /^\/[23]\//.test(url.pathname))!.at - stoppedAt
      assert.ok(last > 500 && last < 2_500, `the last request came after ${last} ms`)
      cluster.agent('a2').kill('SIGCONT')
      const { exitCode, summary, stdout, stderr } = await run.result
      assert.equal(exitCode, 5, stdout + stderr)
      assert.match(stdout, /^warning: a2: the agent has said nothing for 1 s: the load stops$/m)
      assert.equal(summary!.hits.count, target.seen.length)
      assertLedgerBalances(summary!)
    },

    'is no loss when it was only slow: a pause within the lease costs nothing': async () => {
      const target = await startSteps()
      const args = ['--agents', '2', '--users', '4', '--iterations', '150']
      const run = await start(target, args)
      await target.sawRequests(4 * 50)
      const pid = pidOfAgent(run, 'agent-2')
      process.kill(pid, 'SIGSTOP')
      await run.waitForLine(/^agent agent-2 .*is suspect: it is silent$/, 4_000)
      process.kill(pid, 'SIGCONT')
      const { exitCode, summary, stdout, stderr } = await run.result
      assert.equal(exitCode, 0, stdout + stderr)
      assert.equal(summary!.hits.count, 600)
      assert.equal(target.seen.length, 600)
      assert.equal(summary!.coverage.ratio, 1)
    },

    'is none when it is stopped in good order: its users go on elsewhere, and nothing is missing':
      async () => {
        const target = await startSteps()
        const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: stepsOf(target) })
        const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--iterations', '120']
        const run = await cluster.start(args)
        await target.sawRequests(4 * 40)
        const agent = cluster.agent('a2')
        agent.kill('SIGTERM')
        await run.waitForLine(/^agent a2 .*is lost: it has left the run; all that it did is here$/)
        assert.equal((await agent.result).exitCode, 0)
        const { exitCode, summary, stdout, stderr } = await run.result
        assert.equal(exitCode, 0, stdout + stderr)
        assertLedgerBalances(summary!)
        assert.equal(summary!.coverage.ratio, 1)
        assert.equal(summary!.tests.finished, 480)
        // Executions that were cut are counted as such, and were made again by whoever took them over.
        assert.equal(summary!.tests.started, 480 + summary!.tests.interrupted)
        assert.equal(summary!.hits.count, target.seen.length)
      },

    'that was the last one ends the run with what is known': async () => {
      const target = await startSteps()
      const run = await start(target, ['--agents', '1', '--users', '2', '--duration', '60s'])
      await target.sawRequests(2 * 80)
      process.kill(pidOfAgent(run, 'agent-1'), 'SIGKILL')
      const { exitCode, summary, stderr } = await run.result
      assert.equal(exitCode, 4, stderr)
      assert.match(summary!.reasons.join(), /no agent is left: every agent of the run was lost/)
      assert.ok(summary!.hits.count > 0)
      assertLedgerBalances(summary!)
    },
  })
})
