import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RowIndex } from '../../src/feeds/row-index.ts'

describe('feeds/row-index', () => {
  it('finds the block of every row, with few blocks however many rows there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 3000 }),
        fc.integer({ min: 2, max: 9 }),
        (sizes, most) => {
          const index = new RowIndex(most)
          const starts: number[] = []
          let position = 10
          for (const [row, size] of sizes.entries()) {
            starts.push(position)
            index.add(position, position + size, row + 2)
            position += size + 1
          }
          assert.equal(index.rows, sizes.length)
          assert.ok(index.blocks <= most)
          for (let row = 0; row < sizes.length; row++) {
            const block = index.blockOf(row)
            assert.ok(block.firstRow <= row && row < block.firstRow + block.rows)
            assert.equal(block.from, starts[block.firstRow])
            assert.equal(block.line, block.firstRow + 2)
            assert.equal(block.to, starts[block.firstRow + block.rows] ?? position - 1)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
