import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TestCycle } from '../src/test-cycle.ts'

describe('test cycle', () => {
  it('runs each test as often as its weight says, in every round of every user', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(
        weights.filter((all) => all.some((weight) => weight > 0)),
        fc.nat(1000),
        fc.nat(100),
        (all, user, start) => {
          const cycle = new TestCycle(all)
          const counts = all.map(() => 0)
          for (let turn = 0; turn < cycle.length; turn++) counts[cycle.testFor(user, start + turn)]! += 1
          assert.deepEqual(counts, all)
        },
      ),
    )
  })

  it('spreads a rare test instead of leaving it to the end', () => {
    const cycle = new TestCycle([3, 1])
    assert.deepEqual(
      [0, 1, 2, 3].map((turn) => cycle.testFor(0, turn)),
      [0, 0, 1, 0],
    )
  })

  it('starts users at different places', () => {
    const cycle = new TestCycle([1, 1])
    assert.notEqual(cycle.testFor(0, 0), cycle.testFor(1, 0))
  })
})
