import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import fc from 'fast-check'
import { Client } from 'undici'
import { http } from '../../src/protocols/http.ts'
import { play } from '../support/recording-talk.ts'

/** A request or reply as a parser saw it: `GET /a`, `200`. */
interface Seen {
  what: string
  body: string
}

/** Cuts a message that was framed already: its start line, and its body without chunks. */
function seen(message: string, what: (line: string) => string): Seen {
  const text = message.replace(/^(\r\n)+/, '')
  const end = text.indexOf('\r\n\r\n')
  const head = text.slice(0, end)
  let rest = text.slice(end + 4)
  let body = rest
  if (/\r\ntransfer-encoding:/i.test(head)) {
    body = ''
    for (;;) {
      const line = rest.slice(0, rest.indexOf('\r\n'))
      const size = Number.parseInt(line, 16)
      if (size === 0) break
      body += rest.slice(line.length + 2, line.length + 2 + size)
      rest = rest.slice(line.length + 4 + size)
    }
  }
  return { what: what(head.split('\r\n')[0]!), body }
}

async function byNode(bytes: string): Promise<{ seen: Seen[]; failed: boolean }> {
  const found: Seen[] = []
  let failed = false
  const server = createServer({ keepAliveTimeout: 50 }, (message, response) => {
    let body = ''
    message.setEncoding('latin1')
    message.on('data', (piece: string) => (body += piece))
    message.on('end', () => {
      found.push({ what: `${message.method} ${message.url}`, body })
      response.end()
    })
  })
  server.on('clientError', (_error, socket) => {
    failed = true
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.end(Buffer.from(bytes, 'latin1'))
  await once(socket, 'close')
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  return { seen: found, failed }
}

async function byUndici(bytes: string, requests: number): Promise<{ seen: Seen[]; failed: boolean }> {
  let isAgain = false
  const server = createTcpServer((socket) => {
    let asked = ''
    // What it asks again after a reply that it did not like gets no other one.
    if (isAgain) void client.destroy().then(() => socket.destroy())
    isAgain = true
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      asked += piece.toString('latin1')
      if (asked.split('\r\n\r\n').length > requests) socket.end(Buffer.from(bytes, 'latin1'))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    pipelining: requests,
  })
  const found: (Seen | null)[] = await Promise.all(
    Array.from({ length: requests }, async (_, at) => {
      try {
        const { statusCode, body } = await client.request({ method: 'GET', path: `/${at}` })
        return { what: String(statusCode), body: Buffer.from(await body.arrayBuffer()).toString('latin1') }
      } catch {
        return null
      }
    }),
  )
  await client.destroy()
  server.close()
  await once(server, 'close')
  const firstFailed = found.indexOf(null)
  return {
    seen: found.slice(0, firstFailed < 0 ? undefined : firstFailed) as Seen[],
    failed: firstFailed >= 0,
  }
}

const field = fc.constantFrom(
  'X-A: b',
  'x-empty:',
  'Accept: */*',
  'X-Long: ' + 'y'.repeat(300),
  'X-Tab:\ta\t',
)
const odd = fc.constantFrom(
  'X-A : b',
  ' folded: x',
  'X: a\rb',
  'Content-Length: 1',
  'Transfer-Encoding: gzip',
  'no colon',
  'X: \0',
)
const body = fc.string({ maxLength: 40 }).map((text) => Buffer.from(text).toString('latin1'))
const chunked = fc
  .tuple(
    fc.array(body, { maxLength: 4 }),
    fc.constantFrom('', ';ext', ';a=b', ';q="x y"'),
    fc.constantFrom('', 'T: 1\r\n'),
  )
  .map(([parts, extension, trailer]) => {
    const chunks = parts
      .filter((part) => part !== '')
      .map((part) => `${part.length.toString(16)}${extension}\r\n${part}\r\n`)
    return ['Transfer-Encoding: chunked', `${chunks.join('')}0\r\n${trailer}\r\n`] as const
  })
const lengthy = body.map((text) => [`Content-Length: ${text.length}`, text] as const)
const wrong = fc.constantFrom(
  ['Transfer-Encoding: chunked', '5\nhello\r\n0\r\n\r\n'] as const,
  ['Transfer-Encoding: chunked', 'zz\r\nhello\r\n0\r\n\r\n'] as const,
  ['Transfer-Encoding: chunked', '3\r\nhello\r\n0\r\n\r\n'] as const,
  ['Content-Length: -1', ''] as const,
)

function messages(line: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(
      line,
      fc.array(field, { maxLength: 3 }),
      fc.oneof({ weight: 10, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: odd }),
      fc.oneof(
        { weight: 4, arbitrary: lengthy },
        { weight: 4, arbitrary: chunked },
        { weight: 1, arbitrary: wrong },
      ),
    )
    .map(([start, fields, strange, [framing, content]]) =>
      [start, ...fields, ...(strange === null ? [] : [strange]), framing, '', content].join('\r\n'),
    )
}

describe('HTTP framing beside other parsers', () => {
  it('sees the requests that node:http sees, whatever is among them', async () => {
    let compared = 0
    const line = fc
      .tuple(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), fc.constantFrom('/', '/a?b=c', '/x/%20'))
      .map(([method, path]) => `${method} ${path} HTTP/1.1\r\nHost: x`)
    await fc.assert(
      fc.asyncProperty(
        fc.array(messages(line), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        async (requests, cut) => {
          const bytes = requests.join('')
          const talk = play(http, [['client', bytes]], { cut })
          const ours = talk.requests
            .filter(({ ended }) => ended)
            .map((told) =>
              seen(told.bytes.toString('latin1'), (start) => start.split(' ').slice(0, 2).join(' ')),
            )
          const theirs = await byNode(bytes)
          // Who stops first stops; as far as both went they saw the same.
          const both = Math.min(ours.length, theirs.seen.length)
          compared += both
          assert.deepEqual(ours.slice(0, both), theirs.seen.slice(0, both))
          if (talk.opaqueReason === null && !theirs.failed) assert.equal(ours.length, theirs.seen.length)
          if (talk.opaqueReason === null && theirs.failed) assert.ok(ours.length >= theirs.seen.length)
        },
      ),
      { numRuns: 150 },
    )
    assert.ok(compared > 100, `${compared}`)
  })

  it('sees the replies that undici sees, whatever is among them', async () => {
    let compared = 0
    const line = fc
      .constantFrom('HTTP/1.1 200 OK', 'HTTP/1.1 404', 'HTTP/1.1 500 In many words')
      .map((start) => `${start}\r\nConnection: keep-alive`)
    await fc.assert(
      fc.asyncProperty(
        fc.array(messages(line), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        async (replies, cut) => {
          const bytes = replies.join('')
          const asked = replies.map((_, at) => `GET /${at} HTTP/1.1\r\nHost: x\r\n\r\n`).join('')
          const talk = play(
            http,
            [
              ['client', asked],
              ['backend', bytes],
            ],
            { cut },
          )
          const ours = talk.replies
            .filter(({ ended }) => ended)
            .map((told) => seen(told.bytes.toString('latin1'), (start) => start.split(' ')[1]!))
          const theirs = await byUndici(bytes, replies.length)
          const both = Math.min(ours.length, theirs.seen.length)
          compared += both
          assert.deepEqual(ours.slice(0, both), theirs.seen.slice(0, both))
          if (talk.opaqueReason === null && !theirs.failed) assert.equal(ours.length, theirs.seen.length)
        },
      ),
      { numRuns: 80 },
    )
    assert.ok(compared > 50, `${compared}`)
  })
})
