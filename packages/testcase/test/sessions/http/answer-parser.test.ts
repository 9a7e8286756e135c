import assert from 'node:assert/strict'
import fc from 'fast-check'
import { maxHeadBytes, maxHeaders } from '../../../src/sessions/http/answer-head.ts'
import { AnswerParser } from '../../../src/sessions/http/answer-parser.ts'
import { readBuffer } from '../../../src/sessions/http/read-buffer.ts'
import { makeAnswer, mutate, type Pick } from '../../helpers/answer-mutation.ts'
import { cut, readOurs, readUndici, type Reading } from '../../helpers/answers.ts'

const bytesOf = (text: string) => Buffer.from(text, 'latin1')
const eachByte = (bytes: Buffer) => cut(bytes, [...bytes.keys()])

/** Numbers from a list that fast-check can make smaller; 0 after its end. */
function pickFrom(numbers: readonly number[]): Pick {
  let next = 0
  return (below) => (numbers[next++] ?? 0) % Math.max(1, below)
}

/** Answers with the body in full are compared whole; what is refused need not be refused in the same words. */
function same(ours: Reading, other: Reading): boolean {
  if ('error' in ours || 'error' in other) return 'error' in ours && 'error' in other
  const { rest: _ours, ...ourAnswer } = ours
  const { rest: _others, ...otherAnswer } = other
  return JSON.stringify(ourAnswer) === JSON.stringify(otherAnswer)
}

/** The differences that are meant; see AnswerParser. */
function meant(text: string, ours: Reading, other: Reading): boolean {
  // With a tab beside it llhttp takes a last coding for none, and reads on where there are chunks for us.
  if (/^(?:content-length|transfer-encoding):[^\n]*\t/im.test(text)) return true
  if ('error' in ours) {
    if (/wrong extensions|switches protocols/.test(ours.error)) return true
    if (/its status line/.test(ours.error) && /HTTP\/1\.[01] \d{3}[^\r\n]*\r(?!\n)/.test(text)) return true
    return /(not with|its status line)/.test(ours.error) && /HTTP\/(?!1\.[01])/.test(text)
  }
  if (!('error' in other)) return false
  if (other.error === 'bad response') return /HTTP\/1\.[01] 100/.test(text)
  return /length does not match/.test(other.error) && (ours.status === 204 || ours.status === 304)
}

const ok = 'HTTP/1.1 200 OK\r\n'
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`
const two = 'Content-Length: 2\r\n\r\nok'

/** Answers that make good tests, and whether they are refused. */
const cases: Record<string, [text: string, refused?: true]> = {
  plain: [ok + two],
  'empty lines before it': [`\r\n\r\n${ok}${two}`],
  'no reason': [`HTTP/1.1 200\r\n${two}`],
  'an empty reason': [`HTTP/1.1 200 \r\n${two}`],
  'a reason of any bytes': [`HTTP/1.1 200 \x80\x01\xff\r\n${two}`],
  'HTTP/1.0': [`HTTP/1.0 200 OK\r\n${two}`],
  'a status of its own': [`HTTP/1.1 999 Own\r\n${two}`],
  'HTTP/1.2': [`HTTP/1.2 200 OK\r\n${two}`, true],
  'lower case': [`http/1.1 200 OK\r\n${two}`, true],
  'four digits': [`HTTP/1.1 2000 OK\r\n${two}`, true],
  'two digits': [`HTTP/1.1 20 OK\r\n${two}`, true],
  'status below 100': [`HTTP/1.1 099 OK\r\n${two}`, true],
  'two spaces': [`HTTP/1.1  200 OK\r\n${two}`, true],
  'another protocol': ['SSH-2.0-OpenSSH_9.0\r\n', true],
  'a page': ['<html>', true],
  nothing: ['', true],
  'half a head': [`${ok}X: `, true],
  'LF lines': ['HTTP/1.1 200 OK\nContent-Length: 2\n\nok', true],
  'LF after a header': [`${ok}X: y\n${two}`, true],
  'LF for the empty line': [`${ok}Content-Length: 2\r\n\nok`, true],
  'CR in a reason': [`HTTP/1.1 200 O\rK\r\n${two}`, true],
  'CR in a value': [`${ok}X: a\rb\r\n${two}`, true],
  'CR CR LF': [`${ok}X: a\r\r\n${two}`, true],
  'a folded line': [`${ok}X: a\r\n b\r\n${two}`, true],
  'a folded length': [`${ok}Content-Length: 2\r\n 3\r\n\r\nok`, true],
  'a space before the colon': [`${ok}X : a\r\n${two}`, true],
  'no name': [`${ok}: a\r\n${two}`, true],
  'no colon': [`${ok}X\r\n${two}`, true],
  'no value': [`${ok}X:\r\nY:  \r\n${two}`],
  'a control character': [`${ok}X: a\x01\r\n${two}`, true],
  'a NUL': [`${ok}X: a\0b\r\n${two}`, true],
  'a DEL': [`${ok}X: a\x7f\r\n${two}`, true],
  'high bytes': [`${ok}X: \xe9\xff\xa0\r\n${two}`],
  'two lengths': [`${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`, true],
  'one length twice': [`${ok}Content-Length: 2\r\n${two}`, true],
  'a list of lengths': [`${ok}Content-Length: 2, 2\r\n\r\nok`, true],
  'length +2': [`${ok}Content-Length: +2\r\n\r\nok`, true],
  'length -2': [`${ok}Content-Length: -2\r\n\r\nok`, true],
  'length 0x2': [`${ok}Content-Length: 0x2\r\n\r\nok`, true],
  'length 2 2': [`${ok}Content-Length: 2 2\r\n\r\nok`, true],
  'a tab after chunked': [`${ok}Transfer-Encoding: chunked\t\r\n\r\nno chunks`, true],
  'length 0002': [`${ok}Content-Length: 0002\r\n\r\nok`],
  'an empty length': [`${ok}Content-Length:\r\n\r\nok`, true],
  'a length beyond numbers': [`${ok}Content-Length: 99999999999999999999999\r\n\r\nok`, true],
  'length, then chunks': [
    `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    true,
  ],
  'chunks, then length': [
    `${ok}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    true,
  ],
  'too short': [`${ok}Content-Length: 5\r\n\r\nok`, true],
  'until the close': [`${ok}\r\nall of it`],
  chunks: [`${chunked}2\r\nok\r\n1\r\n!\r\n0\r\n\r\n`],
  'chunks of HTTP/1.0': [`HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  'another coding below': [`${ok}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  'another coding above': [`${ok}Transfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  'codings in two headers': [
    `${ok}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  ],
  'codings in two headers, turned': [
    `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  ],
  'xchunked is none': [`${ok}Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  'identity is none': [`${ok}Transfer-Encoding: identity\r\n\r\nok`],
  trailers: [`${chunked}2\r\nok\r\n0\r\nX: y\r\nZ: \r\n\r\n`],
  'a broken trailer': [`${chunked}2\r\nok\r\n0\r\nbad\r\n\r\n`, true],
  'a length as a trailer': [`${chunked}2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n`],
  'LF for the end of trailers': [`${chunked}2\r\nok\r\n0\r\n\n`, true],
  extensions: [`${chunked}2;a=b;c="d \\"e";f\r\nok\r\n0;z\r\n\r\n`],
  'an open quote': [`${chunked}2;a="b\r\nok\r\n0\r\n\r\n`, true],
  'a space after the size': [`${chunked}2 \r\nok\r\n0\r\n\r\n`, true],
  'a space before the size': [`${chunked} 2\r\nok\r\n0\r\n\r\n`, true],
  'a size with 0x': [`${chunked}0x2\r\nok\r\n0\r\n\r\n`, true],
  'no size': [`${chunked}\r\nok\r\n0\r\n\r\n`, true],
  'a size beyond numbers': [`${chunked}fffffffffffffffff\r\nok\r\n0\r\n\r\n`, true],
  'zeros before a size': [`${chunked}0000000000000000002\r\nok\r\n000\r\n\r\n`],
  'LF after a size': [`${chunked}2\nok\r\n0\r\n\r\n`, true],
  'LF after a chunk': [`${chunked}2\r\nok\n0\r\n\r\n`, true],
  'a chunk longer than its size': [`${chunked}1\r\nok\r\n0\r\n\r\n`, true],
  'no last chunk': [`${chunked}2\r\nok\r\n`, true],
  'early hints': [`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok}${two}`],
  'early hints with a length': [`HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n${ok}${two}`],
  'another protocol from here': [`HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`, true],
  'an upgrade that is none': [`${ok}Connection: upgrade\r\nUpgrade: x\r\n${two}`],
  'no content': ['HTTP/1.1 204 No Content\r\n\r\n'],
  'not modified, in chunks': ['HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'],
  'reset content': ['HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n'],
  'more than the answer': [`${ok}${two}HTTP/1.1 500 Error\r\n\r\n`],
}

describe('AnswerParser', () => {
  for (const [name, [text, refused]] of Object.entries(cases)) {
    it(`reads as undici does: ${name}`, async () => {
      const bytes = bytesOf(text)
      for (const isHead of [false, true]) {
        for (const pieces of [[bytes], eachByte(bytes)]) {
          const ours = readOurs(pieces, isHead)
          const other = await readUndici(pieces, isHead)
          if (!meant(text, ours, other))
            assert.deepEqual(same(ours, other), true, JSON.stringify({ ours, other }))
          if (!isHead) assert.equal('error' in ours, refused === true || other === null || 'error' in other)
        }
      }
    })
  }

  it('reads as undici does, whatever comes, split anywhere', async function () {
    this.timeout(120_000)
    const numbers = fc.array(fc.nat(), { minLength: 40, maxLength: 40 })
    const places = fc.array(fc.nat(), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(numbers, fc.boolean(), fc.boolean(), places, async (list, wounded, isHead, at) => {
        const pick = pickFrom(list)
        const whole = makeAnswer(pick)
        const text = wounded ? mutate(whole, pick) : whole
        const pieces = cut(bytesOf(text), at)
        const ours = readOurs(pieces, isHead)
        const other = await readUndici(pieces, isHead)
        if (meant(text, ours, other)) return
        assert.ok(same(ours, other), JSON.stringify({ text, ours, other }))
      }),
      { numRuns: 3000 },
    )
  })

  it('gives the same for every split, and never takes bytes of what follows', () => {
    const numbers = fc.array(fc.nat(), { minLength: 40, maxLength: 40 })
    const next = 'HTTP/1.1 299 Next\r\nContent-Length: 4\r\n\r\nnext'
    const parser = new AnswerParser()
    fc.assert(
      fc.property(numbers, fc.array(fc.nat(), { maxLength: 8 }), (list, at) => {
        const pick = pickFrom(list)
        const text = mutate(makeAnswer(pick), pick)
        const bytes = bytesOf(text)
        const whole = readOurs([bytes], false, 1000, parser)
        assert.deepEqual('error' in whole, 'error' in readOurs(cut(bytes, at), false, 1000, parser))
        if (!('error' in whole)) assert.deepEqual(readOurs(cut(bytes, at), false, 1000, parser), whole)
        const alone = readAlone(bytes)
        if (alone !== null) {
          const more = readOurs(cut(bytesOf(text + next), at), false, 1000, parser) as typeof alone
          assert.deepEqual(more, { ...alone, rest: alone.rest + next.length })
        }
        // What was before leaves no trace.
        const clean = readOurs([bytesOf(next)], false, 1000, parser)
        assert.deepEqual(clean, { status: 299, headers: [['content-length', '4']], body: 'next', rest: 0 })
      }),
      { numRuns: 5000 },
    )

    /** What is complete without the end of the connection. */
    function readAlone(bytes: Buffer) {
      parser.begin(false, 1000, null)
      try {
        bytes.copy(readBuffer)
        parser.feed(readBuffer, 0, bytes.length)
      } catch {
        return null
      }
      if (!parser.done) return null
      const reading = readOurs([bytes], false, 1000, parser)
      return 'error' in reading ? null : reading
    }
  })

  it('skips an unasked 100 Continue, and reads 204 and 304 without body whatever their length', () => {
    const after = readOurs([bytesOf(`HTTP/1.1 100 Continue\r\n\r\n${ok}${two}`)], false)
    assert.deepEqual(after, { status: 200, headers: [['content-length', '2']], body: 'ok', rest: 0 })
    for (const status of [204, 304]) {
      const none = readOurs([bytesOf(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\n`)], false)
      assert.deepEqual(none, { status, headers: [['content-length', '2']], body: '', rest: 0 })
    }
  })

  it('refuses HTTP/0.9 and 2.0, and chunk extensions without a name or a value', () => {
    for (const text of [
      `HTTP/0.9 200 OK\r\n${two}`,
      `HTTP/2.0 200 OK\r\n${two}`,
      `${chunked}2;\r\nok\r\n0\r\n\r\n`,
      `${chunked}2;a=\r\nok\r\n0\r\n\r\n`,
      `${chunked}2;=b\r\nok\r\n0\r\n\r\n`,
    ]) {
      assert.ok('error' in readOurs([bytesOf(text)], false), text)
    }
  })

  it('says what is wrong', () => {
    const wrong = (text: string) => (readOurs([bytesOf(text)], false) as { error: string }).error
    assert.match(wrong('SSH-2.0-OpenSSH\r\n'), /begins with "SSH-2.0-OpenSSH/)
    assert.match(wrong(`${ok}X : y\r\n\r\n`), /header "X : y/)
    assert.match(wrong(`${ok}Content-Length: two\r\n\r\n`), /Content-Length is " two/)
    assert.match(wrong(`${ok}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`), /two Content-Lengths/)
  })

  it('bounds what it keeps', () => {
    const endless = (line: string) => [ok, ...Array.from({ length: 3000 }, () => line)].map(bytesOf)
    const error = (pieces: Buffer[]) => (readOurs(pieces, false) as { error: string }).error
    assert.match(error(endless(`X: ${'x'.repeat(100)}\r\n`)), new RegExp(`longer than ${maxHeadBytes} bytes`))
    assert.match(error(endless('x'.repeat(100))), new RegExp(`longer than ${maxHeadBytes} bytes`))
    assert.match(error(endless('X: y\r\n')), new RegExp(`more than ${maxHeaders} headers`))
    const trailer = Array.from({ length: 3000 }, () => bytesOf(`X: ${'x'.repeat(100)}\r\n`))
    assert.match(error([bytesOf(`${chunked}0\r\n`), ...trailer]), /longer than/)
    const extension = Array.from({ length: 3000 }, () => bytesOf('x'.repeat(100)))
    assert.match(error([bytesOf(`${chunked}1;`), ...extension]), /extensions of a chunk are longer/)
    assert.match(error([bytesOf(chunked), bytesOf('0'.repeat(1000))]), /too large/)
    const large = (text: string) => (readOurs([bytesOf(text)], false, 10) as { error: string }).error
    assert.match(large(`${ok}Content-Length: 11\r\n\r\n`), /larger than 10 bytes/)
    assert.match(large(`${chunked}b\r\n`), /larger than 10 bytes/)
    assert.match(large(`${ok}\r\n12345678901`), /larger than 10 bytes/)
  })

  it('knows which connections may be used again', () => {
    const parser = new AnswerParser()
    const reusable = (text: string) => {
      assert.ok(!('error' in readOurs([bytesOf(text)], false, 1000, parser)))
      return parser.reusable
    }
    assert.equal(reusable(ok + two), true)
    assert.equal(reusable(`${ok}Connection: close\r\n${two}`), false)
    assert.equal(reusable(`${ok}Connection: x, Close\r\n${two}`), false)
    assert.equal(reusable(`HTTP/1.0 200 OK\r\n${two}`), false)
    assert.equal(reusable(`HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${two}`), true)
    assert.equal(reusable(`${chunked}0\r\n\r\n`), true)
    assert.equal(reusable(`${ok}\r\nuntil the close`), false)
  })

  it('reads large bodies and a million tiny pieces', () => {
    const body = 'x'.repeat(200_000)
    const bytes = bytesOf(`${ok}Content-Length: ${body.length}\r\n\r\n${body}`)
    const places = Array.from({ length: 20 }, (_, index) => index * 10_111)
    assert.equal((readOurs(cut(bytes, places), false) as { body: string }).body, body)
    const parser = new AnswerParser()
    parser.begin(false, 1e6, null)
    const head = bytesOf(chunked)
    head.copy(readBuffer)
    parser.feed(readBuffer, 0, head.length)
    const tiny = bytesOf('1\r\nx\r\n'.repeat(1000))
    for (let count = 0; count < 100; count++) {
      tiny.copy(readBuffer)
      assert.equal(parser.feed(readBuffer, 0, tiny.length), tiny.length)
    }
    const last = bytesOf('0\r\n\r\n')
    last.copy(readBuffer)
    parser.feed(readBuffer, 0, last.length)
    assert.equal(parser.done, true)
    assert.equal((parser.body as Buffer).length, 100_000)
  })
})
