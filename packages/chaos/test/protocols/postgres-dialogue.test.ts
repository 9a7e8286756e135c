import assert from 'node:assert/strict'

import { postgresMessage } from '../../src/protocols/postgres-framer.ts'
import { postgres } from '../../src/protocols/postgres.ts'
import { sameHoweverCut, survivesGarbage, toldOf } from '../support/any-cut.ts'
import { play, type Sent } from '../support/recording-talk.ts'

const startup = untyped(196_608, 'user\0x\0\0')
const ssl = untyped(80_877_103)
const ready = message('Z', 'I')

const login: Sent[] = [
  ['client', startup],
  ['backend', Buffer.concat([message('R', '\0\0\0\x0aSCRAM-SHA-256\0\0')])],
  ['client', message('p', 'SCRAM-SHA-256\0secret')],
  ['backend', message('R', '\0\0\0\x0bmore')],
  ['client', message('p', 'secret')],
  [
    'backend',
    Buffer.concat([message('R', '\0\0\0\x0cend'), message('R', '\0\0\0\0'), message('S', 'a\0b\0'), ready]),
  ],
]

const session: Sent[] = [
  ['client', ssl],
  ['backend', 'N'],
  ...login,
  ['client', Buffer.concat([message('Q', 'SELECT 1\0'), message('Q', "INSERT INTO t VALUES ('secret')\0")])],
  ['backend', Buffer.concat([message('T', 'x'), message('D', 'Z'), message('C', 'SELECT 1\0'), ready])],
  ['backend', Buffer.concat([message('N', 'note'), message('E', 'C23505\0\0'), ready])],
  ['backend', Buffer.concat([message('A', 'news'), message('S', 'c\0d\0')])],
  ['client', Buffer.concat([message('P', 's\0SELECT * FROM u\0\0\0'), message('D', 'Ss\0'), message('H')])],
  ['backend', Buffer.concat([message('1'), message('t', 'x'), message('T', 'y')])],
  ['client', Buffer.concat([message('B', '\0s\0'), message('E', '\0\0\0\0\0'), message('S')])],
  ['backend', Buffer.concat([message('2'), message('D', 'x'), message('C', 'SELECT 1\0'), ready])],
  // Refused after a Flush: nothing is answered until Sync.
  ['client', Buffer.concat([message('P', '\0BAD\0\0\0'), message('H')])],
  ['backend', message('E', 'C42601\0\0')],
  ['client', message('S')],
  ['backend', ready],
  // A copy that is done, one that the server refuses, and one of several messages.
  ['client', message('Q', 'COPY t FROM STDIN\0')],
  ['backend', message('G', '\0\0\0')],
  ['client', Buffer.concat([message('d', '1\n'), message('d', 'Z'), message('c')])],
  ['backend', Buffer.concat([message('C', 'COPY 1\0'), ready])],
  ['client', message('Q', 'COPY t FROM STDIN\0')],
  ['backend', message('G', '\0\0\0')],
  ['client', message('d', 'x\n')],
  ['backend', Buffer.concat([message('E', 'C22P02\0\0'), ready])],
  ['client', message('Q', 'SELECT 2\0')],
  ['backend', Buffer.concat([message('C', 'SELECT 1\0'), ready])],
  [
    'client',
    Buffer.concat([
      message('P', '\0COPY t FROM STDIN\0\0\0'),
      message('B', '\0\0'),
      message('E', '\0\0\0\0\0'),
      message('S'),
    ]),
  ],
  ['backend', Buffer.concat([message('1'), message('2'), message('G', '\0\0\0')])],
  ['client', Buffer.concat([message('d', '1\n'), message('c'), message('S')])],
  ['backend', Buffer.concat([message('C', 'COPY 1\0'), ready])],
  ['client', message('X')],
]

describe('PostgresDialogue', () => {
  it('tells requests and replies, however they are split', () => {
    const { requests, replies, opaque } = toldOf(play(postgres, session))
    const labels = [
      'SSL',
      'CONNECT',
      'AUTH',
      'AUTH',
      'SELECT',
      'INSERT t',
      'SELECT u',
      'SELECT u',
      'BAD',
      'SYNC',
      'COPY t',
      'COPYDATA',
      'COPY t',
      'COPYDATA',
      'SELECT',
      'COPY t',
      'COPYDATA',
      'QUIT',
    ]
    assert.deepEqual(
      requests.map(({ label }) => label),
      labels,
    )
    assert.deepEqual(
      replies.map(({ to }) => to),
      [...labels.slice(0, 6), null, null, ...labels.slice(6, -1)],
    )
    assert.ok([...requests, ...replies].every(({ ended }) => ended))
    assert.equal(opaque, null)
    sameHoweverCut(postgres, session)
  })

  it('tells what nobody hears of an answer, where an error comes before several flushed requests', () => {
    const steps: Sent[] = [
      ...login,
      [
        'client',
        Buffer.concat([
          message('P', '\0BAD\0'),
          message('H'),
          message('D', 'S\0'),
          message('H'),
          message('S'),
        ]),
      ],
      ['backend', Buffer.concat([message('E', 'C42601\0\0'), ready])],
    ]
    assert.deepEqual(
      toldOf(play(postgres, steps))
        .replies.slice(3)
        .map(({ to, bytes }) => [to, bytes.length > 0]),
      [
        ['BAD', true],
        ['DESCRIBE BAD', false],
        ['SYNC', true],
      ],
    )
    sameHoweverCut(postgres, steps)
  })

  it('knows whether a transaction is open', () => {
    const talk = play(postgres, [
      ...login,
      ['client', message('Q', 'BEGIN\0')],
      ['backend', Buffer.concat([message('C', 'BEGIN\0'), message('Z', 'T')])],
      ['client', message('Q', 'SELECT 1\0')],
    ])
    assert.equal(talk.requests.at(-1)!.head.detail['transaction'], true)
  })

  it('is opaque where TLS or replication begins, and where it is no Postgres', () => {
    const cases: [Sent[], string][] = [
      [
        [
          ['client', ssl],
          ['backend', 'S'],
          ['client', '\x16\x03\x01'],
        ],
        'TLS',
      ],
      [[['client', '\x16\x03\x01']], 'TLS'],
      [[['client', 'GET / HTTP/1.1\r\n\r\n']], 'not Postgres'],
      [[['client', untyped(131_072, 'old')]], 'not Postgres'],
      [
        [...login, ['client', message('Q', 'START_REPLICATION\0')], ['backend', message('W', '\0\0\0')]],
        'replication',
      ],
    ]
    for (const [steps, reason] of cases) assert.equal(play(postgres, steps).opaqueReason, reason)
    sameHoweverCut(postgres, cases[0]![0])
    sameHoweverCut(postgres, cases[4]![0])
  })

  it('does not wait for the rest of a first message that no server would read', () => {
    assert.equal(play(postgres, [['client', '1234\r\n']]).opaqueReason, 'not Postgres')
  })

  it('lets no byte of garbage get lost', () => survivesGarbage(postgres, session))
})

function message(type: string, payload = ''): Buffer {
  return postgresMessage(type, Buffer.from(payload, 'latin1'))
}

function untyped(code: number, payload = ''): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(8 + payload.length)
  head.writeUInt32BE(code, 4)
  return Buffer.concat([head, Buffer.from(payload, 'latin1')])
}
