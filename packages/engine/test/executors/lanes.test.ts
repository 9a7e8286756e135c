import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Lanes } from '@loads-runner/testcase/load'
import { LaneHeap } from '../../src/executors/lane-heap.ts'
import { UserNumbers } from '../../src/executors/user-numbers.ts'

const shape = fc.integer({ min: 1, max: 60 }).chain((lanes) =>
  fc.record({
    lanes: fc.constant(lanes),
    chosen: fc.uniqueArray(fc.nat(lanes - 1), { minLength: 1 }),
    extra: fc.nat(200),
  }),
)

describe('lane heap', () => {
  it('walks the starts of its lanes in the order of the schedule, and counts them per lane', () => {
    fc.assert(
      fc.property(shape, ({ lanes, chosen }) => {
        const all = new Lanes(lanes)
        const heap = new LaneHeap(all)
        const progress = new Uint32Array(chosen.length)
        // Some go on where they stopped elsewhere.
        for (const [index, place] of chosen.entries()) heap.add(place, place % 3, progress, index)
        const walked: number[] = []
        while (heap.top!.next < 10 * lanes) {
          walked.push(heap.top!.next)
          heap.advance()
        }
        const due = chosen
          .flatMap((place) => Array.from({ length: 10 }, (_, turn) => ({ place, turn })))
          .filter(({ place, turn }) => turn >= place % 3)
          .map(({ place, turn }) => all.startOf(place, turn))
        assert.deepEqual(
          walked,
          due.sort((a, b) => a - b),
        )
        for (const [index, place] of chosen.entries())
          assert.equal(progress[index], all.turnsIn(place, 10 * lanes))
      }),
    )
  })
})

describe('user numbers', () => {
  it('gives each user of its lanes once, and those that come back again', () => {
    fc.assert(
      fc.property(shape, ({ lanes, chosen, extra }) => {
        const users = lanes + extra
        const numbers = new UserNumbers(1000, lanes, users)
        for (const lane of chosen) numbers.add(lane)
        const due = Array.from({ length: users }, (_, user) => user).filter((user) =>
          chosen.includes(user % lanes),
        )
        assert.equal(numbers.left, due.length)
        const taken = due.map(() => numbers.take()!)
        assert.deepEqual(
          taken.map((user) => user - 1000).sort((a, b) => a - b),
          due,
        )
        assert.equal(numbers.take(), null)
        numbers.giveBack(taken[0]!)
        assert.equal(numbers.take(), taken[0])
        assert.equal(numbers.take(), null)
      }),
    )
  })
})
