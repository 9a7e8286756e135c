import assert from 'node:assert/strict'
import { TestCase } from '../src/test-case.ts'
import { releaseUser, settleExecution } from '../src/user-link.ts'
import { makeUser, releaseUsers } from './helpers/user.ts'

describe('TestCase', () => {
  afterEach(releaseUsers)

  it('shows its user, run and parameters', () => {
    const { test, context, cut } = makeUser()
    assert.equal(test.user, 3)
    assert.equal(test.iteration, 5)
    assert.deepEqual(test.params, { size: '3' })
    assert.deepEqual(test.run, { id: 'run-1', seed: 1, agent: 'agent-1', data: { token: 'abc' } })
    assert.equal(test.random, context.random)
    assert.equal(test.signal, cut.signal)
    context.iteration = 6
    assert.equal(test.iteration, 6)
  })

  it('publishes notes, each with a text and tags that are words', () => {
    const { test, notes } = makeUser()
    test.annotate('cache emptied')
    test.annotate('deployed', { version: '2' })
    assert.deepEqual(notes, [
      { text: 'cache emptied', tags: {} },
      { text: 'deployed', tags: { version: '2' } },
    ])
    const wrong: [unknown, unknown, RegExp][] = [
      ['', {}, /annotate\(""\): a note needs a text/],
      ['  ', {}, /a note needs a text/],
      [undefined, {}, /annotate\(undefined\): a note needs a text/],
      [{}, {}, /a note needs a text/],
      ['x', { version: 2 }, /annotate\(\): the tag "version" is 2; tags are words/],
      ['x', null, /annotate\(\): tags are an object of words/],
      ['x', ['a'], /annotate\(\): tags are an object of words/],
    ]
    for (const [text, tags, message] of wrong)
      assert.throws(() => test.annotate(text as string, tags as Record<string, string>), {
        name: 'UsageError',
        message,
      })
    assert.equal(notes.length, 2)
  })

  it('records counters, gauges and timings', async () => {
    const { test, meter } = makeUser()
    test.incrCounter('orders')
    test.incrCounter('orders', 5)
    test.setGauge('depth', 2.5)
    test.recordTiming('login', 12)
    assert.equal(await test.time('work', () => Promise.resolve('done')), 'done')
    await assert.rejects(
      test.time('work', () => {
        throw new Error('broken')
      }),
      /broken/,
    )
    assert.deepEqual(meter.values.slice(0, 4), [
      ['count', 'orders', 1],
      ['count', 'orders', 5],
      ['gauge', 'depth', 2.5],
      ['timing', 'login', 12],
    ])
    assert.deepEqual(
      meter.values.slice(4).map(([kind, name, value]) => [kind, name, value >= 0]),
      [
        ['timing', 'work', true],
        ['timing', 'work', true],
      ],
    )
  })

  it('has its own context when no engine runs it', async () => {
    const before = process.env['LOADS_SERVER_URL']
    process.env['LOADS_SERVER_URL'] = 'http://from.environment:81'
    try {
      class WithUrl extends TestCase {
        static override serverUrl = 'http://from.class'
      }
      const test = new WithUrl()
      test.incrCounter('nowhere')
      test.annotate('to nobody', { tag: 'x' })
      assert.throws(() => test.annotate(''), /a note needs a text/)
      assert.equal(test.user, 0)
      assert.equal(test.signal.aborted, false)
      assert.equal(test.app.serverUrl, 'http://from.environment:81')
      const value = test.random.next()
      assert.ok(value >= 0 && value < 1)
      await releaseUser(test)
    } finally {
      if (before === undefined) delete process.env['LOADS_SERVER_URL']
      else process.env['LOADS_SERVER_URL'] = before
    }
  })

  it('can be settled and released without ever having opened anything', async () => {
    const test = new TestCase()
    settleExecution(test)
    await releaseUser(test)
    await releaseUser(test)
  })
})
