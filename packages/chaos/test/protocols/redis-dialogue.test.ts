import assert from 'node:assert/strict'

import fc from 'fast-check'

import { redis } from '../../src/protocols/redis.ts'
import { assertHalvesAreTold, play, RecordingTalk, type Sent } from '../support/recording-talk.ts'

describe('RedisDialogue', () => {
  it('tells half a command and half a reply when their streams end', () => {
    assertHalvesAreTold(redis, {
      half: '*1\r\n$4\r\nPI',
      command: 'SUBSCRIBE a\r\n',
      halfReply: '*3\r\n$9\r\nsubscr',
    })
  })

  it('tells commands and replies, each reply to its command', () => {
    const talk = play(redis, [
      ['client', command('SET', 'user:1', 'a\r\nb') + command('get', 'user:1') + 'PING\r\n'],
      ['backend', '+OK\r\n$4\r\na\r\nb\r\n+PONG\r\n'],
    ])
    assert.deepEqual(told(talk), [
      ['SET user:1', '+OK\r\n'],
      ['GET user:1', '$4\r\na\r\nb\r\n'],
      ['PING', '+PONG\r\n'],
    ])
    assert.equal(talk.opaqueReason, null)
  })

  it('tells the same, however commands and replies are split, and every byte once', () => {
    fc.assert(
      fc.property(
        fc.array(exchange, { minLength: 1, maxLength: 12 }),
        pieces,
        fc.boolean(),
        (all, cut, isPipelined) => {
          const steps: Sent[] = isPipelined
            ? [
                ['client', all.map(({ sent }) => sent).join('')],
                ['backend', all.map(({ reply }) => reply).join('')],
              ]
            : all.flatMap(({ sent, reply }) => [['client', sent] as const, ['backend', reply] as const])
          const whole = play(redis, steps)
          const split = play(redis, steps, { cut })
          for (const talk of [whole, split]) {
            assert.equal(talk.opaqueReason, null)
            assert.equal(talk.clientBytes.toString('latin1'), all.map(({ sent }) => sent).join(''))
            assert.equal(talk.backendBytes.toString('latin1'), all.map(({ reply }) => reply).join(''))
            assert.deepEqual(
              talk.requests.map(({ head, bytes }) => [head.label, bytes.toString('latin1')]),
              all.map(({ label, sent }) => [label, sent]),
            )
            assert.deepEqual(
              talk.replies.map(({ to, bytes }) => [to?.label ?? null, bytes.toString('latin1')]),
              all.map(({ label, reply }) => [label, reply]),
            )
            assert.deepEqual(heads(talk), heads(whole))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('passes a value of 100 MB on as it comes', () => {
    const talk = new CountingTalk()
    const dialogue = redis.open!(talk)
    const piece = Buffer.alloc(1 << 16, 'x')
    const pieces = 1600
    const head = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${pieces * piece.length}\r\n`
    dialogue.fromClient(Buffer.from(head))
    for (let at = 0; at < pieces; at++) {
      dialogue.fromClient(piece)
      assert.equal(talk.fromClient, head.length + (at + 1) * piece.length)
    }
    dialogue.fromClient(Buffer.from('\r\n'))
    assert.deepEqual(talk.ended, ['SET k'])
  })

  it('knows verb, first key and text', () => {
    const samples: [string[], string, string | null, string][] = [
      [['get', 'a b'], 'GET', 'a b', 'GET a b'],
      [['CLIENT', 'setname', 'me'], 'CLIENT', null, 'CLIENT SETNAME'],
      [['object', 'encoding', 'k'], 'OBJECT', 'k', 'OBJECT ENCODING k'],
      [['EVAL', 'return 1', '2', 'k1', 'k2'], 'EVAL', 'k1', 'EVAL k1'],
      [['EVAL', 'return 1', '0', 'argument'], 'EVAL', null, 'EVAL'],
      [['XREAD', 'COUNT', '2', 'STREAMS', 's', '0'], 'XREAD', 's', 'XREAD s'],
      [['AUTH', 'user', 'secret'], 'AUTH', null, 'AUTH'],
      [['HELLO', '3', 'AUTH', 'user', 'secret'], 'HELLO', null, 'HELLO'],
      [['SET', 'k', 'secret'], 'SET', 'k', 'SET k'],
      [['GET', 'gr\u00fc\u00dfe'], 'GET', 'gr\u00fc\u00dfe', 'GET gr\u00fc\u00dfe'],
      [['GET', 'a\nb'], 'GET', 'a\nb', 'GET a?b'],
      [['ZUNION', '2', 'z1', 'z2'], 'ZUNION', 'z1', 'ZUNION z1'],
    ]
    for (const [words, verb, path, label] of samples) {
      const { head } = play(redis, [['client', Buffer.from(command(...words))]]).requests[0]!
      assert.deepEqual([head.verb, head.path, head.label], [verb, path, label])
      assert.equal(head.text, words.join(' '))
    }
  })

  it('reads inline commands, quotes and empty lines', () => {
    const talk = play(redis, [
      ['client', '\r\nset "a key" \'its value\'\r\n*0\r\nGET k\n'],
      ['backend', '+OK\r\n$-1\r\n'],
    ])
    assert.deepEqual(
      talk.requests.map(({ head }) => [head.label, head.path, head.replies]),
      [
        ['empty line', null, 0],
        ['SET a key', 'a key', 1],
        ['empty line', null, 0],
        ['GET k', 'k', 1],
      ],
    )
    assert.deepEqual(told(talk), [
      ['SET a key', '+OK\r\n'],
      ['GET k', '$-1\r\n'],
    ])
  })

  it('takes all confirmations of a SUBSCRIBE as its reply, and messages as asked for by nobody', () => {
    const confirmed = (kind: string, name: string, count: number): string =>
      `*3\r\n${bulk(kind)}${bulk(name)}:${count}\r\n`
    const message = `*3\r\n${bulk('message')}${bulk('a')}${bulk('x')}`
    const steps: Sent[] = [
      ['client', command('SUBSCRIBE', 'a', 'b') + command('PSUBSCRIBE', 'p*')],
      ['backend', confirmed('subscribe', 'a', 1) + confirmed('subscribe', 'b', 2) + message],
      ['backend', confirmed('psubscribe', 'p*', 3) + message + message],
      ['client', command('PING') + command('UNSUBSCRIBE')],
      ['backend', `${message}*2\r\n${bulk('pong')}${bulk('')}${message}`],
      ['backend', confirmed('unsubscribe', 'a', 2) + confirmed('unsubscribe', 'b', 1)],
      ['client', command('GET', 'k')],
      ['backend', message + '-ERR only subscribers\r\n'],
      ['client', command('PUNSUBSCRIBE') + command('LRANGE', 'l', '0', '-1')],
      ['backend', message + confirmed('punsubscribe', 'p*', 0) + `*1\r\n${bulk('message')}`],
    ]
    for (const cut of [[], [1], [7, 3]]) {
      const talk = play(redis, steps, { cut })
      assert.deepEqual(
        talk.replies.map(({ to, bytes }) => [to?.label ?? null, bytes.toString().split('*').length - 1]),
        [
          ['SUBSCRIBE', 2],
          [null, 1],
          ['PSUBSCRIBE', 2], // one of them in its pattern
          [null, 1],
          [null, 1],
          [null, 1],
          ['PING', 1],
          [null, 1],
          ['UNSUBSCRIBE', 2],
          [null, 1],
          ['GET k', 0],
          [null, 1],
          ['PUNSUBSCRIBE', 2],
          ['LRANGE l', 1],
        ],
      )
    }
  })

  it('takes pushes of RESP3 as asked for by nobody, but confirmations', () => {
    const steps: Sent[] = [
      ['client', command('HELLO', '3') + command('SUBSCRIBE', 'a') + command('LRANGE', 'l', '0', '-1')],
      ['backend', `%1\r\n+proto\r\n:3\r\n>3\r\n${bulk('subscribe')}${bulk('a')}:1\r\n`],
      [
        'backend',
        `>2\r\n${bulk('invalidate')}*1\r\n${bulk('k')}|1\r\n+ttl\r\n:1\r\n>3\r\n+message\r\n+a\r\n+b\r\n`,
      ],
      ['backend', `|1\r\n+ttl\r\n:1\r\n*3\r\n${bulk('message')}${bulk('a')}${bulk('b')}`],
    ]
    for (const cut of [[], [1], [5]])
      assert.deepEqual(
        play(redis, steps, { cut }).replies.map(({ to, bytes }) => [
          to?.label ?? null,
          bytes.toString().slice(0, 2),
        ]),
        [
          ['HELLO', '%1'],
          ['SUBSCRIBE', '>3'],
          [null, '>2'],
          [null, '|1'],
          ['LRANGE l', '|1'],
        ],
      )
  })

  it('expects no reply after CLIENT REPLY OFF and SKIP', () => {
    const talk = play(redis, [
      ['client', command('CLIENT', 'REPLY', 'SKIP') + command('SET', 'a', '1') + command('GET', 'a')],
      ['backend', '$1\r\n1\r\n'],
      ['client', command('client', 'reply', 'off') + command('GET', 'a') + command('CLIENT', 'REPLY', 'ON')],
      ['client', command('GET', 'b')],
      ['backend', '+OK\r\n$-1\r\n'],
    ])
    assert.deepEqual(
      talk.requests.map(({ head }) => head.replies),
      [0, 0, 1, 0, 0, 1, 1],
    )
    assert.deepEqual(told(talk), [
      ['GET a', '$1\r\n1\r\n'],
      ['CLIENT REPLY', '+OK\r\n'],
      ['GET b', '$-1\r\n'],
    ])
  })

  it('knows what is queued within MULTI, and that a MULTI that was answered otherwise began nothing', () => {
    const isQueued = (talk: RecordingTalk): unknown[] =>
      talk.requests.map(({ head }) => head.detail['queued'])
    const all = ['MULTI', 'SET', 'EXEC', 'GET'].map((verb) => command(verb)).join('')
    assert.deepEqual(isQueued(play(redis, [['client', all]])), [false, true, true, false])
    const talk = new RecordingTalk()
    const dialogue = redis.open!(talk)
    dialogue.fromClient(Buffer.from(command('MULTI')))
    dialogue.answered?.(talk.requests[0]!.head)
    dialogue.fromClient(Buffer.from(command('GET', 'a')))
    assert.deepEqual(isQueued(talk), [false, false])
  })

  it('is opaque after MONITOR, but not when it was refused', () => {
    const monitored = play(redis, [
      ['client', command('MONITOR')],
      ['backend', '+OK\r\n+1.5 [0 127.0.0.1:1] "GET" "k"\r\n'],
    ])
    assert.equal(monitored.opaqueReason, 'MONITOR')
    assert.deepEqual(told(monitored), [['MONITOR', '+OK\r\n']])
    assert.match(monitored.backendBytes.toString(), /"GET" "k"\r\n$/)
    const refused = play(redis, [
      ['client', command('MONITOR')],
      ['backend', '-NOPERM no\r\n'],
    ])
    assert.equal(refused.opaqueReason, null)
  })

  it('is opaque from the first byte that is not RESP, and loses none', () => {
    const samples: [Sent[], string][] = [
      [[['client', '\x16\x03\x01\x02\x00']], 'TLS'],
      [[['client', command('GET', 'a') + '*1\r\n:5\r\n']], 'no command of Redis'],
      [[['client', '*2\r\n$3\r\nGET\r\n' + `$${2e4}\r\nabc`.repeat(2e4)]], 'no command of Redis'],
      [[['client', 'x'.repeat(70_000)]], 'no command of Redis'],
      [[['client', command('PSYNC', '?', '-1')]], 'replication'],
      [
        [
          ['client', command('GET', 'a')],
          ['backend', 'HTTP/1.1 400 Bad Request\r\n'],
        ],
        'no reply of Redis',
      ],
      [
        [
          ['client', '*2\r\n$3\r\nGE'],
          ['backend', 'oh\r\n'],
        ],
        'no reply of Redis',
      ],
    ]
    for (const [steps, reason] of samples)
      for (const cut of [[], [1], [1000]]) {
        const talk = play(redis, steps, { cut })
        assert.equal(talk.opaqueReason, reason)
        for (const [who, bytes] of [
          ['client', talk.clientBytes],
          ['backend', talk.backendBytes],
        ] as const)
          assert.equal(
            bytes.toString('latin1'),
            steps.flatMap(([by, sent]) => (by === who ? [sent] : [])).join(''),
          )
      }
  })

  it('tells an error that nobody asked for', () => {
    const talk = play(redis, [['backend', '-ERR max number of clients reached\r\n']])
    assert.deepEqual(told(talk), [[null, '-ERR max number of clients reached\r\n']])
  })

  it('loses no byte of garbage', () => {
    const letters = fc.constantFrom(...'+-:$*~>%|;.?_#,(!=0123456789\r\n "\'GETax'.split(''))
    const garbage = fc.array(
      fc.tuple(
        fc.constantFrom('client' as const, 'backend' as const),
        fc.string({ unit: letters, maxLength: 40 }),
      ),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(garbage, pieces, (steps, cut) => {
        const talk = play(redis, steps, { cut })
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

class CountingTalk extends RecordingTalk {
  fromClient = 0
  readonly ended: string[] = []
  #label = ''

  override requestBegins(head: Parameters<RecordingTalk['requestBegins']>[0]): void {
    this.#label = head.label
  }

  override requestBytes(bytes: Buffer): void {
    this.fromClient += bytes.length
  }

  override requestEnds(): void {
    this.ended.push(this.#label)
  }
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map(bulk).join('')}`
}

function told(talk: RecordingTalk): [string | null, string][] {
  return talk.replies.map(({ to, bytes }) => [to?.label ?? null, bytes.toString('latin1')])
}

function heads(talk: RecordingTalk): unknown[] {
  return talk.requests.map(({ head: { verb, path, text, replies, detail } }) => ({
    verb,
    path,
    text,
    replies,
    detail,
  }))
}

/** Lengths of the pieces in which bytes arrive. */
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 })

const word = fc.stringMatching(/^[a-z0-9:]{1,12}$/)
const value = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.constantFrom('v'.repeat(3000), 'w'.repeat(40_000)),
)
const latin1Bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const reply = fc.oneof(
  value.map(latin1Bulk),
  fc.array(value, { maxLength: 5 }).map((all) => `*${all.length}\r\n${all.map(latin1Bulk).join('')}`),
  fc.constantFrom(
    '+OK\r\n',
    '-ERR no\r\n',
    ':12\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*1\r\n*2\r\n:1\r\n*0\r\n',
    '_\r\n',
  ),
  fc.constantFrom(
    '|1\r\n+a\r\n+b\r\n:1\r\n',
    '%1\r\n+a\r\n~1\r\n#t\r\n',
    '$?\r\n;3\r\nabc\r\n;0\r\n',
    ',1.5\r\n',
  ),
)
const exchange = fc.oneof(
  fc.tuple(word, value, reply).map(([key, text, answer]) => ({
    sent: `*3\r\n$3\r\nSET\r\n${latin1Bulk(key)}${latin1Bulk(text)}`,
    label: `SET ${key}`,
    reply: answer,
  })),
  fc.tuple(fc.array(word, { minLength: 1, maxLength: 12 }), reply).map(([keys, answer]) => ({
    sent: command('MGET', ...keys),
    label: `MGET ${keys[0]!}`,
    reply: answer,
  })),
  fc
    .tuple(word, reply)
    .map(([key, answer]) => ({ sent: `get ${key}\r\n`, label: `GET ${key}`, reply: answer })),
)
