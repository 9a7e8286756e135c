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
import { holdAnswers, pidOfAgent, startSteps, stepMs, stepsOf } from './helpers/steps.ts'

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
        40_000,
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
        // Its exit is what is noticed, not that its lease runs out.
        await run.waitForLine(/^agent agent-2 .*is lost: it has exited: signal SIGKILL$/)
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
        const { windowsOwed, windowsReceived } = summary!.coverage
        const owed = windowsOwed - windowsReceived
        // One is owed for every second that has begun, and one at least.
        const seconds = Math.ceil(gap!.toSecond - gap!.fromSecond)
        assert.ok(owed >= 1 && Math.abs(owed - seconds) <= 1, JSON.stringify(summary!.coverage))
        const said = `${owed} of ${windowsOwed} windows are missing (agent-2: `
        assert.ok(summary!.reasons.join().includes(said), summary!.reasons.join())
        assert.match(
          stdout,
          /^Coverage: \d\d\.\d\d% .* missing: agent-2 from second [\d.]+ to [\d.]+ \(\d+ hits at most\)$/m,
        )

        // What the target saw and the run did not is what was in the missing window, and no more than is said.
        const lost = agentOf(summary!, 'agent-2').ledger.lost
        const unseen = target.seen.length - 1_080
        assertBounded(unseen, gap!, lost)
        const times = timesMade(target, 6)
        let repeated = 0
        const wentOnFrom: number[] = []
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
          wentOnFrom.push(again[0]!)
          assert.equal(again.at(-1)! - again[0]! + 1, again.length)
        }
        const { finished } = agentOf(summary!, 'agent-2').ledger
        const known = wentOnFrom.reduce((sum, each) => sum + each, 0)
        const facts = `users went on from ${wentOnFrom.join(' and ')} of ${finished}`
        // Where a user made nothing again, it is not to be seen from where it went on.
        if (wentOnFrom.length === 2) assert.equal(known, finished, facts)
        else assert.ok(known <= finished, facts)
        assert.equal(repeated, unseen)
      },

    'ends a run that is to fail then, and leaves a hole in one that is to continue': async () => {
      const [failing, going] = await Promise.all([startSteps(), startSteps()])
      const load = ['--agents', '2', '--users', '4', '--iterations', '200', '--on-agent-loss']
      const runs = [
        { target: failing, run: await start(failing, [...load, 'fail']) },
        { target: going, run: await start(going, [...load, 'continue', '--min-coverage', '0.5']) },
      ]
      await Promise.all(
        runs.map(async ({ target, run }) => {
          // Two seconds of load and more: both agents have reported.
          await target.sawRequests(4 * 120)
          process.kill(pidOfAgent(run, 'agent-2'), 'SIGKILL')
          return run.result
        }),
      )
      const [failed, continued] = await Promise.all(runs.map(({ run }) => run.result))
      assert.equal(failed!.exitCode, 4, failed!.stderr)
      assert.equal(failed!.summary!.verdict, 'infrastructure')
      assert.match(failed!.summary!.reasons[0]!, /^agent agent-2 was lost, and the run is to fail then$/)
      assert.match(failed!.summary!.reasons.join(), /windows are missing/)
      assert.ok(failed!.summary!.tests.finished < 800)
      assertLedgerBalances(failed!.summary!)

      assert.equal(continued!.exitCode, 0, continued!.stderr)
      const summary = continued!.summary!
      assert.equal(summary.verdict, 'passed')
      assert.match(summary.reasons.join(), /tolerated by a minimal coverage of 0.5/)
      assertLedgerBalances(summary)
      const [one, two] = summary.agents
      assert.deepEqual([one!.ledger.planned, one!.ledger.finished], [400, 400])
      assert.equal(two!.ledger.planned, 400)
      assert.ok(two!.ledger.finished > 0 && two!.ledger.finished < 400, `${two!.ledger.finished}`)
      assert.equal(summary.tests.finished, 400 + two!.ledger.finished)
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
      await run.waitForLine(/^agent a2 .*is suspect: /)
      const suspectAfter = performance.now() - killedAt
      await assertNoneLeft(agent.mark, 20_000)
      // Its lease began when it was last heard, on a busy machine well before it was killed.
      const [, silent] = await run.waitForLine(
        /^agent a2 .*is lost: nothing was heard of it for (\d+(?:\.\d)?) s/,
      )
      assert.ok(Number(silent) >= 2.5, silent)
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
      await run.waitForLine(/^agent a2 .*is lost: its session is gone: .*killed by SIGKILL$/)
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
      await run.waitForLine(/^agent agent-2 .*is suspect: it is silent$/)
      await run.waitForLine(/^agent agent-2 .*is lost: nothing was heard of it for \d/)
      // The run does not end before it is back.
      const answer = holdAnswers(target)
      process.kill(pid, 'SIGCONT')
      await run.waitForLine(/^agent agent-2 .*is fenced: it came back too late$/)
      answer()
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
      const args = ['steps.TestSteps.test_step', '--agents', '2', '--users', '4', '--duration', '20s']
      const run = await cluster.start([...args, '--max-orphan-time', '1s', '--lease', '60s'])
      await target.sawRequests(4 * 20)
      cluster.agent('a2').kill('SIGSTOP')
      const before = target.seen.length
      // The users of the other agent are the clock: it made nothing for two seconds.
      const clock = 2 * 2 * (1000 / stepMs)
      const lastOf = () => target.seen.findLastIndex(({ url }) => /^\/[23]\//.test(url.pathname))
      for (let last = before; target.seen.length - 1 - last < clock; last = Math.max(before, lastOf()))
        await target.sawRequests(last + 1 + clock)
      assert.ok(lastOf() > before, 'the load ended at once')
      cluster.agent('a2').kill('SIGCONT')
      const { exitCode, summary, stdout, stderr } = await run.result
      assert.equal(exitCode, 5, stdout + stderr)
      assert.match(stdout, /^warning: a2: the agent has said nothing for 1 s: the load stops$/m)
      assert.equal(summary!.hits.count, target.seen.length)
      assertLedgerBalances(summary!)
    },

    'is no loss when it was only slow: a pause within the lease costs nothing': async () => {
      const target = await startSteps()
      const args = ['--agents', '2', '--users', '4', '--iterations', '150', '--lease', '60s']
      const run = await start(target, args)
      await target.sawRequests(4 * 50)
      const pid = pidOfAgent(run, 'agent-2')
      process.kill(pid, 'SIGSTOP')
      await run.waitForLine(/^agent agent-2 .*is suspect: it is silent$/)
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
      await target.sawRequests(2 * 150)
      process.kill(pidOfAgent(run, 'agent-1'), 'SIGKILL')
      const { exitCode, summary, stderr } = await run.result
      assert.equal(exitCode, 4, stderr)
      assert.match(summary!.reasons.join(), /no agent is left: every agent of the run was lost/)
      assert.ok(summary!.hits.count > 0)
      assertLedgerBalances(summary!)
    },
  })
})
