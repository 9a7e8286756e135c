import assert from 'node:assert/strict'
import fc from 'fast-check'
import { http } from '../../src/protocols/http.ts'
import { play, type RecordingTalk, type Sent } from '../support/recording-talk.ts'

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
const ok = (body: string, more = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`

function told(talk: RecordingTalk): unknown {
  return {
    requests: talk.requests.map(({ head, bytes, ended }) => [head.label, bytes.toString('latin1'), ended]),
    replies: talk.replies.map(({ to, bytes, ended }) => [to?.label ?? null, bytes.toString('latin1'), ended]),
    opaque: talk.opaqueReason,
  }
}

/** Conversations of which each message is one text: [requests, replies], and what else passes. */
interface Case {
  name: string
  steps: Sent[]
  requests: string[]
  replies: (readonly [string | null, string])[]
  opaque?: RegExp
}

const chunked = 'Transfer-Encoding: chunked\r\n'
const chunks = '5\r\nhello\r\nA;x="y"\r\n0123456789\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\n'
const post = (more: string, body: string): string => `POST /p HTTP/1.1\r\n${more}\r\n${body}`

const cases: Case[] = [
  {
    name: 'lengths, pipelined',
    steps: [
      ['client', get('/1') + post('Content-Length: 3\r\n', 'abc') + get('/2')],
      ['backend', ok('one') + ok('') + ok('two')],
    ],
    requests: [get('/1'), post('Content-Length: 3\r\n', 'abc'), get('/2')],
    replies: [
      ['GET /1', ok('one')],
      ['POST /p', ok('')],
      ['GET /2', ok('two')],
    ],
  },
  {
    name: 'chunks with extensions and trailers, both ways',
    steps: [
      ['client', post(chunked, chunks) + get('/2')],
      ['backend', `HTTP/1.1 200 OK\r\n${chunked}\r\n${chunks}${ok('x')}`],
    ],
    requests: [post(chunked, chunks), get('/2')],
    replies: [
      ['POST /p', `HTTP/1.1 200 OK\r\n${chunked}\r\n${chunks}`],
      ['GET /2', ok('x')],
    ],
  },
  {
    name: 'replies without a body: HEAD, 204, 304',
    steps: [
      ['client', get('/h').replace('GET', 'HEAD') + get('/204') + get('/304') + get('/x')],
      ['backend', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n'],
      ['backend', 'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
      ['backend', ok('x')],
    ],
    requests: [get('/h').replace('GET', 'HEAD'), get('/204'), get('/304'), get('/x')],
    replies: [
      ['HEAD /h', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n'],
      ['GET /204', 'HTTP/1.1 204 No Content\r\n\r\n'],
      ['GET /304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
      ['GET /x', ok('x')],
    ],
  },
  {
    name: 'interim replies: 100 and 103 are nobody’s, the final one is the answer',
    steps: [
      ['client', post('Expect: 100-continue\r\nContent-Length: 2\r\n', '')],
      ['backend', 'HTTP/1.1 100 Continue\r\n\r\n'],
      ['client', 'ab'],
      ['backend', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('done')}`],
    ],
    requests: [post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'ab')],
    replies: [
      [null, 'HTTP/1.1 100 Continue\r\n\r\n'],
      [null, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
      ['POST /p', ok('done')],
    ],
  },
  {
    name: 'an upgrade that is granted',
    steps: [
      ['client', get('/ws', 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n')],
      ['client', '\x81\x85early'],
      ['backend', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01a'],
      ['client', '\x81\x01b'],
    ],
    requests: [get('/ws', 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n')],
    replies: [['GET /ws', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n']],
    opaque: /upgrade to websocket/,
  },
  {
    name: 'an upgrade that is not granted, with the next request behind it',
    steps: [
      ['client', get('/1', 'Connection: Upgrade\r\nUpgrade: h2c\r\n') + get('/2')],
      ['backend', ok('one')],
      ['backend', ok('two')],
    ],
    requests: [get('/1', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'), get('/2')],
    replies: [
      ['GET /1', ok('one')],
      ['GET /2', ok('two')],
    ],
  },
  {
    name: 'CONNECT: a tunnel, also for bytes that did not wait',
    steps: [
      ['client', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n\x16\x03\x01hello'],
      ['backend', 'HTTP/1.1 200 Connection established\r\n\r\n\x16\x03'],
      ['client', 'GET / HTTP/1.1\r\n\r\n'],
    ],
    requests: ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
    replies: [['CONNECT a:443', 'HTTP/1.1 200 Connection established\r\n\r\n']],
    opaque: /tunnel/,
  },
  {
    name: 'CONNECT that is refused',
    steps: [
      ['client', `CONNECT a:443 HTTP/1.1\r\n\r\n${get('/2')}`],
      ['backend', `HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno`],
      ['backend', ok('two')],
    ],
    requests: ['CONNECT a:443 HTTP/1.1\r\n\r\n', get('/2')],
    replies: [
      ['CONNECT a:443', 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'],
      ['GET /2', ok('two')],
    ],
  },
  {
    name: 'empty lines before a request',
    steps: [['client', `${get('/1')}\r\n${get('/2')}`]],
    requests: [get('/1'), `\r\n${get('/2')}`],
    replies: [],
  },
  {
    name: 'a reply that nobody asked for',
    steps: [['backend', 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n']],
    requests: [],
    replies: [[null, 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n']],
  },
]

describe('HTTP dialogue', () => {
  for (const { name, steps, requests, replies, opaque } of cases)
    it(`${name}; split anywhere`, () => {
      const check = (cut: readonly number[]): void => {
        const talk = play(http, steps, { cut })
        assert.deepEqual(
          talk.requests.map(({ bytes }) => bytes.toString('latin1')),
          requests,
        )
        assert.deepEqual(
          talk.replies.map(({ to, bytes }) => [to?.label ?? null, bytes.toString('latin1')]),
          replies,
        )
        assert.ok([...talk.requests, ...talk.replies].every(({ ended }) => ended))
        if (opaque === undefined) assert.equal(talk.opaqueReason, null)
        else assert.match(talk.opaqueReason!, opaque)
        for (const [who, all] of [
          ['client', talk.clientBytes],
          ['backend', talk.backendBytes],
        ] as const) {
          const sent = steps.filter(([from]) => from === who).map(([, bytes]) => bytes)
          assert.equal(all.toString('latin1'), sent.join(''))
        }
      }
      check([])
      check([1])
      fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), check), {
        numRuns: 100,
      })
    })

  it('a reply until the end of the stream', () => {
    const talk = play(http, [
      ['client', get('/')],
      ['backend', 'HTTP/1.1 200 OK\r\n\r\nall of\r\n\r\nthis'],
    ])
    assert.equal(talk.replies[0]!.bytes.toString(), 'HTTP/1.1 200 OK\r\n\r\nall of\r\n\r\nthis')
    assert.ok(!talk.replies[0]!.ended)
  })

  const opaque: [string, string, RegExp][] = [
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /HTTP\/2/],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /does not begin as HTTP/],
    ['another protocol', 'get key\r\n', /does not begin as HTTP/],
    ['HTTP/0.9', 'GET /\r\n', /does not begin as HTTP/],
    ['two lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'), /two lengths/],
    ['a list of lengths', post('Content-Length: 3, 4\r\n', 'abcd'), /length that is no number/],
    ['a length with a sign', post('Content-Length: +3\r\n', 'abc'), /length that is no number/],
    ['a length and chunks', post(`Content-Length: 3\r\n${chunked}`, chunks), /length and a transfer/],
    ['chunks of another name', post('Transfer-Encoding: xchunked\r\n', 'abc'), /without chunks/],
    ['chunks that are not last', post('Transfer-Encoding: chunked, gzip\r\n', 'abc'), /within another/],
    ['two transfer encodings', post(chunked + chunked, chunks), /two transfer/],
    ['space before a colon', post('Content-Length : 3\r\n', 'abc'), /name of a field/],
    ['a continued line', post('X: 1\r\n Content-Length: 3\r\n', 'abc'), /line ends/],
    ['bare line feeds', 'GET / HTTP/1.1\r\nA: b\nContent-Length: 3\r\n\r\n', /line ends/],
    ['a bare CR', 'GET / HTTP/1.1\r\nA: b\rContent-Length: 3\r\n\r\n', /line ends/],
    ['a line without a colon', 'GET / HTTP/1.1\r\nnothing\r\n\r\n', /without a name/],
    ['a chunk without a size', post(chunked, '\r\nabc\r\n0\r\n\r\n'), /chunk without a size/],
    ['a chunk longer than its size', post(chunked, '3\r\nabcd\r\n0\r\n\r\n'), /longer than it says/],
    ['a chunk line with a bare LF', post(chunked, '3\nabc\r\n0\r\n\r\n'), /no number/],
    ['an extension with a bare LF', post(chunked, '3;a\nabc\r\n0\r\n\r\n'), /another way/],
    ['a huge chunk', post(chunked, 'ffffffffffffffff\r\n'), /too long/],
    ['a head of 70 KB', get('/', `X: ${'x'.repeat(70_000)}\r\n`), /too long/],
    ['trailers of 70 KB', post(chunked, `0\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`), /too much between/],
  ]
  for (const [name, bytes, reason] of opaque)
    it(`${name}: never guessed, and every byte passes`, () => {
      for (const cut of [[], [1], [7, 1000]]) {
        const talk = play(
          http,
          [
            ['client', get('/first') + bytes],
            ['client', 'more'],
            ['backend', ok('first')],
          ],
          { cut },
        )
        assert.match(talk.opaqueReason!, reason)
        assert.equal(talk.clientBytes.toString('latin1'), `${get('/first') + bytes}more`)
        assert.equal(talk.backendBytes.toString('latin1'), ok('first'))
        assert.ok(talk.requests[0]!.ended)
      }
    })

  it('does not wait for the end of a head whose lines end by LF alone', () => {
    const request = 'GET / HTTP/1.1\r\nHost: x\n\n'
    const reply = 'HTTP/1.1 200 OK\r\nContent-Length: 2\n\nhi'
    for (const cut of [[], [1], [7, 1000]]) {
      assert.match(play(http, [['client', request]], { cut }).opaqueReason ?? '', /line ends/)
      const talk = play(
        http,
        [
          ['client', get('/')],
          ['backend', reply],
        ],
        { cut },
      )
      assert.match(talk.opaqueReason ?? '', /line ends/)
      assert.equal(talk.backendBytes.toString(), reply)
    }
  })

  it('takes several empty lines before a request for a part of it', () => {
    const request = `\r\n\r\n\r\n${get('/')}`
    for (const cut of [[], [1], [3]]) {
      const { opaqueReason, requests } = play(http, [['client', request + request]], { cut })
      assert.equal(opaqueReason, null)
      assert.deepEqual(
        requests.map(({ bytes }) => bytes.toString()),
        [request, request],
      )
    }
  })

  it('what the backend sends and is no HTTP', () => {
    for (const cut of [[], [1]])
      for (const sent of [
        'SSH-2.0-OpenSSH\r\n',
        'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
        'HTTP/1.1 99 x\r\n\r\n',
      ]) {
        const talk = play(
          http,
          [
            ['client', get('/')],
            ['backend', sent],
            ['client', 'x'],
          ],
          { cut },
        )
        assert.match(talk.opaqueReason!, /^from the backend/)
        assert.equal(talk.backendBytes.toString('latin1'), sent)
        assert.equal(talk.clientBytes.toString('latin1'), `${get('/')}x`)
      }
  })

  it('labels have no query, and matches see what there is', () => {
    const talk = play(http, [
      ['client', get('/a/b?token=secret', 'X-Test: one\r\nx-test: two\r\n')],
      ['client', 'OPTIONS * HTTP/1.1\r\n\r\n'],
      ['client', 'GET http://example.com/abs?x HTTP/1.1\r\n\r\n'],
      ['client', `GET /${'x'.repeat(300)} HTTP/1.0\r\n\r\n`],
    ])
    const [first, second, third, fourth] = talk.requests.map(({ head }) => head)
    assert.equal(first!.label, 'GET /a/b')
    assert.equal(first!.verb, 'GET')
    assert.equal(first!.path, '/a/b')
    assert.equal(first!.text, 'GET /a/b?token=secret HTTP/1.1')
    assert.equal(first!.header('x-test'), 'one, two')
    assert.equal(first!.header('x-other'), undefined)
    assert.equal(second!.path, '*')
    assert.equal(third!.path, '/abs')
    assert.equal(fourth!.label.length, 200)
    assert.equal(fourth!.detail['keepAlive'], false)
  })

  it('any bytes split anywhere: the same messages, every byte once', () => {
    const piece = fc.constantFrom(
      get('/a'),
      get('/b', 'Connection: Upgrade\r\nUpgrade: x\r\n'),
      post('Content-Length: 5\r\n', 'hello'),
      post(chunked, chunks),
      '\r\n',
      'GET / HTTP/1.1\r\n',
      '\x16\x03',
      '5\r\n',
    )
    const reply = fc.constantFrom(
      ok('a'),
      ok('longer body'),
      'HTTP/1.1 100 Continue\r\n\r\n',
      `HTTP/1.1 500 No\r\n${chunked}\r\n${chunks}`,
      'HTTP/1.1 204 None\r\n\r\n',
      'HTTP/1.1 101 Go\r\n\r\n',
      'garbage',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        fc.array(reply, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (requests, replies, cut) => {
          const steps: Sent[] = [
            ['client', requests.join('')],
            ['backend', replies.join('')],
          ]
          const whole = play(http, steps)
          const split = play(http, steps, { cut })
          assert.deepEqual(told(split), told(whole))
          // What is kept is the start of a head, or waits for the grant of a tunnel.
          for (const talk of [whole, split]) {
            assert.ok(requests.join('').startsWith(talk.clientBytes.toString('latin1')))
            assert.ok(replies.join('').startsWith(talk.backendBytes.toString('latin1')))
            if (talk.opaqueReason === null) continue
            assert.equal(talk.clientBytes.length, requests.join('').length)
            assert.equal(talk.backendBytes.length, replies.join('').length)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
