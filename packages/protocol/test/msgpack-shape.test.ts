import assert from 'node:assert/strict'
import { decode, encode, ExtData } from '@msgpack/msgpack'
import fc from 'fast-check'
import { isWellFormed, maxDepth } from '../src/msgpack-shape.ts'

describe('isWellFormed', () => {
  it('accepts everything that an encoder makes of plain data', () => {
    fc.assert(
      fc.property(fc.object({ withNullPrototype: false, maxDepth: 5 }), (value) => {
        assert.equal(isWellFormed(encode(value, { ignoreUndefined: true })), true)
      }),
    )
    const sizes = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536]
    for (const size of sizes) {
      assert.equal(isWellFormed(encode('x'.repeat(size))), true, `string ${size}`)
      assert.equal(isWellFormed(encode(new Uint8Array(size))), true, `bytes ${size}`)
      assert.equal(isWellFormed(encode(Array(size).fill(0))), true, `array ${size}`)
      assert.equal(isWellFormed(encode(Object.fromEntries(Array(size).entries()), {})), true, `map ${size}`)
    }
    for (const number of [0, 127, 128, -32, -33, 2 ** 16, -(2 ** 16), 2 ** 32, 2 ** 53 - 1, -(2 ** 53), 0.5])
      assert.equal(isWellFormed(encode(number)), true, String(number))
  })

  it('refuses every prefix and every continuation of a value', () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 3 }), fc.nat(), (value, cut) => {
        const bytes = encode(value)
        assert.equal(isWellFormed(bytes.slice(0, cut % bytes.length)), false)
        assert.equal(isWellFormed(Uint8Array.of(...bytes, 0xc0)), false)
      }),
    )
  })

  it('agrees with the decoder: what it accepts can be decoded, but for keys', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        if (!isWellFormed(bytes)) return
        try {
          decode(bytes)
        } catch (error) {
          assert.match(String(error), /key/i)
        }
      }),
      { numRuns: 5_000 },
    )
  })

  it('refuses extension types and deep nesting', () => {
    for (const size of [1, 2, 4, 8, 16, 5, 300, 70_000])
      assert.equal(isWellFormed(encode(new ExtData(5, new Uint8Array(size)))), false)
    const nested = (depth: number) => Uint8Array.from([...Array(depth).fill(0x91), 0xc0])
    assert.equal(isWellFormed(nested(maxDepth)), true)
    assert.equal(isWellFormed(nested(maxDepth + 1)), false)
  })
})
