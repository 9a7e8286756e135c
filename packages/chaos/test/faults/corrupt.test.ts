import assert from 'node:assert/strict'
import fc from 'fast-check'
import { randomOf } from '../../src/random.ts'
import { atWork, ruleOf } from '../support/fake-flow.ts'

function flippedBits(before: Buffer, after: Buffer): { offset: number; bits: number }[] {
  assert.equal(after.length, before.length)
  const found: { offset: number; bits: number }[] = []
  for (const [offset, byte] of before.entries()) {
    const bits = (byte ^ after[offset]!).toString(2).replaceAll('0', '').length
    if (bits > 0) found.push({ offset, bits })
  }
  return found
}

describe('corrupt', () => {
  it('flips one bit of the byte at an offset, and tells which', () => {
    const stage = atWork('corrupt', { offset: 5 })
    const sent = Buffer.from('abcdefghij')
    stage.send(sent.subarray(0, 4))
    assert.equal(stage.flow.told, null)
    stage.send(sent.subarray(4))
    assert.deepEqual(flippedBits(sent, stage.flow.bytes), [{ offset: 5, bits: 1 }])
    const { offset, bit } = stage.flow.told as unknown as { offset: number; bit: number }
    assert.equal(offset, 5)
    assert.equal(sent[5]! ^ (1 << bit), stage.flow.bytes[5])
  })

  it('flips one bit of a share of bytes', () => {
    const sent = Buffer.alloc(100_000)
    const stage = atWork('corrupt', { rate: 0.01 })
    for (let at = 0; at < sent.length; at += 777) stage.send(sent.subarray(at, at + 777))
    const flipped = flippedBits(sent, stage.flow.bytes)
    assert.ok(flipped.every(({ bits }) => bits === 1))
    // The 99.9 % bound of a binomial distribution.
    assert.ok(Math.abs(flipped.length - 1000) <= 3.3 * Math.sqrt(1000 * 0.99), `${flipped.length}`)
    const all = atWork('corrupt', { rate: 1 })
    all.send(sent)
    assert.equal(flippedBits(sent, all.flow.bytes).length, sent.length)
  })

  it('hits the same bytes however they are split', () => {
    const sent = Buffer.from(Array.from({ length: 500 }, (_, index) => index & 255))
    const whole = atWork('corrupt', { rate: 0.05, offset: 77 }, { random: randomOf('seed', 1) })
    whole.send(sent)
    assert.ok(flippedBits(sent, whole.flow.bytes).some(({ offset }) => offset === 77))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 30 }), (sizes) => {
        const stage = atWork('corrupt', { rate: 0.05, offset: 77 }, { random: randomOf('seed', 1) })
        let at = 0
        for (const size of [...sizes, sent.length]) {
          if (at < sent.length) stage.send(sent.subarray(at, at + size))
          at += size
        }
        assert.ok(whole.flow.bytes.equals(stage.flow.bytes))
      }),
    )
    const other = atWork('corrupt', { rate: 0.05 }, { random: randomOf('seed', 2) })
    other.send(sent)
    assert.ok(!whole.flow.bytes.equals(other.flow.bytes))
  })

  it('takes changes, and hits an offset once', () => {
    const stage = atWork('corrupt', { rate: 1 })
    stage.send(Buffer.alloc(3))
    stage.update(ruleOf('corrupt', { offset: 4 }))
    stage.send(Buffer.alloc(3))
    stage.update(ruleOf('corrupt', { offset: 4 }))
    stage.send(Buffer.alloc(3))
    assert.deepEqual(
      flippedBits(Buffer.alloc(9), stage.flow.bytes).map(({ offset }) => offset),
      [0, 1, 2, 4],
    )
  })

  it('is refused where it would never do anything', () => {
    assert.throws(() => ruleOf('corrupt'), { code: 'CHAOS_ATTRIBUTE', message: /rate or an offset/ })
  })
})
