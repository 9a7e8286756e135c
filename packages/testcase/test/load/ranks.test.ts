import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Ranks } from '../../src/load/ranks.ts'

describe('ranks', () => {
  it('gives each place a rank of its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), (count) => {
        const ranks = new Ranks(count)
        const seen = new Set(Array.from({ length: count }, (_, place) => ranks.of(place)))
        assert.equal(seen.size, count)
        assert.ok([...seen].every((rank) => rank >= 0 && rank < count))
      }),
    )
  })

  it('holds every stretch of ranks in every run of places in proportion', () => {
    const shape = fc.integer({ min: 2, max: 5000 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        first: fc.nat(count - 1),
        places: fc.integer({ min: 1, max: count }),
        below: fc.integer({ min: 1, max: count }),
      }),
    )
    fc.assert(
      fc.property(shape, ({ count, first, places, below }) => {
        const ranks = new Ranks(count)
        const last = Math.min(count, first + places)
        let held = 0
        for (let place = first; place < last; place++) if (ranks.of(place) < below) held++
        const due = ((last - first) * below) / count
        assert.ok(Math.abs(held - due) <= 4, `${held} of ${due.toFixed(1)}`)
      }),
      { numRuns: 300 },
    )
  })
})
