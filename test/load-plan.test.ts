import assert from 'node:assert/strict'
import { startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'

/** One request per execution, which tells the server which user made it and when, by its own clock. */
const visits = (server: OwnServer, waitMs = 0) => `
  import { TestCase } from 'loads-runner'
  export class TestVisit extends TestCase {
    async test_visit() {
      await this.session.get('${server.url}/visit?user=' + this.user + '&at=' + Date.now(), { name: 'visit' })
      ${waitMs > 0 ? `await new Promise((resolve) => setTimeout(resolve, ${waitMs}))` : ''}
    }
  }`

interface Visit {
  user: number
  /** Milliseconds since the epoch: the target may see it any time later. */
  at: number
}

function visitsOf(server: OwnServer): Visit[] {
  return server.seen.map(({ url }) => ({
    user: Number(url.searchParams.get('user')),
    at: Number(url.searchParams.get('at')),
  }))
}

const timesOf = (all: Visit[], user: number) =>
  all.filter((visit) => visit.user === user).map((visit) => visit.at)

describe('the plan of a run', function () {
  this.timeout(60_000)

  it('runs tests as often as their weights say', async () => {
    const server = await startServer()
    const test = (name: string) => `async test_${name}() { await this.session.get('${server.url}/${name}') }`
    const run = await runCli(['shop.TestShop', '--users', '4', '--iterations', '8'], {
      files: {
        'shop.ts': `
          import { TestCase, weight } from 'loads-runner'
          export class TestShop extends TestCase {
            static weights = { test_look: 5, test_never: 0 }
            ${test('look')}
            @weight(2) ${test('buy')}
            ${test('return')}
            ${test('never')}
          }`,
      },
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const count = (path: string) => server.seen.filter(({ url }) => url.pathname === path).length
    assert.deepEqual(['/look', '/buy', '/return', '/never'].map(count), [20, 8, 4, 0])
    assert.deepEqual(
      run.summary!.executions.map(({ test, successes }) => [test, successes]),
      [
        ['TestShop.test_buy', 8],
        ['TestShop.test_look', 20],
        ['TestShop.test_return', 4],
      ],
    )
  })

  it('runs each stage for its time, with users of its own, one after the other', async () => {
    const server = await startServer()
    const args = ['visit.TestVisit', '--users', '2:4', '--duration', '700ms', '--workers', '1']
    const run = await runCli(args, { files: { 'visit.ts': visits(server, 20) } })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.match(run.stdout, /^stage 1 of 2: 2 users for 700ms$/m)
    assert.match(run.stdout, /^stage 2 of 2: 4 users for 700ms$/m)
    const all = visitsOf(server)
    assert.deepEqual(
      [...new Set(all.map(({ user }) => user))].toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5],
    )
    const first = all.filter(({ user }) => user < 2).map(({ at }) => at)
    const second = all.filter(({ user }) => user >= 2).map(({ at }) => at)
    assert.ok(Math.max(...first) < Math.min(...second), 'stage 2 began before stage 1 had ended')
    assert.ok(all.length > 6, 'users go on for as long as their stage')
    for (const [from, to] of [
      [0, 2],
      [2, 6],
    ] as const) {
      // The last start of a user may come a moment later than it was decided on.
      const before = [...Array(to).keys()].slice(from).flatMap((user) => timesOf(all, user).slice(0, -1))
      const span = Math.max(...before) - Math.min(...before)
      assert.ok(before.length === 0 || span < 702, `a stage of 700 ms made load for ${span} ms`)
    }
    const { tests, hits, schedule, durationSeconds } = run.summary!
    assert.equal(hits.count, server.seen.length)
    assert.deepEqual(
      [tests.started, tests.finished, tests.successes, tests.interrupted, tests.lost],
      [all.length, all.length, all.length, 0, 0],
    )
    assert.equal(schedule.planned, null, 'how many executions fit into a time is not known before')
    assert.ok(durationSeconds >= 1.4 && durationSeconds < 20, `${durationSeconds} s`)
  })

  it('pairs users with iterations, stage by stage', async () => {
    const server = await startServer()
    const args = ['visit.TestVisit', '--users', '2:3', '--hits', '4:2']
    const run = await runCli(args, { files: { 'visit.ts': visits(server) } })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const all = visitsOf(server)
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((user) => timesOf(all, user).length),
      [4, 4, 2, 2, 2],
    )
    assert.equal(run.summary!.schedule.planned, 14)
    assert.equal(run.summary!.hits.count, 14)
  })

  it('spreads the start of users over the ramp-up', async () => {
    const server = await startServer()
    const args = ['visit.TestVisit', '--users', '4', '--ramp-up', '1s', '--workers', '1']
    const run = await runCli(args, { files: { 'visit.ts': visits(server) } })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const began = Date.parse(run.summary!.started!)
    const starts = [0, 1, 2, 3]
      .map((user) => timesOf(visitsOf(server), user)[0]! - began)
      .toSorted((a, b) => a - b)
    // Never before their time; on a busy machine any of them may be late.
    for (const [index, start] of starts.entries()) {
      assert.ok(start > index * 250 - 20, `4 users over a second started at ${starts.join(', ')} ms`)
    }
    assert.ok(starts[3]! < 20_000, `the last of 4 users started after ${starts[3]} ms`)
    assert.equal(server.seen.length, 4)
  })

  it('pauses between the executions of a user', async () => {
    const server = await startServer()
    const args = [
      'visit.TestVisit',
      '--users',
      '2',
      '--iterations',
      '3',
      '--delay',
      '200ms',
      '--workers',
      '1',
    ]
    const run = await runCli(args, { files: { 'visit.ts': visits(server) } })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    for (const user of [0, 1]) {
      const [one, two, three] = timesOf(visitsOf(server), user)
      assert.ok(two! - one! >= 198 && three! - two! >= 198, `${one} ${two} ${three}`)
    }
    assert.equal(run.summary!.tests.successes, 6)
  })

  it('lets executions finish at the end of the time', async () => {
    const server = await startServer((_request, response) => {
      setTimeout(() => response.end('{}'), 150)
    })
    const args = ['visit.TestVisit', '--users', '8', '--duration', '1s']
    const run = await runCli(args, { files: { 'visit.ts': visits(server) } })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    const { tests, hits, durationSeconds, agents } = run.summary!
    assert.ok(tests.finished >= 8)
    assert.equal(tests.successes, tests.started)
    assert.deepEqual([tests.interrupted, tests.lost, hits.interrupted, hits.failed], [0, 0, 0, 0])
    assert.equal(hits.count, server.seen.length)
    assert.equal(tests.started, server.seen.length)
    assert.ok(durationSeconds >= 1, `${durationSeconds} s`)
    const [{ ledger } = assert.fail('no agent')] = agents
    assert.deepEqual([ledger.started, ledger.finished, ledger.lost], [tests.started, tests.started, 0])
  })

  it('makes the same random choices with the same seed, and prints the seed', async () => {
    const file = `
      import { TestCase } from 'loads-runner'
      export class TestDice extends TestCase {
        async test_roll() { this.incrCounter('user ' + this.user + ' rolled ' + this.random.next()) }
      }`
    const roll = (...args: string[]) =>
      runCli(['dice.TestDice', '--users', '3', '--iterations', '2', ...args], { files: { 'dice.ts': file } })
    const first = await roll()
    const seed = String(first.summary!.seed)
    assert.match(first.stdout, new RegExp(`\\bseed ${seed}\\b`))
    const [again, other] = await Promise.all([
      roll('--seed', seed, '--workers', '3'),
      roll('--seed', String((first.summary!.seed + 1) % 2 ** 32)),
    ])
    const rolled = (run: typeof first) => Object.keys(run.summary!.counters).toSorted()
    assert.equal(rolled(first).length, 6)
    assert.deepEqual(rolled(again), rolled(first))
    assert.notDeepEqual(rolled(other), rolled(first))
  })
})
