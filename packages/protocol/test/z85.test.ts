import assert from 'node:assert/strict'
import fc from 'fast-check'
import { z85Decode, z85Encode } from '../src/z85.ts'

describe('Z85', () => {
  it('encodes the example of its specification', () => {
    const bytes = Uint8Array.from([0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b])
    assert.equal(z85Encode(bytes), 'HelloWorld')
    assert.deepEqual(z85Decode('HelloWorld'), bytes)
  })

  it('gives back any key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        assert.deepEqual(z85Decode(z85Encode(bytes)), bytes)
      }),
    )
  })

  it('refuses other text', () => {
    for (const text of ['abcd', 'abc~d', '#####', 'ab cd', 'äbcde']) assert.equal(z85Decode(text), null, text)
  })
})
