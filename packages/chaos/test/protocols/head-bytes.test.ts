import assert from 'node:assert/strict'

import fc from 'fast-check'

import { HeadBytes } from '../../src/protocols/head-bytes.ts'

describe('HeadBytes', () => {
  it('holds what it was given, whatever becomes of the bytes that were lent', () => {
    const step = fc.record({ bytes: fc.uint8Array({ maxLength: 300 }), eaten: fc.nat(600) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const held = new HeadBytes()
        let expected = Buffer.alloc(0)
        for (const { bytes, eaten } of steps) {
          const lent = Buffer.from(bytes)
          expected = Buffer.concat([expected, lent])
          const all = held.join(lent)
          assert.deepEqual(Buffer.from(all), expected)
          held.keep(all.subarray(eaten))
          expected = expected.subarray(eaten)
          lent.fill(0xee)
          assert.equal(held.length, expected.length)
        }
        assert.deepEqual(held.take() ?? Buffer.alloc(0), expected)
        assert.equal(held.take(), null)
      }),
      { numRuns: 1000 },
    )
  })

  it('does not write over what it gave', () => {
    const held = new HeadBytes()
    held.add(Buffer.from('the first half '))
    const all = held.join(Buffer.from('and the second, then more'))
    const told = all.subarray(0, 29)
    held.keep(all.subarray(29))
    held.add(Buffer.from('!'))
    assert.equal(told.toString(), 'the first half and the second')
    assert.equal(held.take()!.toString(), ', then more!')
  })
})
