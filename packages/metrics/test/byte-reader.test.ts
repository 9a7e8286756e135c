import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ByteReader } from '../src/byte-reader.ts'
import { ByteWriter } from '../src/byte-writer.ts'
import { MetricsError } from '../src/errors.ts'

const wholes = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53),
)

function written(write: (writer: ByteWriter) => void): ByteReader {
  const writer = new ByteWriter()
  write(writer)
  return new ByteReader(writer.take())
}

describe('ByteReader', () => {
  it('reads what a ByteWriter wrote', () => {
    const anyNumber = fc
      .oneof(wholes, fc.integer(), fc.double({ noNaN: true }))
      .filter((each) => !Object.is(each, -0))
    fc.assert(
      fc.property(
        wholes,
        anyNumber,
        fc.string({ unit: 'grapheme' }),
        fc.nat({ max: 255 }),
        (whole, number, text, byte) => {
          const reader = written((writer) => {
            writer.varint(whole)
            writer.number(number)
            writer.text(text)
            writer.byte(byte)
          })
          assert.deepEqual(
            [reader.varint(), reader.number(), reader.text(), reader.byte()],
            [whole, number, text, byte],
          )
          assert.ok(reader.isAtEnd)
        },
      ),
    )
  })

  it('reads long messages and starts anew after take', () => {
    const writer = new ByteWriter()
    const text = 'é'.repeat(100_000)
    writer.text(text)
    assert.equal(new ByteReader(writer.take()).text(), text)
    writer.byte(7)
    assert.deepEqual(writer.take(), new Uint8Array([7]))
  })

  const refused: [string, number[], (reader: ByteReader) => unknown][] = [
    ['the end of a byte', [], (reader) => reader.byte()],
    ['an unfinished number', [0x80], (reader) => reader.varint()],
    ['an endless number', Array.from({ length: 20 }, () => 0xff), (reader) => reader.varint()],
    ['a number above 2^53', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], (reader) => reader.varint()],
    ['a cut double', [0, 1, 2, 3], (reader) => reader.number()],
    ['NaN', [0, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], (reader) => reader.number()],
    ['a fraction as a count', [0, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], (reader) => reader.count()],
    ['a text longer than the message', [5, 65], (reader) => reader.text()],
    ['a text that is not UTF-8', [1, 0xff], (reader) => reader.text()],
    ['a size beyond the message', [200, 1, 0], (reader) => reader.size()],
  ]
  for (const [what, bytes, read] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => read(new ByteReader(new Uint8Array(bytes))),
        (error) => {
          assert.ok(error instanceof MetricsError)
          assert.equal(error.code, 'METRICS_BAD_DELTA')
          assert.match(error.message, /same version/)
          return true
        },
      )
    })
  }
})
