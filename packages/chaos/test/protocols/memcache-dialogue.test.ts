import assert from 'node:assert/strict'

import fc from 'fast-check'

import { memcache } from '../../src/protocols/memcache.ts'
import { assertHalvesAreTold, play, type RecordingTalk, type Sent } from '../support/recording-talk.ts'

describe('MemcacheDialogue', () => {
  it('tells half a command and half a reply when their streams end', () => {
    assertHalvesAreTold(memcache, { half: 'get a', command: 'get a\r\n', halfReply: 'VALUE a 0' })
  })

  it('tells commands with their values and replies of several lines', () => {
    const talk = play(memcache, [
      ['client', 'set a 0 0 5\r\nx\r\nyz\r\nget a b\r\nstats\r\nincr n 1\r\nversion\r\nbogus\r\n'],
      [
        'backend',
        'STORED\r\nVALUE a 0 5\r\nx\r\nyz\r\nVALUE b 0 0\r\n\r\nEND\r\nSTAT pid 1\r\nSTAT up 2\r\nEND\r\n',
      ],
      ['backend', '7\r\nVERSION 1.6.18\r\nERROR\r\n'],
    ])
    assert.deepEqual(told(talk), [
      ['SET a', 'STORED\r\n'],
      ['GET a', 'VALUE a 0 5\r\nx\r\nyz\r\nVALUE b 0 0\r\n\r\nEND\r\n'],
      ['STATS', 'STAT pid 1\r\nSTAT up 2\r\nEND\r\n'],
      ['INCR n', '7\r\n'],
      ['VERSION', 'VERSION 1.6.18\r\n'],
      ['BOGUS', 'ERROR\r\n'],
    ])
    assert.equal(talk.requests[0]?.bytes.toString(), 'set a 0 0 5\r\nx\r\nyz\r\n')
  })

  it('tells the same, however commands and replies are split, and every byte once', () => {
    fc.assert(
      fc.property(
        fc.array(exchange, { minLength: 1, maxLength: 12 }),
        pieces,
        fc.boolean(),
        (all, cut, isPipelined) => {
          const sent = all.map((each) => each.sent).join('')
          const reply = all.map((each) => each.reply).join('')
          const steps: Sent[] = isPipelined
            ? [
                ['client', sent],
                ['backend', reply],
              ]
            : all.flatMap((each) => [['client', each.sent] as const, ['backend', each.reply] as const])
          for (const talk of [play(memcache, steps), play(memcache, steps, { cut })]) {
            assert.equal(talk.opaqueReason, null)
            assert.equal(talk.clientBytes.toString('latin1'), sent)
            assert.equal(talk.backendBytes.toString('latin1'), reply)
            assert.deepEqual(
              talk.requests.map(({ head, bytes }) => [head.label, head.replies, bytes.toString('latin1')]),
              all.map((each) => [each.label, each.reply === '' ? 0 : 1, each.sent]),
            )
            assert.deepEqual(
              told(talk),
              all.filter((each) => each.reply !== '').map((each) => [each.label, each.reply]),
            )
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('expects no reply where noreply or quit says so', () => {
    const silent = [
      'set a 0 0 1 noreply\r\nx\r\n',
      'cas a 0 0 1 7 noreply\r\nx\r\n',
      'delete a noreply\r\n',
      'incr a 1 noreply\r\n',
      'touch a 1 noreply\r\n',
      'flush_all noreply\r\n',
      'verbosity 1 noreply\r\n',
      'mg a v q\r\n',
      'quit\r\n',
    ]
    for (const sent of silent) {
      const talk = play(memcache, [['client', sent]])
      assert.deepEqual(
        talk.requests.map(({ head, ended }) => [head.replies, ended]),
        [[0, true]],
        sent,
      )
    }
    assert.equal(play(memcache, [['client', 'get noreply\r\n']]).requests[0]?.head.replies, 1)
  })

  it('reads no value after a line that the server refuses', () => {
    for (const line of [
      'set a 0 0\r\n',
      'set a 0 0 x\r\n',
      'set a 0 0 -1\r\n',
      'set a -1 0 3\r\n',
      'set a 0 0 3 4 5\r\n',
      `set ${'k'.repeat(251)} 0 0 3\r\n`,
      'SET a 0 0 3\r\n',
      'cas a 0 0 3 x\r\n',
      'ms a\r\n',
    ])
      assert.equal(play(memcache, [['client', `${line}version\r\n`]]).requests.length, 2, line)
  })

  it('gives replies of quiet meta commands to nobody', () => {
    const talk = play(memcache, [
      ['client', 'mg a v q\r\nmg b v q\r\nmn\r\nmg c v q O1\r\nmg d v O2 k\r\nget e\r\n'],
      ['backend', 'VA 1\r\nx\r\nMN\r\nVA 2 O1\r\nMN\r\nVA 1 O2 kd\r\nx\r\nEND\r\n'],
    ])
    assert.deepEqual(told(talk), [
      [null, 'VA 1\r\nx\r\n'],
      ['MN', 'MN\r\n'],
      [null, 'VA 2 O1\r\nMN\r\n'],
      ['MG d', 'VA 1 O2 kd\r\nx\r\n'],
      ['GET e', 'END\r\n'],
    ])
  })

  it('reads a list of keys of more than 64 KiB', () => {
    const keys = Array.from({ length: 1000 }, (_, at) => `key-${at}-${'k'.repeat(90)}`).join(' ')
    for (const cut of [[], [1000], [1]]) {
      const talk = play(memcache, [['client', `get ${keys}\r\nversion\r\n`]], { cut })
      assert.deepEqual(
        talk.requests.map(({ head, bytes }) => [head.verb, bytes.length]),
        [
          ['GET', keys.length + 6],
          ['VERSION', 9],
        ],
      )
    }
  })

  it('is opaque where it understands nothing, and loses no byte', () => {
    const samples: [Sent[], string][] = [
      [[['client', '\x80\x00\x00\x01a']], 'the binary protocol of memcached'],
      [[['client', '\x16\x03\x01\x02\x00']], 'TLS'],
      [[['client', 'x'.repeat(70_000)]], 'a line of more than 64 KiB'],
      [
        [
          ['client', 'get a\r\nge'],
          ['backend', 'VALUE a 0 many\r\n'],
        ],
        'no reply of memcached',
      ],
      [
        [
          ['client', 'watch fetchers\r\n'],
          ['backend', 'OK\r\nts=1 gid=1 type=item_get\n'],
        ],
        'watch',
      ],
    ]
    for (const [steps, reason] of samples)
      for (const cut of [[], [1], [1000]]) {
        const talk = play(memcache, steps, { cut })
        assert.equal(talk.opaqueReason, reason)
        const all = (who: string): string =>
          steps.flatMap(([by, sent]) => (by === who ? [sent] : [])).join('')
        assert.equal(talk.clientBytes.toString('latin1'), all('client'))
        assert.equal(talk.backendBytes.toString('latin1'), all('backend'))
      }
  })

  it('loses no byte of garbage', () => {
    const words = fc.constantFrom(
      'get ',
      'set ',
      'ms ',
      'a ',
      '0 ',
      '5',
      '\r\n',
      '\n',
      'VALUE ',
      'VA ',
      'END',
      'x',
      '-1 ',
      ' q',
    )
    const garbage = fc.array(
      fc.tuple(
        fc.constantFrom('client' as const, 'backend' as const),
        fc.array(words).map((all) => all.join('')),
      ),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(garbage, pieces, (steps, cut) => {
        const talk = play(memcache, steps, { cut })
        const all = (who: string): string =>
          steps.flatMap(([by, sent]) => (by === who ? [sent] : [])).join('')
        // What is the beginning of a message may be held.
        assert.ok(all('client').startsWith(talk.clientBytes.toString('latin1')))
        assert.ok(all('backend').startsWith(talk.backendBytes.toString('latin1')))
        if (talk.opaqueReason === null) return
        assert.equal(talk.clientBytes.length, all('client').length)
        assert.equal(talk.backendBytes.length, all('backend').length)
      }),
      { numRuns: 3000 },
    )
  })
})

function told(talk: RecordingTalk): [string | null, string][] {
  return talk.replies.map(({ to, bytes }) => [to?.label ?? null, bytes.toString('latin1')])
}

/** Lengths of the pieces in which bytes arrive. */
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 })

const key = fc.stringMatching(/^[a-z0-9:]{1,30}$/)
const value = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const exchange = fc.oneof(
  fc.tuple(key, value, fc.boolean()).map(([name, text, isSilent]) => ({
    sent: `set ${name} 0 0 ${text.length}${isSilent ? ' noreply' : ''}\r\n${text}\r\n`,
    label: `SET ${name}`,
    reply: isSilent ? '' : 'STORED\r\n',
  })),
  fc.tuple(fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 5 })).map(([all]) => ({
    sent: `gets ${all.map(([name]) => name).join(' ')}\r\n`,
    label: `GETS ${all[0]![0]}`,
    reply: `${all.map(([name, text]) => `VALUE ${name} 0 ${text.length} 1\r\n${text}\r\n`).join('')}END\r\n`,
  })),
  fc.tuple(key, value).map(([name, text]) => ({
    sent: `mg ${name} v\r\n`,
    label: `MG ${name}`,
    reply: `VA ${text.length}\r\n${text}\r\n`,
  })),
  fc.tuple(key, value).map(([name, text]) => ({
    sent: `ms ${name} ${text.length} T0\r\n${text}\r\n`,
    label: `MS ${name}`,
    reply: 'HD\r\n',
  })),
  key.map((name) => ({ sent: `delete ${name}\r\n`, label: `DELETE ${name}`, reply: 'NOT_FOUND\r\n' })),
)
