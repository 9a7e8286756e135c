import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { readFile } from 'node:fs/promises'
import { InterruptedError } from '../src/errors.ts'
import { TestCase } from '../src/test-case.ts'
import { settleExecution } from '../src/user-link.ts'
import { closedPort } from './helpers/servers.ts'
import { makeUser, releaseUsers } from './helpers/user.ts'

describe('this.check', () => {
  afterEach(releaseUsers)

  it('counts what holds and what does not, also of functions, and says which', async () => {
    const { test, meter } = makeUser()
    assert.equal(test.check('value', true), true)
    assert.equal(test.check('value', false), false)
    assert.equal(
      test.check('function', () => true),
      true,
    )
    assert.equal(
      test.check('throws', () => {
        throw new Error('x')
      }),
      false,
    )
    assert.equal(await test.check('async', () => Promise.resolve(true)), true)
    assert.equal(await test.check('rejects', () => Promise.reject(new Error('x'))), false)
    assert.deepEqual(meter.checks, [
      ['value', true],
      ['value', false],
      ['function', true],
      ['throws', false],
      ['async', true],
      ['rejects', false],
    ])
  })

  it('says nothing about what was cut by the end of the run', async () => {
    const { test, meter } = makeUser()
    assert.equal(await test.check('cut', () => Promise.reject(new InterruptedError('get /'))), false)
    assert.deepEqual(meter.checks, [])
  })

  it('takes several at once', async () => {
    const { test, meter } = makeUser()
    assert.equal(test.checks({ one: true, two: () => true }), true)
    assert.equal(test.checks({ one: true, two: () => false, three: true }), false)
    assert.equal(await test.checks({ one: true, two: () => Promise.resolve(true) }), true)
    assert.equal(await test.checks({ one: false, two: () => Promise.resolve(true) }), false)
    assert.equal(meter.checks.length, 9)
    assert.deepEqual(meter.checks.slice(2, 5), [
      ['one', true],
      ['two', false],
      ['three', true],
    ])
  })

  it('fails a test at its end that no engine runs, once', () => {
    const test = new TestCase()
    test.check('fine', true)
    settleExecution(test)
    test.checks({ fine: true, 'status is 200': false })
    test.check('status is 200', false)
    test.check('has items', false)
    assert.throws(() => settleExecution(test), {
      name: 'AssertionError',
      message: '3 of 4 checks failed: status is 200 (2 times), has items',
    })
    settleExecution(test)
  })
})

describe('this.measure', () => {
  afterEach(releaseUsers)

  it('makes one hit of any action, with its result, time and tags', async () => {
    const { test, meter } = makeUser()
    assert.equal(await test.measure('plain', () => 7), 7)
    const tags = { table: 'users' }
    const rows = await test.measure(
      'select',
      () => new Promise<number[]>((resolve) => setTimeout(() => resolve([1]), 20)),
      { tags },
    )
    assert.deepEqual(rows, [1])
    assert.deepEqual(
      meter.hits.map(({ micros, ...hit }) => (assert.ok(micros >= 0), hit)),
      [
        {
          kind: 'call',
          name: 'plain',
          method: '',
          status: 'ok',
          failed: false,
          bytesIn: 0,
          bytesOut: 0,
          tags: null,
        },
        {
          kind: 'call',
          name: 'select',
          method: '',
          status: 'ok',
          failed: false,
          bytesIn: 0,
          bytesOut: 0,
          tags,
        },
      ],
    )
    assert.ok(meter.hits[1]!.micros >= 18_000)
  })

  it('throws on what was thrown, and names its class, code or name', async () => {
    const { test, meter, cut } = makeUser()
    const port = await closedPort()
    const refused = () =>
      new Promise((_resolve, reject) =>
        connect(port, '127.0.0.1').once('error', reject).once('connect', reject),
      )
    class TooFewRows extends Error {
      override readonly name = 'TooFewRows'
    }
    const coded = Object.assign(new Error('duplicate key'), { code: '23505' })
    const actions: [() => unknown, string][] = [
      [refused, 'refused'],
      [() => readFile('/no/such/file'), 'ENOENT'],
      [
        () => Promise.reject(Object.assign(new Error('x'), { code: 'EACCES', path: '/etc/shadow' })),
        'EACCES',
      ],
      [() => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })), 'reset'],
      [() => Promise.reject(new DOMException('x', 'TimeoutError')), 'timeout'],
      [() => Promise.reject(coded), '23505'],
      [() => Promise.reject(new TooFewRows()), 'TooFewRows'],
      [() => Promise.reject(new Error('x')), 'Error'],
      [() => Promise.reject('text'), 'string'],
    ]
    for (const [action, status] of actions) {
      await assert.rejects(async () => test.measure('call', action))
      const hit = meter.hits.at(-1)!
      assert.equal(hit.status, status)
      assert.equal(hit.failed, true)
    }
    await assert.rejects(
      test.measure('call', () => Promise.reject(coded)),
      (error) => error === coded,
    )
    cut.abort()
    const aborted = () => Promise.reject(new DOMException('cut', 'AbortError'))
    await assert.rejects(test.measure('call', aborted))
    assert.deepEqual([meter.hits.at(-1)!.status, meter.hits.at(-1)!.failed], ['interrupted', false])
  })

  it('refuses tags that are no words', () => {
    const { test } = makeUser()
    assert.throws(() => test.measure('x', () => 1, { tags: { id: 7 } as never }), /this\.measure\('x'\)/)
  })
})

describe('TestCase', () => {
  afterEach(releaseUsers)

  it('knows its execution, and has the rows of its data', async () => {
    const { test } = makeUser()
    assert.equal(test.executionId, 'main/3/5')
    assert.equal(test.scenario, 'main')
    assert.deepEqual(await test.feed('users.csv'), { file: 'users.csv', mode: 'sequential', ordinal: '53' })
    assert.equal((await test.feed('users.csv', { mode: 'unique' }))['mode'], 'unique')
  })
})
