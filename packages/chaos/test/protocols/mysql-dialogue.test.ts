import assert from 'node:assert/strict'

import { mysqlPacket } from '../../src/protocols/mysql-framer.ts'
import { mysql } from '../../src/protocols/mysql.ts'
import { sameHoweverCut, survivesGarbage, toldOf } from '../support/any-cut.ts'
import { play, type Sent } from '../support/recording-talk.ts'

const protocol41 = 0x0200
const deprecateEof = 0x0100_0000
const compress = 0x20

describe('MysqlDialogue', () => {
  for (const [name, flags] of [
    ['with ends of their own', protocol41],
    ['without', protocol41 | deprecateEof],
  ] as const)
    it(`tells commands and replies, however they are split; lists ${name}`, () => {
      const steps = session(flags)
      const { requests, replies, opaque } = toldOf(play(mysql, steps))
      const labels = [
        'CONNECT',
        'LOGIN',
        'AUTH',
        'SELECT users',
        'CALL',
        'PREPARE SELECT users',
        'EXECUTE SELECT users',
        'CLOSE SELECT users',
        'LOAD',
        'INFILE',
        'PING',
        'DO',
        'QUIT',
      ]
      assert.deepEqual(
        requests.map(({ label }) => label),
        labels,
      )
      assert.deepEqual(
        replies.map(({ to }) => to),
        labels.filter((label) => label !== 'QUIT' && !label.startsWith('CLOSE')),
      )
      assert.ok([...requests, ...replies].every(({ ended }) => ended))
      assert.equal(opaque, null)
      sameHoweverCut(mysql, steps)
    })

  it('is opaque where TLS or compression begins, for replication, and where it is no MySQL', () => {
    const ssl = Buffer.alloc(32)
    ssl.writeUInt32LE(protocol41 | 0x0800)
    const greeted: Sent = ['backend', mysqlPacket(0, greeting(0xff_ff_ff_ff))]
    const loggedIn = session(protocol41)
    const cases: [Sent[], string][] = [
      [[greeted, ['client', mysqlPacket(1, ssl)], ['client', 'more']], 'TLS'],
      [
        [
          greeted,
          ['client', mysqlPacket(1, login(protocol41 | compress))],
          ['backend', mysqlPacket(2, ok())],
        ],
        'compression',
      ],
      [[greeted, ['client', mysqlPacket(1, login(0))]], 'a protocol older than MySQL 4.1'],
      [
        [...loggedIn.slice(0, 5), ['client', mysqlPacket(0, Buffer.from([0x12, 1, 2]))]],
        'a stream of replication',
      ],
      [[['backend', mysqlPacket(0, Buffer.from('SSH-2.0'))]], 'not MySQL'],
    ]
    for (const [steps, reason] of cases) {
      assert.equal(play(mysql, steps).opaqueReason, reason)
      sameHoweverCut(mysql, steps)
    }
  })

  it('takes packets that continue each other for one', () => {
    const full = 0xff_ff_ff
    const statement = Buffer.concat([
      Buffer.from('\x03INSERT INTO blobs VALUES (0x'),
      Buffer.alloc(full, '0'),
    ])
    const row = Buffer.alloc(2 * full, 0xfe)
    const steps: Sent[] = [
      ...session(protocol41).slice(0, 5),
      [
        'client',
        Buffer.concat([
          mysqlPacket(0, statement.subarray(0, full)),
          mysqlPacket(1, statement.subarray(full)),
        ]),
      ],
      ['backend', mysqlPacket(2, ok())],
      ['client', mysqlPacket(0, Buffer.from('\x03SELECT x'))],
      [
        'backend',
        Buffer.concat([
          ...definitions(1, 1, true),
          mysqlPacket(4, row.subarray(0, full)),
          mysqlPacket(5, row.subarray(full)),
          mysqlPacket(6, Buffer.alloc(0)),
          mysqlPacket(7, end()),
        ]),
      ],
      ['client', mysqlPacket(0, Buffer.from('\x0e'))],
    ]
    for (const cut of [[], [65_536], [65_537, 3]]) {
      const talk = play(mysql, steps, { cut })
      const { requests, replies } = toldOf(talk)
      assert.deepEqual(
        requests.slice(3).map(({ label }) => label),
        ['INSERT blobs', 'SELECT', 'PING'],
      )
      assert.equal(requests[3]!.text!.length, 16 * 1024 - 1)
      assert.equal(talk.requests[3]!.head.detail['sequence'], 1)
      assert.deepEqual(
        replies.slice(3).map(({ to, ended }) => ({ to, ended })),
        [
          { to: 'INSERT blobs', ended: true },
          { to: 'SELECT', ended: true },
        ],
      )
    }
  })

  it('lets no byte of garbage get lost', () => survivesGarbage(mysql, session(protocol41)))
})

function session(flags: number): Sent[] {
  const hasEnds = (flags & deprecateEof) === 0
  const isEnd = hasEnds ? end() : okEnd()
  const more = hasEnds ? end(8) : okEnd(8)
  const query = (text: string): Sent => ['client', mysqlPacket(0, Buffer.from(`\x03${text}`))]
  const rows = [mysqlPacket(5, Buffer.from('\x011')), mysqlPacket(6, Buffer.from('\x00'))]
  const prepared = Buffer.from([0, 7, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0])
  return [
    ['backend', mysqlPacket(0, greeting(flags))],
    ['client', mysqlPacket(1, login(flags))],
    ['backend', mysqlPacket(2, Buffer.from('\xfemysql_native_password\0salt', 'latin1'))],
    ['client', mysqlPacket(3, Buffer.alloc(20, 7))],
    ['backend', Buffer.concat([mysqlPacket(4, Buffer.from([1, 3])), mysqlPacket(5, ok())])],
    query('SELECT * FROM users'),
    ['backend', Buffer.concat([...definitions(1, 2, hasEnds), ...rows, mysqlPacket(7, isEnd)])],
    query('CALL several()'),
    [
      'backend',
      Buffer.concat(
        [
          ...definitions(1, 1, hasEnds),
          ...rows,
          mysqlPacket(7, more),
          mysqlPacket(8, ok(8)),
          ...definitions(9, 1, hasEnds),
          mysqlPacket(12, isEnd),
          mysqlPacket(13, ok()),
        ].toSpliced(-1, 1),
      ),
    ],
    ['client', mysqlPacket(0, Buffer.from('\x16SELECT ? FROM users'))],
    [
      'backend',
      Buffer.concat([
        mysqlPacket(1, prepared),
        ...definitions(1, 1, hasEnds).slice(1),
        ...definitions(1, 2, hasEnds).slice(1),
      ]),
    ],
    ['client', mysqlPacket(0, Buffer.from([0x17, 7, 0, 0, 0, 0, 1, 0, 0, 0]))],
    ['backend', Buffer.concat([...definitions(1, 2, hasEnds), ...rows, mysqlPacket(7, isEnd)])],
    ['client', mysqlPacket(0, Buffer.from([0x19, 7, 0, 0, 0]))],
    query("LOAD DATA LOCAL INFILE 'f' INTO TABLE users"),
    ['backend', mysqlPacket(1, Buffer.from('\xfbf', 'latin1'))],
    ['client', Buffer.concat([mysqlPacket(2, Buffer.from('1,2\n')), mysqlPacket(3, Buffer.alloc(0))])],
    ['backend', mysqlPacket(4, ok())],
    ['client', Buffer.concat([mysqlPacket(0, Buffer.from('\x0e')), mysqlPacket(0, Buffer.from('\x03DO 1'))])],
    [
      'backend',
      Buffer.concat([mysqlPacket(1, ok()), mysqlPacket(1, Buffer.from('\xff\x51\x04#42000no', 'latin1'))]),
    ],
    ['client', mysqlPacket(0, Buffer.from('\x01'))],
  ]
}

function greeting(flags: number): Buffer {
  const low = Buffer.alloc(2)
  low.writeUInt16LE(flags & 0xff_ff)
  const high = Buffer.alloc(2)
  high.writeUInt16LE((flags >>> 16) & 0xff_ff)
  const version = Buffer.from('\x0a5.5.5-10.11.6-MariaDB\0')
  return Buffer.concat([version, Buffer.alloc(13, 1), low, Buffer.alloc(3), high, Buffer.alloc(13, 1)])
}

function login(flags: number): Buffer {
  const capabilities = Buffer.alloc(4)
  capabilities.writeUInt32LE(flags)
  return Buffer.concat([capabilities, Buffer.alloc(28), Buffer.from('root\0\0')])
}

function ok(status = 2): Buffer {
  return Buffer.from([0, 1, 0, status, 0, 0, 0])
}

function okEnd(status = 2): Buffer {
  return Buffer.from([0xfe, 0, 0, status, 0, 0, 0])
}

function end(status = 2): Buffer {
  return Buffer.from([0xfe, 0, 0, status, 0])
}

/** A number of columns, their definitions, and what ends them. */
function definitions(from: number, count: number, hasEnd: boolean): Buffer[] {
  const columns = Array.from({ length: count }, (_, at) =>
    mysqlPacket(from + 1 + at, Buffer.from('\x03def\0\0\0\x01x')),
  )
  const last = hasEnd ? [mysqlPacket(from + 1 + count, end())] : []
  return [mysqlPacket(from, Buffer.from([count])), ...columns, ...last]
}
