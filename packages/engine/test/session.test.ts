import assert from 'node:assert/strict'
import { closed, counter, lasting, ledgerOf, runSession } from './helpers/run-session.ts'

const counting = `
import { TestCase } from '@loads-runner/testcase'
export class TestCount extends TestCase {
  async test_one() { this.incrCounter('one') }
}`

describe('session', () => {
  it('runs every execution of every user once, in one thread and in three', async () => {
    for (const workers of [1, 3]) {
      const run = await runSession({
        files: { 'example.ts': counting },
        stages: [closed(7, 30)],
        spec: { workers },
      })
      assert.equal(counter(run, 'one'), 210)
      assert.deepEqual(ledgerOf(run), {
        planned: 210,
        started: 210,
        finished: 210,
        interrupted: 0,
        dropped: 0,
      })
      assert.equal(run.aggregate.tests().successes, 210)
    }
  })

  it('runs on the main thread for a debugger with the same result', async () => {
    const run = await runSession({
      files: { 'example.ts': counting },
      stages: [closed(2, 5)],
      spec: { workers: 0 },
    })
    assert.equal(counter(run, 'one'), 10)
  })

  it('numbers windows without gaps, and their spans follow one another', async () => {
    const run = await runSession({
      files: { 'example.ts': counting },
      scenario: { stages: [closed(1, 1_000_000)], pause: { type: 'constant', ms: 5 } },
      during: async (session, seen) => {
        while (seen.windows.length < 4) await new Promise((resolve) => setTimeout(resolve, 20))
        session.stop('drain')
      },
    })
    assert.ok(run.windows.length >= 4, `${run.windows.length} windows`)
    for (const [index, window] of run.windows.entries()) {
      assert.equal(window.number, index)
      assert.equal(window.fromMs, index === 0 ? 0 : run.windows[index - 1]!.toMs)
    }
    assert.deepEqual(run.windows.map((window) => window.final).indexOf(true), run.windows.length - 1)
  })

  it('calls hooks in order, tearDown also after a failure', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestHooks extends TestCase {
  static async setUpRun() { return { from: 'conductor' } }
  static async setUpAgent(run) { process.env.AGENT = String(run.data.from) }
  async setUpUser() { this.log_('setUpUser') }
  async setUp() { this.log_('setUp') }
  async tearDown() { this.log_('tearDown') }
  async tearDownUser() { this.log_('tearDownUser') }
  static async tearDownAgent() { console.log('tearDownAgent') }
  async test_a() { this.log_('test ' + this.user + '/' + this.iteration + ' ' + process.env.AGENT + ' ' + this.run.data.from); this.assertEqual(1, 2) }
  log_(text) { console.log(text) }
}`,
      },
      stages: [closed(1, 2)],
      conduct: true,
    })
    assert.deepEqual(run.logs, [
      'setUpUser',
      'setUp',
      'test 0/0 conductor conductor',
      'tearDown',
      'setUp',
      'test 0/1 conductor conductor',
      'tearDown',
      'tearDownUser',
      'tearDownAgent',
    ])
    assert.equal(run.aggregate.tests().failures, 2)
  })

  it('tells a failure from an error, also in setUp, and keeps going', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
import assert from 'node:assert'
export class TestMix extends TestCase {
  async setUp() { if (this.iteration === 3) this.assertTrue(false) }
  async test_a() {
    if (this.iteration === 0) assert.equal(1, 2)
    if (this.iteration === 1) this.fail('no')
    if (this.iteration === 2) throw new TypeError('broken')
  }
}`,
      },
      stages: [closed(1, 5)],
    })
    const tests = run.aggregate.tests()
    assert.deepEqual([tests.failures, tests.errors, tests.successes], [3, 1, 1])
    const groups = [...run.aggregate.series.values()].filter((each) => each.key.kind === 'error')
    const broken = groups.find((each) => each.detail?.type === 'TypeError')
    assert.match(broken!.detail!.sample, /example\.ts:9:\d+/, 'the sample names the line of the source')
  })

  it('lets executions finish when drained, cuts them when cancelled, and tears down both', async () => {
    const slow = `
import { TestCase } from '@loads-runner/testcase'
import { setTimeout as sleep } from 'node:timers/promises'
export class TestSlow extends TestCase {
  async test_a() { await sleep(Number(this.params.ms), undefined, { signal: this.signal }); this.incrCounter('through') }
  async tearDown() { this.incrCounter('torn down') }
}`
    const drained = await runSession({
      files: { 'example.ts': slow },
      stages: [closed(3, 1000)],
      spec: { params: { ms: '200' } },
      during: (session) => session.stop('drain'),
    })
    assert.equal(ledgerOf(drained).finished, counter(drained, 'through'))
    assert.equal(ledgerOf(drained).interrupted, 0)
    const cancelled = await runSession({
      files: { 'example.ts': slow },
      stages: [closed(3, 1000)],
      spec: { params: { ms: '60000' } },
      during: async (session, run) => {
        while ((run.windows.at(-1)?.ledger.started ?? 0) < 3)
          await new Promise((resolve) => setTimeout(resolve, 20))
        session.stop('cancel')
      },
    })
    assert.deepEqual(ledgerOf(cancelled), {
      planned: 3000,
      started: 3,
      finished: 0,
      interrupted: 3,
      dropped: 0,
    })
    assert.equal(counter(cancelled, 'torn down'), 3)
    assert.equal(cancelled.aggregate.tests().errors, 0)
  })

  it('cuts a test that ignores its signal, and kills one that blocks its thread', async () => {
    const stubborn = `
import { TestCase } from '@loads-runner/testcase'
export class TestStubborn extends TestCase {
  async test_a() { console.log('here'); this.params.how === 'block' ? (() => { for (;;); })() : await new Promise(() => {}) }
}`
    for (const how of ['wait', 'block']) {
      const run = await runSession({
        files: { 'example.ts': stubborn },
        spec: { params: { how }, drainMs: 100 },
        during: async (session, seen) => {
          while ((seen.windows.at(-1)?.ledger.started ?? 0) < 1)
            await new Promise((resolve) => setTimeout(resolve, 20))
          session.stop('drain')
        },
      })
      assert.deepEqual(
        ledgerOf(run),
        { planned: 1, started: 1, finished: 0, interrupted: 1, dropped: 0 },
        how,
      )
      assert.equal(run.aggregate.tests().interrupted, 1, how)
    }
  }).timeout(120_000)

  it('counts a test that never ends as an error when its time is over', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestEndless extends TestCase { async test_a() { await new Promise(() => {}) } }`,
      },
      spec: { testTimeoutMs: 300 },
    })
    assert.equal(run.aggregate.tests().errors, 1)
    const group = [...run.aggregate.series.values()].find((each) => each.key.kind === 'error')
    assert.equal(group!.detail!.type, 'TestTimeout')
  })

  it('does not wait for ever for tearDownUser', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestEndless extends TestCase { async test_a() {} async tearDownUser() { await new Promise(() => {}) } }`,
      },
      spec: { testTimeoutMs: 300 },
    })
    assert.equal(run.aggregate.tests().successes, 1)
    const group = [...run.aggregate.series.values()].find((each) => each.key.kind === 'error')
    assert.match(group!.detail!.message, /tearDownUser of user 0 did not end/)
  })

  it('stops a stage at its end and starts the next with users of its own', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestStages extends TestCase {
  async test_a() { this.incrCounter('user ' + this.user); await new Promise((done) => setTimeout(done, 10)) }
}`,
      },
      stages: [lasting(1, 150), lasting(2, 150)],
    })
    assert.deepEqual(run.stages, [0, 1])
    // How often is a matter of the machine.
    for (const user of [0, 1, 2]) assert.ok(counter(run, `user ${user}`) >= 1, `user ${user}`)
    const ledger = ledgerOf(run)
    assert.equal(ledger.started, ledger.finished)
  })

  it('spreads the start of users over the ramp-up', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestRamp extends TestCase {
  static setUpAgent() { this.armedAt = performance.now() }
  async test_a() { this.recordTiming('start', performance.now() - TestRamp.armedAt) }
}`,
      },
      stages: [closed(4, 1, 400)],
    })
    const starts = [...run.aggregate.series.values()].find((each) => each.key.kind === 'timing')!
    assert.equal(starts.count, 4)
    // The first may be late, and no user before its time.
    assert.ok(starts.max >= 300_000, 'the last of 4 users starts 300 ms after the stage')
  })

  it('counts errors that nobody awaited and survives them', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestLoose extends TestCase {
  async test_a() { void Promise.reject(new Error('loose')); setTimeout(() => { throw new Error('timer') }, 1); await new Promise((done) => setTimeout(done, 50)) }
}`,
      },
    })
    assert.equal(run.aggregate.tests().successes, 1)
    const messages = [...run.aggregate.series.values()]
      .filter((each) => each.key.kind === 'error')
      .map((each) => each.detail!.message)
    assert.deepEqual(messages.sort(), ['loose', 'timer'])
  })

  it('gives the same random numbers to the same execution, wherever it runs', async () => {
    const source = `
import { TestCase } from '@loads-runner/testcase'
export class TestRandom extends TestCase { async test_a() { this.incrCounter('r' + this.user + this.iteration + ':' + this.random.next()) } }`
    const names = async (workers: number) => {
      const run = await runSession({
        files: { 'example.ts': source },
        stages: [closed(3, 2)],
        spec: { workers },
      })
      return [...run.aggregate.series.values()]
        .filter((each) => each.key.kind === 'counter')
        .map((each) => each.key.name)
        .sort()
    }
    const one = await names(1)
    assert.equal(new Set(one).size, 6)
    assert.deepEqual(await names(3), one)
  })

  it('lets the event loop turn, however many users never wait', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestBusy extends TestCase {
  static most = 0
  static setUpAgent() {
    let before = process.cpuUsage()
    const turn = () => {
      const { user, system } = process.cpuUsage(before)
      this.most = Math.max(this.most, (user + system) / 1000)
      before = process.cpuUsage()
    }
    setInterval(turn, 5).unref()
  }
  static tearDownAgent() { console.log(this.most) }
  async test_a() { for (let n = 0; n < 1000; n++) Math.sqrt(n) }
}`,
      },
      stages: [lasting(500, 2000)],
    })
    // Each user that breathed alone would add 10 ms: 5 s in all. Of the processor: it may have to wait for that.
    assert.ok(Number(run.logs[0]) < 1000, `it stood still for ${run.logs[0]} ms`)
  })

  it('lets no secret out, in names, messages, samples or lines', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestTold extends TestCase {
  async test_a() {
    const token = process.env.TOKEN
    console.log('token ' + token)
    this.incrCounter('with ' + token)
    throw new Error('bad token ' + token)
  }
}`,
      },
      spec: { secrets: { TOKEN: 'hunter22' }, env: { OTHER: 'x' } },
    })
    assert.deepEqual(run.logs, ['token [redacted]'])
    assert.equal(counter(run, 'with [redacted]'), 1)
    const all = [...run.aggregate.series.values()].map(({ key, detail }) => ({ key, detail }))
    assert.match(JSON.stringify(all), /bad token \[redacted\]/)
    assert.doesNotMatch(JSON.stringify(all), /hunter22/)
  })

  it('groups a million-fold error into one', async () => {
    const run = await runSession({
      files: {
        'example.ts': `
import { TestCase } from '@loads-runner/testcase'
export class TestThrow extends TestCase { async test_a() { throw new Error('order ' + this.iteration + ' failed') } }`,
      },
      stages: [closed(1, 20_000)],
    })
    const groups = [...run.aggregate.series.values()].filter((each) => each.key.kind === 'error')
    assert.equal(groups.length, 1)
    assert.equal(groups[0]!.value || groups[0]!.count, 20_000)
  })
})
