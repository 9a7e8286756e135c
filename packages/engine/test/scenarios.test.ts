import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { defaultTarget } from '@loads-runner/testcase'
import type { LoadModel } from '@loads-runner/testcase/load'
import {
  arriving,
  closed,
  counter,
  lasting,
  ledgerOf,
  runSession,
  seriesOf,
  type SessionRun,
} from './helpers/run-session.ts'

const telling = `
import { TestCase } from '@loads-runner/testcase'
export class TestTell extends TestCase {
  static tags = { team: 'shop' }
  async test_a() { this.incrCounter(this.params.who + ' ' + this.user + '/' + this.iteration); this.check('held', { yes: true }) }
}`

const counters = (run: SessionRun) =>
  seriesOf(run, 'counter')
    .map((each) => each.key.name)
    .sort()

async function untilWindow(
  run: SessionRun,
  holds: (window: SessionRun['windows'][0]) => boolean,
): Promise<void> {
  while (!run.windows.some(holds)) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('scenarios of a session', () => {
  it('go on side by side, each with its own stages, parameters and tags', async () => {
    const run = await runSession({
      files: { 'example.ts': telling },
      scenarios: [
        {
          name: 'buyers',
          stages: [closed(2, 3), closed(1, 2)],
          params: { who: 'buyer' },
          tags: { kind: 'human' },
        },
        { name: 'robots', stages: [closed(1, 4)], params: { who: 'robot' } },
      ],
      spec: { params: { who: 'nobody' } },
    })
    assert.deepEqual(
      [...run.stages].sort((a, b) => a - b),
      [0, 1, 2],
    )
    assert.ok(run.stages.indexOf(0) < run.stages.indexOf(1))
    assert.deepEqual(counters(run), [
      'buyer 0/0',
      'buyer 0/1',
      'buyer 0/2',
      'buyer 1/0',
      'buyer 1/1',
      'buyer 1/2',
      'buyer 2/0',
      'buyer 2/1',
      'robot 3/0',
      'robot 3/1',
      'robot 3/2',
      'robot 3/3',
    ])
    assert.deepEqual(ledgerOf(run), { planned: 12, started: 12, finished: 12, interrupted: 0, dropped: 0 })
    const tagsOf = (kind: string) =>
      seriesOf(run, kind).map((each) => [each.key.tags, each.count || each.value])
    const buyers = { kind: 'human', scenario: 'buyers', team: 'shop' }
    assert.deepEqual(tagsOf('execution'), [
      [buyers, 8],
      [{ scenario: 'robots', team: 'shop' }, 4],
    ])
    assert.deepEqual(seriesOf(run, 'check')[0]!.key.tags, buyers)
  })

  it('have no scenario tag when there is only one', async () => {
    const run = await runSession({ files: { 'example.ts': telling } })
    assert.deepEqual(seriesOf(run, 'execution')[0]!.key.tags, { team: 'shop' })
  })

  it('begin at their own time, and do not when the run is stopped before', async () => {
    const files = { 'example.ts': telling }
    const scenarios = (startMs: number) => [
      { stages: [closed(1, 1)], params: { who: 'early' } },
      { stages: [closed(1, 1)], params: { who: 'late' }, startMs },
    ]
    const run = await runSession({ files, scenarios: scenarios(400) })
    assert.equal(counter(run, 'late 1/0'), 1)
    // Timers may come two parts of a millisecond early.
    assert.ok(run.windows.at(-1)!.toMs >= 398, `it ended after ${run.windows.at(-1)!.toMs} ms`)
    const stopped = await runSession({
      files,
      scenarios: scenarios(60_000),
      during: async (session, seen) => {
        await untilWindow(seen, (window) => window.ledger.finished === 1)
        session.stop('drain')
      },
    })
    assert.deepEqual(counters(stopped), ['early 0/0'])
  })

  it('cut what does not end within their graceful stop, and go on with the next stage', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestSlow extends TestCase {
  async test_a() { if (this.user === 0) await new Promise(() => {}); this.incrCounter('second') }
}`,
      },
      scenario: { stages: [lasting(1, 100), closed(1, 1)], gracefulStopMs: 50 },
    })
    assert.deepEqual(ledgerOf(run), { planned: 1, started: 2, finished: 1, interrupted: 1, dropped: 0 })
    assert.equal(counter(run, 'second'), 1)
    assert.match(run.logs.join(), /within 0.05 s of the end of their stage/)
  })

  it('name the execution at the end of each error sample', async () => {
    const files = {
      'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestBad extends TestCase { async test_a() { throw new Error('no') } }`,
    }
    const run = await runSession({
      files,
      scenario: { name: 'shop', stages: [closed(1, 1)] },
    })
    assert.match(seriesOf(run, 'error')[0]!.detail!.sample, /\nexecution shop\/0\/0$/)
    const open = await runSession({
      files,
      scenario: { name: 'shop', stages: [arriving(10, 100)] },
    })
    assert.match(seriesOf(open, 'error')[0]!.detail!.sample, /\nexecution shop\/0$/)
  })
})

describe('open models of a session', () => {
  it('show what a target that stalls does to those who wait: response time beside service time', async () => {
    let stalled: (() => void)[] | null = null
    let asked = 0
    const server = createServer((_, response) => {
      if (++asked === 60) {
        stalled = []
        setTimeout(() => {
          for (const answer of stalled!.splice(0)) answer()
          stalled = null
        }, 600)
      }
      if (stalled === null) response.end('ok')
      else stalled.push(() => response.end('ok'))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const run = await runSession({
        files: {
          'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestOpen extends TestCase { async test_a() { await this.session.get('/'); await this.session.get('/second') } }`,
        },
        // Two users are enough but for the second in which nothing is answered.
        stages: [arriving(100, 2000, 4)],
        spec: { target: { ...defaultTarget, serverUrl }, workers: 2 },
      })
      const ledger = ledgerOf(run)
      assert.deepEqual(ledger, { planned: 200, started: 200, finished: 200, interrupted: 0, dropped: 0 })
      const [response] = seriesOf(run, 'response')
      assert.equal(response!.count, 200)
      const late = seriesOf(run, 'lateness')[0]!
      assert.equal(late.count, 200)
      assert.ok(late.max >= 400_000, `starts waited for up to ${late.max} µs`)
      const first = seriesOf(run, 'hit-response')
      assert.deepEqual(
        first.map((each) => [each.key.name, each.key.status, each.count]),
        [['/', '200', 200]],
        'the first hit alone',
      )
      const hits = seriesOf(run, 'http').find((each) => each.key.name === '/')!
      assert.equal(hits.count, 200)
      assert.ok(
        first[0]!.sum - hits.sum >= 0.99 * late.sum,
        'the wait is in response times, not in service times',
      )
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('make the same schedule on any number of agents and threads', async () => {
    const files = {
      'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestSame extends TestCase { async test_a() { this.incrCounter(this.random.integer(0, 1e9).toString()) } }`,
    }
    const model: LoadModel = {
      type: 'ramping-rate',
      startRate: 0,
      steps: [{ durationMs: 400, target: 200 }],
      spacing: 'poisson',
      users: 30,
      maxLateMs: 10_000,
    }
    const alone = counters(await runSession({ files, stages: [model] }))
    assert.equal(alone.length, 40)
    const parts = await Promise.all(
      [0, 1, 2].map((number) =>
        runSession({ files, stages: [model], agent: { number, of: 3 }, spec: { workers: 2 } }),
      ),
    )
    assert.deepEqual(parts.flatMap(counters).sort(), alone)
    assert.ok(
      parts.every((part) => counters(part).length >= 8),
      'every agent has its part',
    )
  })

  it('drop what cannot be started, and say so in the ledger', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestStuck extends TestCase { async test_a() { await new Promise(() => {}) } }`,
      },
      scenario: { stages: [arriving(100, 300, 2, 50)], gracefulStopMs: 100 },
    })
    const { planned, started, finished, interrupted, dropped } = ledgerOf(run)
    assert.deepEqual([planned, started + dropped, finished], [30, 30, 0])
    // A user each; a start that its own machine is late with by a second is dropped too.
    assert.ok(started <= 2 && interrupted === started, `${started} started, ${interrupted} interrupted`)
    const progress = new Map<number, number>()
    for (const window of run.windows) {
      for (let at = 0; at < window.progress.length; at += 2)
        progress.set(window.progress[at]!, window.progress[at + 1]!)
    }
    assert.deepEqual([...progress.values()], [15, 15], 'two lanes have half of the starts each')
  })

  it('are controlled from outside, changes said again included', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestOpen extends TestCase { async test_a() {} }`,
      },
      stages: [
        {
          type: 'externally-controlled',
          controls: 'rate',
          start: 0,
          durationMs: null,
          users: 10,
          spacing: 'uniform',
          maxLateMs: 1000,
        },
      ],
      during: async (session, seen) => {
        await untilWindow(seen, (window) => window.number === 1)
        assert.equal(seen.windows.at(-1)!.ledger.planned, 0)
        const changes = [{ atMs: seen.windows.at(-1)!.toMs, target: 200, paused: false }]
        for (let said = 0; said < 3; said++) session.control(0, changes)
        await untilWindow(seen, (window) => window.ledger.started >= 40)
        session.stop('drain')
      },
    })
    const ledger = ledgerOf(run)
    assert.ok(ledger.started >= 40)
    assert.equal(ledger.planned, ledger.started + ledger.dropped)
  })

  it('say how late the generator was itself', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestBlock extends TestCase {
  async test_a() { if (this.iteration === 0 && this.user === 0) for (const until = performance.now() + 250; performance.now() < until; ); }
}`,
      },
      stages: [arriving(100, 500, 50)],
    })
    const worst = Math.max(...run.windows.map((window) => window.generator.latenessMs))
    assert.ok(worst >= 200, `${worst} ms`)
    assert.ok(run.windows.every((window) => window.generator.gcMs >= 0 && !window.generator.portsExhausted))
  })
})

describe('a replay in a session', () => {
  const files = {
    'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestReplay extends TestCase {
  async test_a() { this.incrCounter('a ' + this.user + ' ' + this.random.integer(0, 1e9) + ' ' + this.params.who) }
  async test_b() { this.incrCounter('b ' + this.user + ' ' + this.random.integer(0, 1e9) + ' ' + this.params.who) }
}`,
  }

  it('makes one execution again: the same test, user, random numbers and parameters', async () => {
    const scenarios = [
      { name: 'one', stages: [closed(2, 3), closed(3, 4, 5000)], params: { who: 'x' }, startMs: 60_000 },
      { name: 'two', stages: [arriving(20, 500)], params: { who: 'y' } },
    ]
    const whole = counters(
      await runSession({
        files,
        scenarios: scenarios.map((each) => ({
          ...each,
          startMs: 0,
          stages: each.name === 'one' ? [closed(2, 3), closed(3, 4)] : each.stages,
        })),
      }),
    )
    const replay = async (scenario: string, unit: number, iteration: number) => {
      const run = await runSession({
        files,
        scenarios,
        spec: { replay: { scenario, unit, iteration }, workers: 0 },
      })
      assert.deepEqual(ledgerOf(run), { planned: 1, started: 1, finished: 1, interrupted: 0, dropped: 0 })
      const [name] = counters(run)
      return name!
    }
    assert.ok(whole.includes(await replay('one', 3, 2)))
    assert.match(await replay('one', 3, 2), / 3 \d+ x$/)
    // In open models any user may have made it: it is told which.
    const made = await replay('two', 7, 5)
    assert.match(made, / 7 \d+ y$/)
    const random = made.split(' ')[2]!
    assert.ok(whole.some((name) => name.includes(` ${random} y`)))
  })
})

describe('a session with data files', () => {
  it('asks for leased rows, gives them to one execution each, and says which were used', async () => {
    const users = Array.from({ length: 40 }, (_, row) => `user-${row}`)
    const files = {
      'users.csv': ['name', ...users].join('\n'),
      'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestLogin extends TestCase {
  async test_a() { const row = await this.feed('users.csv', { mode: 'leased' }); this.incrCounter(row.name) }
}`,
    }
    let granted = 0
    const run = await runSession({
      files,
      includeFiles: ['users.csv'],
      stages: [closed(4, 5)],
      spec: { workers: 2 },
      during: async (session, seen) => {
        // As the broker does it: what was asked for, from the first row that nobody has.
        while (!seen.windows.some((window) => window.final)) {
          for (const { feed, size, count } of seen.leases.splice(0)) {
            assert.equal(size, 40)
            session.rows(feed, granted, count)
            session.rows(feed, granted, count)
            granted += count
          }
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      },
    })
    assert.equal(run.aggregate.tests().successes, 20)
    assert.equal(counters(run).length, 20, 'no row twice')
    const used = run.windows.flatMap((window) => window.rows).flatMap((rows) => rowsOf(rows.used))
    assert.deepEqual(used.map((row) => `user-${row}`).sort(), counters(run))
  })
})

function rowsOf(ranges: readonly number[]): number[] {
  const rows: number[] = []
  for (let at = 0; at < ranges.length; at += 2) {
    for (let row = ranges[at]!; row < ranges[at]! + ranges[at + 1]!; row++) rows.push(row)
  }
  return rows
}

describe('a session with clients that publish what they do', () => {
  it('measures them for classes that ask for it', async () => {
    const server = createServer((_, response) => response.end('ok'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const run = await runSession({
        files: {
          'example.ts': `
import { TestCase } from '@loads-runner/testcase'
class Base extends TestCase {
  static serverUrl = ${JSON.stringify(serverUrl)}
  async setUp() { await (await fetch(Base.serverUrl + '/up')).text() }
  async test_a() { await (await fetch(Base.serverUrl + '/in')).text() }
}
export class TestMeasured extends Base { static instrument = true }
export class TestPlain extends Base {}`,
        },
        stages: [closed(1, 4)],
      })
      const hits = seriesOf(run, 'http').map(({ key, count }) => `${key.test} ${key.name}: ${count}`)
      assert.deepEqual(hits.sort(), ['TestMeasured.test_a /in: 2', 'TestMeasured.test_a /up: 2'])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
