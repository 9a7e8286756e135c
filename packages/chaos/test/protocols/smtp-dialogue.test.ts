import assert from 'node:assert/strict'

import { smtp } from '../../src/protocols/smtp.ts'
import { sameHoweverCut, survivesGarbage, toldOf } from '../support/any-cut.ts'
import { play, RecordingTalk, type Sent } from '../support/recording-talk.ts'

const session: Sent[] = [
  ['backend', '220-hello\r\n220 there\r\n'],
  ['client', 'EHLO me\r\n'],
  ['backend', '250-one\r\n250-two\r\n250 three\r\n'],
  ['client', 'AUTH LOGIN\r\n'],
  ['backend', '334 VXNlcg==\r\n'],
  ['client', 'c2VjcmV0\r\n'],
  ['backend', '235 fine\r\n'],
  ['client', 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n'],
  ['backend', '250 ok\r\n250 ok\r\n354 go on\r\n'],
  ['client', '..\r\n.x\r\n\r.\r\n\n.\r\nQUIT\r\n\r\r\n.\r\nRSET\r\n'],
  ['backend', '250 taken\r\n250 reset\r\n'],
  ['client', 'MAIL FROM:<a@b>\r\nBDAT 9\r\n.\r\nQUIT\r\nBDAT 0 LAST\r\nDATA\r\n'],
  ['backend', '250 ok\r\n250 ok\r\n250 ok\r\n503 no\r\n'],
  ['client', 'hunter2 again\r\nQUIT\r\n'],
  ['backend', '500 what\r\n221 bye\r\n'],
]

describe('SmtpDialogue', () => {
  it('tells commands, messages and replies, however they are split', () => {
    const { requests, replies } = toldOf(play(smtp, session))
    assert.deepEqual(
      requests.map(({ label }) => label),
      'CONNECT EHLO AUTH AUTH MAIL RCPT DATA BODY RSET MAIL BDAT BDAT DATA COMMAND QUIT'.split(' '),
    )
    assert.deepEqual(
      replies.map(({ to }) => to),
      requests.map(({ label }) => label),
    )
    assert.equal(requests[7]!.bytes, '..\r\n.x\r\n\r.\r\n\n.\r\nQUIT\r\n\r\r\n.\r\n')
    assert.equal(requests[10]!.bytes, 'BDAT 9\r\n.\r\nQUIT\r\n')
    assert.equal(requests[2]!.text, 'AUTH LOGIN')
    assert.equal(requests[3]!.text, null)
    sameHoweverCut(smtp, session)
  })

  it('takes an empty message, and one whose dot comes at once', () => {
    const talk = play(smtp, [
      ['backend', '220 hi\r\n'],
      ['client', 'DATA\r\n'],
      ['backend', '354 go\r\n'],
      ['client', '.\r\nNOOP\r\n'],
    ])
    assert.deepEqual(
      toldOf(talk).requests.map(({ bytes }) => bytes),
      ['', 'DATA\r\n', '.\r\n', 'NOOP\r\n'],
    )
  })

  it('waits for the answer to DATA where the client does not', () => {
    sameHoweverCut(smtp, [
      ['backend', '220 hi\r\n'],
      ['client', 'DATA\r\na\r\n.\r\nQUIT\r\n'],
      ['backend', '354 go\r\n'],
      ['backend', '250 ok\r\n221 bye\r\n'],
    ])
    const talk = new RecordingTalk((head) => head.verb === 'DATA')
    const dialogue = smtp.open!(talk)
    dialogue.fromClient(Buffer.from('DATA\r\nNOOP\r\n'))
    assert.equal(talk.requests.length, 2)
    dialogue.answered?.(talk.requests[1]!.head)
    assert.deepEqual(
      talk.requests.map(({ head }) => head.label),
      ['CONNECT', 'DATA', 'NOOP'],
    )
  })

  it('is opaque after STARTTLS, with TLS from the start, and where it is no SMTP', () => {
    const cases: [Sent[], string | null][] = [
      [
        [
          ...session.slice(0, 3),
          ['client', 'STARTTLS\r\n'],
          ['backend', '220 go\r\n'],
          ['client', '\x16\x03\x01\r\n'],
        ],
        'TLS',
      ],
      [
        [
          ...session.slice(0, 3),
          ['client', 'STARTTLS\r\n'],
          ['backend', '454 no\r\n'],
          ['client', 'QUIT\r\n'],
        ],
        null,
      ],
      [[['client', '\x16\x03\x01']], 'TLS'],
      [[['backend', 'HTTP/1.1 200 OK\r\n']], 'no reply of SMTP'],
      [[['client', Buffer.alloc(70_000, 'x')]], 'no command of SMTP'],
      [
        [
          ['backend', '220 hi\r\n'],
          ['client', 'DATA\r\n'],
          ['client', Buffer.alloc(70_000, 'x')],
        ],
        'a client that does not wait',
      ],
    ]
    for (const [steps, reason] of cases) assert.equal(play(smtp, steps).opaqueReason, reason)
    sameHoweverCut(smtp, cases[0]![0])
  })

  it('tells a last word that nobody asked for', () => {
    const talk = play(smtp, [
      ['backend', '220 hi\r\n'],
      ['backend', '421 idle\r\n'],
    ])
    assert.deepEqual(
      toldOf(talk).replies.map(({ to }) => to),
      ['CONNECT', null],
    )
  })

  it('lets no byte of garbage get lost', () => survivesGarbage(smtp, session))
})
