import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Fifo } from '../../src/channels/fifo.ts'

describe('Fifo', () => {
  it('does what an array does', () => {
    const steps = fc.array(
      fc.oneof(fc.nat(3_000), fc.constant('shift' as const), fc.constant('drain' as const)),
    )
    fc.assert(
      fc.property(steps, (steps) => {
        const fifo = new Fifo<number>()
        const array: number[] = []
        let next = 0
        for (const step of steps) {
          if (typeof step === 'number')
            for (let i = 0; i < step; i++) {
              fifo.push(next)
              array.push(next++)
            }
          else
            for (let i = step === 'shift' ? 1 : array.length - 1; i > 0; i--)
              assert.equal(fifo.shift(), array.shift())
          assert.equal(fifo.length, array.length)
        }
        fifo.clear()
        assert.equal(fifo.length, 0)
        assert.equal(fifo.shift(), undefined)
      }),
      { numRuns: 30 },
    )
  })
})
