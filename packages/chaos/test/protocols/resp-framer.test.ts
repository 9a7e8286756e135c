import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

import fc from 'fast-check'

import { RespFramer } from '../../src/protocols/resp-framer.ts'

describe('RespFramer', () => {
  it('finds the ends of values of RESP2 where redis-parser finds them', () => {
    fc.assert(
      fc.property(fc.array(resp2, { minLength: 1, maxLength: 6 }), pieces, (values, cut) => {
        const bytes = Buffer.from(values.join(''), 'latin1')
        const framed = endsOf(bytes, cut)
        assert.deepEqual(framed, endsByParser(bytes))
        assert.equal(framed.at(-1), bytes.length)
      }),
      { numRuns: 500 },
    )
  })

  it('finds the ends of values of RESP3, however they are split', () => {
    fc.assert(
      fc.property(fc.array(resp3, { minLength: 1, maxLength: 6 }), pieces, (values, cut) => {
        let end = 0
        const ends = values.map((value) => (end += value.length))
        assert.deepEqual(endsOf(Buffer.from(values.join(''), 'latin1'), cut), ends)
      }),
      { numRuns: 1000 },
    )
  })

  it('knows the type and the first word, however they are split', () => {
    const samples: [string, string, string][] = [
      ['*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n', '*', 'message'],
      ['|1\r\n+ttl\r\n:3600\r\n>2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n', '>', 'invalidate'],
      ['*2\r\n|1\r\n$1\r\na\r\n:1\r\n$9\r\nsubscribe\r\n:1\r\n', '*', 'subscribe'],
      ['+OK\r\n', '+', 'OK'],
      ['+A B\r\n', '+', 'A B'],
      ['*2\r\n:1\r\n$7\r\nmessage\r\n', '*', ''],
      ['*1\r\n*1\r\n$7\r\nmessage\r\n', '*', ''],
      ['*0\r\n', '*', ''],
      ['$2\r\nOK\r\n', '$', ''],
      ['>1\r\n$20\r\nabcdefghijklmnopqrst\r\n', '>', 'abcdefghijklmnop'],
    ]
    for (const [value, type, word] of samples)
      for (let at = 1; at < value.length; at++) {
        const framer = new RespFramer()
        framer.start(true)
        assert.equal(framer.scan(Buffer.from(value.slice(0, at)), 0), at)
        assert.equal(framer.scan(Buffer.from(value.slice(at)), 0), value.length - at)
        assert.deepEqual(
          [String.fromCharCode(framer.type), framer.word, framer.isKnown, framer.isDone],
          [type, word, true, true],
          value,
        )
      }
  })

  it('keeps nothing of a string of 300 MB', () => {
    const framer = new RespFramer()
    framer.start()
    const piece = Buffer.alloc(1 << 20, 'x')
    const before = process.memoryUsage().rss
    framer.scan(Buffer.from(`$${300 * piece.length}\r\n`), 0)
    for (let times = 0; times < 300; times++) assert.equal(framer.scan(piece, 0), piece.length)
    assert.equal(framer.isDone, false)
    assert.equal(framer.scan(Buffer.from('\r\n+OK\r\n'), 0), 2)
    assert.equal(framer.isDone, true)
    assert.ok(process.memoryUsage().rss - before < 50e6)
  })

  it('refuses what is no RESP', () => {
    for (const bytes of [
      'HTTP/1.1 200 OK\r\n',
      '$x\r\n',
      '$\r\n',
      '$3\r\nabcd\r\n',
      '$3\r\nabc\rx',
      '*1\n',
      '.\r\n',
      ';1\r\na\r\n',
      '*1\r\n.\r\n',
      '$?\r\n+a\r\n',
      '*--1\r\n',
      '*1-\r\n',
      '$9999999999999999\r\n',
      '*1\r\n'.repeat(1001),
    ]) {
      const framer = new RespFramer()
      framer.start()
      assert.equal(framer.scan(Buffer.from(bytes), 0), -1, bytes)
    }
  })

  it('survives any bytes', () => {
    const letters = fc.constantFrom(...'+-:$*~>%|;.?_#,(!=0123456789\r\nax'.split(''))
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 60 }), (text) => {
        const framer = new RespFramer()
        framer.start(true)
        const end = framer.scan(Buffer.from(text), 0)
        assert.ok(end === -1 || (end >= 0 && end <= text.length))
        assert.ok(end === -1 || framer.isDone || end === text.length)
      }),
      { numRuns: 5000 },
    )
  })
})

/** The parser of ioredis; it has no types. */
const Parser = createRequire(import.meta.url)('redis-parser') as new (told: {
  returnReply: () => void
  returnError: () => void
  returnFatalError: (error: Error) => void
}) => { execute: (bytes: Buffer) => void }

/** Lengths of the pieces in which bytes arrive. */
const pieces = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 })

const line = fc.stringMatching(/^[a-zA-Z 0-9]{0,12}$/)
const bulk = fc
  .uint8Array({ maxLength: 30 })
  .map((bytes) => `$${bytes.length}\r\n${Buffer.from(bytes).toString('latin1')}\r\n`)

const { resp2 } = fc.letrec<{ resp2: string }>((tie) => ({
  resp2: fc.oneof(
    { maxDepth: 4 },
    line.map((text) => `+${text}\r\n`),
    line.map((text) => `-${text}\r\n`),
    fc.integer().map((number) => `:${number}\r\n`),
    bulk,
    fc.constantFrom('$-1\r\n', '*-1\r\n', '*0\r\n'),
    fc.array(tie('resp2'), { maxLength: 4 }).map((all) => `*${all.length}\r\n${all.join('')}`),
  ),
}))

const { resp3 } = fc.letrec<{ resp3: string; plain: string; attributes: string }>((tie) => ({
  resp3: fc.oneof(
    { weight: 5, arbitrary: tie('plain') },
    fc.tuple(tie('attributes'), tie('plain')).map(joined),
  ),
  attributes: fc.oneof(
    fc
      .array(fc.tuple(tie('plain'), tie('resp3')), { maxLength: 2 })
      .map((all) => `|${all.length}\r\n${all.flat().join('')}`),
    fc.tuple(tie('plain'), tie('plain')).map((pair) => `|?\r\n${joined(pair)}.\r\n`),
  ),
  plain: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    resp2,
    fc.constantFrom(
      '_\r\n',
      '#t\r\n',
      '#f\r\n',
      ',1.5\r\n',
      ',inf\r\n',
      '(349238409283409283409283\r\n',
      ':+7\r\n',
    ),
    line.map((text) => `!${text.length}\r\n${text}\r\n`),
    line.map((text) => `=${text.length + 4}\r\ntxt:${text}\r\n`),
    fc
      .array(fc.stringMatching(/^[a-z\r\n]{1,9}$/), { maxLength: 4 })
      .map((all) => `$?\r\n${all.map((text) => `;${text.length}\r\n${text}\r\n`).join('')};0\r\n`),
    fc
      .tuple(fc.constantFrom('*', '~', '>'), fc.array(tie('resp3'), { maxLength: 3 }))
      .map(([type, all]) => `${type}${all.length}\r\n${all.join('')}`),
    fc
      .tuple(fc.constantFrom('*', '~'), fc.array(tie('resp3'), { maxLength: 3 }))
      .map(([type, all]) => `${type}?\r\n${all.join('')}.\r\n`),
    fc
      .array(fc.tuple(tie('resp3'), tie('resp3')), { maxLength: 2 })
      .map((all) => `%${all.length}\r\n${all.flat().join('')}`),
    fc
      .array(fc.tuple(tie('resp3'), tie('resp3')), { maxLength: 2 })
      .map((all) => `%?\r\n${all.flat().join('')}.\r\n`),
  ),
}))

function joined(parts: readonly string[]): string {
  return parts.join('')
}

/** Offsets behind the values, read in pieces. */
function endsOf(bytes: Buffer, cut: readonly number[]): number[] {
  const framer = new RespFramer()
  const ends: number[] = []
  framer.start()
  let turn = 0
  for (let from = 0; from < bytes.length;) {
    const piece = bytes.subarray(from, from + cut[turn++ % cut.length]!)
    for (let at = 0; at < piece.length;) {
      at = framer.scan(piece, at)
      assert.notEqual(at, -1)
      if (!framer.isDone) continue
      ends.push(from + at)
      framer.start()
    }
    from += piece.length
  }
  return ends
}

/** Offsets behind the values: the bytes with which the parser of the client returns one more. */
function endsByParser(bytes: Buffer): number[] {
  const ends: number[] = []
  let at = 0
  const told = (): void => void ends.push(at)
  const parser = new Parser({ returnReply: told, returnError: told, returnFatalError: assert.ifError })
  while (at < bytes.length) parser.execute(bytes.subarray(at, ++at))
  return ends
}
