import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from './helpers/temporary.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { assertLedgerBalances, StandingCluster } from './helpers/standing-cluster.ts'
import { startHeldServer, startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { startTarget } from './helpers/target.ts'

/** A target that takes its time. */
const startSlow = () => startServer((_request, response) => void setTimeout(() => response.end('{}'), 20))

const page = (target: OwnServer, name = 'page') => ({
  [`${name}.ts`]: `
    import { TestCase } from 'loads-runner'
    export class TestPage extends TestCase {
      async test_page() { await this.session.get('${target.url}/page') }
    }`,
})

describe('a standing cluster', function () {
  this.timeout(300_000)

  sideBySide({
    'says what it has, and checks itself': async () => {
      const target = await startTarget()
      const cluster = await StandingCluster.start({
        agents: ['a1', 'a2'],
        agentArgs: ['--label', 'zone=west'],
      })
      const ping = await cluster.ask('ping')
      assert.equal(ping.address, cluster.address)
      assert.equal(ping.pid, cluster.broker.pid)
      assert.equal(ping.activeRuns, 0)
      assert.deepEqual(
        ping.agents.map(({ id, pid, slots, busy, labels }) => ({ id, pid, slots, busy, labels })),
        ['a1', 'a2'].map((id) => {
          return { id, pid: cluster.agent(id).pid, slots: 1, busy: 0, labels: { zone: 'west' } }
        }),
      )
      const shown = await cluster.run(['--ping-broker'])
      assert.match(
        shown.stdout,
        /^broker [\d.:]+ \(version .*\) answered in .* ms: 2 agents, 0 active runs$/m,
      )
      assert.match(shown.stdout, /^a1 .* 0\/1 +zone=west$/m)
      assert.match((await cluster.run(['--list-runs'])).stdout, /^no runs$/m)

      const alone = await cluster.run(['--check-cluster'])
      assert.equal(alone.exitCode, 0, alone.stderr)
      assert.match(alone.stdout, /^a1 .* ok$/m)
      assert.match(alone.stdout, /^2 agents checked: passed$/m)
      const toTarget = await cluster.run(['--check-cluster', '--server-url', target.httpUrl])
      assert.equal(toTarget.exitCode, 0, toTarget.stderr)
      assert.match(toTarget.stdout, /^a2 .* ok +200 [\d.]+ms$/m)
      assert.equal(target.count().http, 2)
      await target.stop()
      const toNobody = await cluster.run(['--check-cluster', '--server-url', target.httpUrl])
      assert.notEqual(toNobody.exitCode, 0)
      assert.match(toNobody.stdout, /^a2 .* the connection was refused/m)
    },

    'never mixes two runs on the same agents, and all consoles of a run end with equal totals': async () => {
      const targets = await Promise.all([startHeldServer(20, 100), startHeldServer(20, 100)])
      const cluster = await StandingCluster.start({
        agents: ['a1', 'a2'],
        agentArgs: ['--slots', '2'],
        files: { ...page(targets[0], 'one'), ...page(targets[1], 'two') },
      })
      const load = ['--agents', '2', '--iterations', '80']
      const starters = await Promise.all([
        cluster.start(['one.TestPage.test_page', '--users', '6', ...load]),
        cluster.start(['two.TestPage.test_page', '--users', '4', ...load]),
      ])
      await Promise.all(targets.map((target) => target.sawRequests(50)))
      const { runs } = await cluster.ask('list-runs')
      assert.deepEqual(
        runs.map(({ state, agents }) => [state, agents]),
        [
          ['running', ['a1', 'a2']],
          ['running', ['a1', 'a2']],
        ],
      )
      for (const target of targets) target.release()
      const late = await Promise.all(
        ['one.TestPage.test_page', 'two.TestPage.test_page'].map((name) => {
          return cluster.run(['--attach', runs.find(({ names }) => names[0] === name)!.runId])
        }),
      )
      for (const [index, hits] of [480, 320].entries()) {
        const first = await starters[index]!.result
        assert.equal(first.exitCode, 0, first.stderr)
        assert.equal(first.summary!.hits.count, hits)
        assert.equal(targets[index]!.seen.length, hits)
        assert.deepEqual(
          first.summary!.series.map(({ name, count }) => [name, count]),
          [[`${targets[index]!.url}/page`, hits]],
        )
        assertLedgerBalances(first.summary!)
        assert.equal(late[index]!.exitCode, 0, late[index]!.stderr)
        assert.deepEqual(late[index]!.summary, first.summary)
      }
      // One directory for each console that started a run; those that watched wrote nothing.
      assert.deepEqual((await readdir(join(cluster.directory, 'results'))).length, 3)
    },

    'lets a run go on without its console, and shows it to any other, also when it is over': async () => {
      const target = await startHeldServer(20, 100)
      const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: page(target) })
      const args = ['page.TestPage.test_page', '--agents', '2', '--users', '4', '--iterations', '60']
      const left = await cluster.run([...args, '--detach'])
      assert.equal(left.exitCode, 0, left.stderr)
      const runId = /^Run (\S+) goes on\. Watch it: loads-runner --attach \1/m.exec(left.stdout)![1]!
      const watching = await cluster.start(['--attach'])
      await watching.waitForLine(/2 agents/)
      target.release()
      const during = await watching.result
      const after = await cluster.run(['--attach', runId])
      assert.deepEqual([during.exitCode, after.exitCode], [0, 0], during.stderr + after.stderr)
      assert.equal(during.summary!.runId, runId)
      assert.equal(during.summary!.hits.count, 240)
      assert.equal(target.seen.length, 240)
      assert.deepEqual(after.summary, during.summary)
      assert.match(after.stdout, /^Verdict: passed/m)
      await assert.rejects(stat(join(cluster.directory, 'results')), { code: 'ENOENT' })

      const nothing = await cluster.run(['--attach'])
      assert.equal(nothing.exitCode, 2)
      assert.match(nothing.stderr, new RegExp(`^error: no run is active; the last ones were ${runId}$`, 'm'))
      const unknown = await cluster.run(['--attach', 'nobody'])
      assert.equal(unknown.exitCode, 2)
      assert.match(
        unknown.stderr,
        new RegExp(`^error: there is no run nobody; the latest are ${runId}$`, 'm'),
      )
    },

    'queues a run whose agents are busy, refuses one that can never begin, and stops what is to be stopped':
      async () => {
        const target = await startSlow()
        const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: page(target) })
        const args = ['page.TestPage.test_page', '--agents', '2', '--users', '2']
        const first = await cluster.start([...args, '--duration', '60s'])
        await target.sawRequests(10)
        const second = await cluster.start([...args, '--iterations', '3'])
        await second.waitForLine(/waiting for 2 free agents: 0 of 2 free$/)

        const refused = await cluster.run(['page.TestPage.test_page', '--agents', '3'])
        assert.equal(refused.exitCode, 4)
        const why = 'asked for 3 agents, 2 are registered (a1, a2); start more agents or ask for fewer'
        assert.equal(refused.stderr, `error: ${why}\n`)

        const { runs } = await cluster.ask('list-runs')
        assert.deepEqual(
          runs.map(({ state }) => state),
          ['running', 'queued'],
        )
        const nobody = await cluster.run(['--check-cluster'])
        assert.equal(nobody.exitCode, 4)
        assert.equal(nobody.stderr, 'error: there is nothing to check: all 2 agents are busy\n')
        const stopped = await cluster.run(['--stop', runs[0]!.runId])
        assert.equal(stopped.exitCode, 0, stopped.stderr)
        const [one, two] = await Promise.all([first.result, second.result])
        assert.equal(one.exitCode, 7, one.stderr)
        assert.equal(one.summary!.verdict, 'aborted')
        assert.deepEqual(one.summary!.reasons, ['stopped by an operator'])
        assert.equal(one.summary!.tests.lost, 0)
        assertLedgerBalances(one.summary!)
        assert.equal(two.exitCode, 0, two.stderr)
        assert.equal(two.summary!.hits.count, 6)
        const seen = target.seen.length
        assert.equal(seen, one.summary!.hits.count + 6)

        target.answer = () => {}
        const stuck = await cluster.start([...args, '--duration', '60s'])
        await target.sawRequests(seen + 2)
        const { runId } = (await cluster.ask('list-runs')).runs.at(-1)!
        assert.match(
          (await cluster.run(['--stop', runId])).stdout,
          /is draining: users finish what they are doing/,
        )
        assert.match((await cluster.run(['--stop', runId])).stdout, /is draining: users are cut off$/m)
        const { exitCode, summary } = await stuck.result
        assert.equal(exitCode, 7)
        // Left alone they would have waited for their answers.
        assert.deepEqual([summary!.tests.started, summary!.tests.interrupted], [2, 2])

        target.answer = (_request, response) => response.end('{}')
        const running = await cluster.start([...args, '--duration', '60s'])
        await target.sawRequests(target.seen.length + 10)
        const queued = await cluster.start(args)
        await queued.waitForLine(/waiting for 2 free agents/)
        assert.equal((await cluster.ask('purge')).stopped.length, 2)
        for (const run of [running, queued]) assert.equal((await run.result).exitCode, 7)
        for (const name of ['a1', 'a2']) {
          await cluster
            .agent(name)
            .waitForLine(new RegExp(`run ${(await running.result).summary!.runId} is over`))
        }
        const { agents, activeRuns } = await cluster.ask('ping')
        assert.equal(activeRuns, 0)
        assert.deepEqual(
          agents.map(({ id, busy }) => [id, busy]),
          [
            ['a1', 0],
            ['a2', 0],
          ],
        )
        assert.match((await cluster.run(['--purge-broker'])).stdout, /^there was no run to stop$/m)
      },

    'sends tests and their files to each agent once, and agents keep none of them': async () => {
      const target = await startTarget()
      const workDir = await temporaryDirectory()
      const cluster = await StandingCluster.start({
        agents: ['a1', 'a2'],
        agentArgs: ['--work-dir', workDir],
        brokerArgs: ['--log-level', 'debug'],
        files: {
          'data/users.csv': 'ann\nbob\n',
          'reader.ts': `
          import { TestCase } from 'loads-runner'
          import { readFile } from 'node:fs/promises'
          import { names } from './names.ts'
          export class TestReader extends TestCase {
            async test_reader() {
              this.assertEqual(await readFile('data/users.csv', 'utf8'), 'ann\\nbob\\n')
              await this.session.get('${target.httpUrl}/users/:id', { params: { id: names[this.user] } })
            }
          }`,
          'names.ts': `export const names = ['ann', 'bob', 'eve']`,
        },
      })
      const args = ['reader.TestReader.test_reader', '--include-file', 'data/*.csv', '--agents', '2']
      for (const users of ['2', '3']) {
        const run = await cluster.run([...args, '--users', users])
        assert.equal(run.exitCode, 0, run.stdout + run.stderr)
        assert.equal(run.summary!.tests.successes, Number(users))
        const over = new RegExp(`run ${run.summary!.runId} is over`)
        await Promise.all([...cluster.agents.values()].map((agent) => agent.waitForLine(over)))
        assert.deepEqual(await readdir(workDir), [])
      }
      assert.equal(target.count().http, 5)
      const sent = cluster.broker.stderr.match(/bundle \w+ \(\d+ bytes\) (came from a console|goes to a\d)/g)
      assert.deepEqual(sent!.map((line) => line.replace(/ \w+ \(\d+ bytes\)/, '')).toSorted(), [
        'bundle came from a console',
        'bundle goes to a1',
        'bundle goes to a2',
      ])
      assert.equal((await readdir(join(cluster.stateDir, 'bundles'))).length, 1)
    },

    'does not notice that a console is frozen': async () => {
      const target = await startHeldServer(20, 400)
      const cluster = await StandingCluster.start({ agents: ['a1', 'a2'], files: page(target) })
      const args = ['page.TestPage.test_page', '--agents', '2', '--users', '4', '--iterations', '200']
      const frozen = await cluster.start(args)
      await target.sawRequests(20)
      frozen.kill('SIGSTOP')
      const watcher = await cluster.start(['--attach'])
      await watcher.waitForLine(/2 agents/)
      // So many that windows were committed meanwhile, in which nobody reads for the first console.
      await target.sawRequests(20 + 200)
      target.release()
      await target.sawRequests(600)
      frozen.kill('SIGCONT')
      const [one, two] = await Promise.all([frozen.result, watcher.result])
      assert.equal(one.exitCode, 0, one.stderr)
      assert.deepEqual(one.summary, two.summary)
      assert.deepEqual([one.summary!.hits.count, target.seen.length], [800, 800])
      assert.equal(one.summary!.coverage.ratio, 1)
      assert.doesNotMatch(one.stdout + two.stdout, /agent a\d .* is lost/)
    },
  })
})
