import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RowRanges, rowsIn } from '../src/row-ranges.ts'

describe('row ranges', () => {
  it('does what a set of numbers does, in ranges that are sorted and apart', () => {
    const range = fc.record({ first: fc.nat(60), count: fc.nat(12) })
    const step = fc.record({ what: fc.constantFrom('add', 'remove', 'takeFirst'), range })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const ranges = new RowRanges()
        const model = new Set<number>()
        for (const { what, range } of steps) {
          const rows = Array.from({ length: range.count }, (_, index) => range.first + index)
          if (what === 'add') {
            ranges.add(range)
            for (const row of rows) model.add(row)
          } else if (what === 'remove') {
            const had = rows.filter((row) => model.delete(row))
            assert.deepEqual(rowsOf(ranges.remove(range)), had)
          } else {
            const lowest = Math.min(...model)
            const taken = ranges.takeFirst(range.count)
            if (model.size === 0 || range.count === 0) assert.equal(taken, null)
            else {
              assert.equal(taken!.first, lowest)
              assert.ok(taken!.count >= 1 && taken!.count <= range.count)
              for (const row of rowsOf([taken!])) assert.ok(model.delete(row))
              // It ends because it was long enough, or because the next row is not there.
              assert.ok(taken!.count === range.count || !model.has(lowest + taken!.count))
            }
          }
          assert.deepEqual(
            rowsOf(ranges),
            [...model].sort((a, b) => a - b),
          )
          assert.equal(ranges.size, model.size)
          let end = -1
          for (const { first, count } of ranges) {
            assert.ok(count > 0 && first > end, 'ranges are not empty and do not touch')
            end = first + count
          }
        }
      }),
    )
  })

  it('counts rows', () => {
    assert.equal(rowsIn([]), 0)
    assert.equal(
      rowsIn([
        { first: 5, count: 3 },
        { first: 9, count: 1 },
      ]),
      4,
    )
  })
})

function rowsOf(ranges: Iterable<{ first: number; count: number }>): number[] {
  return [...ranges].flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index))
}
