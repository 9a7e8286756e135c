import assert from 'node:assert/strict'

import fc from 'fast-check'

import { memcacheError } from '../../src/protocols/memcache-error.ts'
import { memcache } from '../../src/protocols/memcache.ts'
import type { Exchange, Treatment } from '../../src/protocols/exchange.ts'
import { redisError } from '../../src/protocols/redis-error.ts'
import { slotOf } from '../../src/protocols/redis-slot.ts'
import { redis } from '../../src/protocols/redis.ts'
import { parseRule } from '../../src/rules/parse-rule.ts'
import { randomOf } from '../../src/random.ts'
import { FakeFlow } from '../support/fake-flow.ts'
import { play } from '../support/recording-talk.ts'

const definitions = {
  redis: { protocol: redis, fault: redisError },
  memcache: { protocol: memcache, fault: memcacheError },
}

describe('CutReply', () => {
  const samples: ['redis' | 'memcache', 'truncate' | 'cut', string, string][] = [
    ['redis', 'truncate', '*2\r\n*1\r\n$6\r\nabcdef\r\n:1\r\n', '*2\r\n*1\r\n$6\r\nabc'],
    ['redis', 'truncate', '*-1\r\n', '*-1'],
    ['redis', 'truncate', '*0\r\n', '*0'],
    ['redis', 'truncate', '$1\r\na\r\n', '$1\r\n'],
    ['redis', 'truncate', '$?\r\n;4\r\nabcd\r\n;0\r\n', '$?\r\n;4\r\nab'],
    ['redis', 'truncate', '|1\r\n+ttl\r\n:1\r\n$1\r\na\r\n', '|1\r\n+ttl'],
    ['redis', 'truncate', `+${'x'.repeat(2000)}\r\n`, `+${'x'.repeat(2000)}`],
    ['redis', 'cut', '%1\r\n+a\r\n+b\r\n', '%1\r\n'],
    ['redis', 'cut', '-ERR no\r\n', '-ERR no'],
    ['memcache', 'truncate', 'VALUE k 0 4\r\nabcd\r\nEND\r\n', 'VALUE k 0 4\r\nab'],
    ['memcache', 'truncate', 'VA 4 f0\r\nabcd\r\n', 'VA 4 f0\r\nab'],
    ['memcache', 'truncate', 'HD\r\n', 'HD'],
    ['memcache', 'cut', 'STAT a 1\r\nSTAT b 2\r\nEND\r\n', 'STAT a 1\r\n'],
    ['memcache', 'cut', 'STORED\r\n', 'STORED'],
  ]

  it('cuts in the same place, however the reply is split', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        ([protocol, mode, reply, expected], cut) => {
          const flow = new FakeFlow()
          const stage = treated(protocol, { mode, when: 'after' }, 'get k\r\n').replyStage!(flow)
          for (let at = 0, turn = 0; at < reply.length;) {
            const length = cut[turn++ % cut.length]!
            stage.onBytes(Buffer.from(reply.slice(at, at + length)))
            at += length
          }
          stage.onEnd()
          assert.equal(Buffer.concat(flow.passed.map(({ bytes }) => bytes)).toString(), expected)
          assert.equal(flow.closed?.how, 'fin')
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('errors of redis and memcache', () => {
  it('take statuses with weights', () => {
    for (const [protocol, statuses, sent] of [
      ['redis', ['-READONLY:3', 'loading'], 'GET k\r\n'],
      ['memcache', ['SERVER_ERROR:3', 'error'], 'get k\r\n'],
    ] as const) {
      const drawn = Array.from(
        { length: 4000 },
        (_, at) => treated(protocol, { statuses }, sent, at).detail!['status'],
      )
      const first = drawn.filter(
        (status) => status === drawn.find((each) => /^[RS]/.test(String(each))),
      ).length
      // 3,000 expected; four standard deviations.
      assert.ok(first > 2890 && first < 3110, `${first}`)
    }
  })

  it('refuse what cannot be said, and say what can', () => {
    const refused: [keyof typeof definitions, Record<string, unknown>, RegExp][] = [
      ['redis', { statuses: ['-REDONLY'] }, /READONLY/],
      ['redis', { statuses: ['-ERR a\r\n+OK'] }, /statuses/],
      ['redis', { statuses: ['-ERR:0'] }, /statuses/],
      ['redis', { statuses: ['-ERR:-1'] }, /statuses/],
      ['redis', { statuses: [] }, /statuses/],
      ['redis', { statuses: ['-MOVED'] }, /target/],
      ['redis', { statuses: ['-ASK'], target: 'nowhere' }, /HOST:PORT/],
      ['redis', { mode: 'maybe' }, /mode/],
      ['memcache', { statuses: ['ERROR with text'] }, /statuses/],
      ['memcache', { statuses: ['-READONLY'] }, /statuses/],
      ['memcache', { when: 'later' }, /when/],
    ]
    for (const [protocol, attributes, message] of refused)
      assert.throws(
        () => parseRule({ type: 'error', attributes }, definitions[protocol].protocol),
        (error: Error & { code?: string }) => error.code === 'CHAOS_ATTRIBUTE' && message.test(error.message),
        JSON.stringify(attributes),
      )
    assert.throws(() => parseRule({ type: 'redis_error' }, memcache), /it needs the protocol redis/)
    assert.throws(() => parseRule({ type: 'memcache_error' }, redis), /it needs the protocol memcache/)
    // The value that the specification of clusters gives to check an implementation by.
    assert.equal(slotOf('123456789'), 0x31c3)
    assert.notEqual(slotOf('a{}b'), slotOf(''))
    assert.equal(slotOf('x{user}y{z}'), slotOf('user'))
    const moved = treated('redis', { statuses: ['-MOVED'], target: '[::1]:7000' }, 'GET {user}:1\r\n')
    assert.equal(moved.reply!.bytes.toString(), `-MOVED ${slotOf('user')} [::1]:7000\r\n`)
    assert.equal(
      treated('redis', { statuses: ['-MOVED 1 a:2'] }, 'GET k\r\n').reply!.bytes.toString(),
      '-MOVED 1 a:2\r\n',
    )
  })

  it('#31 any attributes give an error that says so, or an answer', () => {
    const garbage = fc.oneof(
      fc.string(),
      fc.double(),
      fc.integer(),
      fc.constantFrom(null, NaN, -1, 2 ** 60),
      fc.array(fc.string()),
    )
    const attributes = fc.dictionary(fc.constantFrom('statuses', 'when', 'mode', 'target'), garbage)
    fc.assert(
      fc.property(fc.constantFrom('redis' as const, 'memcache' as const), attributes, (protocol, written) => {
        if (protocol === 'memcache') delete written['target']
        try {
          parseRule({ type: 'error', attributes: written }, definitions[protocol].protocol)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'CHAOS_ATTRIBUTE')
          return
        }
        const { reply } = treated(protocol, written, 'get k\r\n')
        assert.match(reply!.bytes.toString('latin1'), /^[^\r\n]+\r\n$/)
      }),
      { numRuns: 1000 },
    )
  })
})

/** What becomes of the first request among these bytes. */
function treated(
  name: keyof typeof definitions,
  attributes: Record<string, unknown>,
  sent: string,
  seed = 1,
): Treatment {
  const { protocol, fault } = definitions[name]
  const rule = parseRule({ type: 'error', attributes }, protocol)
  const request = play(protocol, [['client', sent]]).requests[0]!.head
  const exchange: Exchange = {
    protocol,
    unit: 'request',
    direction: 'upstream',
    request,
    bytes: null,
    random: randomOf(seed),
  }
  return fault.treat!(exchange, rule.attributes as never)
}
