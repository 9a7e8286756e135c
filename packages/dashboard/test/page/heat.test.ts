import assert from 'node:assert/strict'
import fc from 'fast-check'
import * as heat from '../../page/view/heat.ts'
import { sampleModel } from '../support/sample-model.ts'

const bounds = [1, 2, 4, 8]

describe('heatmap', () => {
  it('has rows up to the next end, and one more beyond the last', () => {
    assert.deepEqual(heat.rowRange(bounds, 1), [2, 4])
    assert.deepEqual(heat.rowRange(bounds, 3), [8, 16])
    assert.deepEqual(
      [0.5, 1, 3.9, 8, 15.9, 16].map((millis) => heat.rowAt(bounds, millis)),
      [null, 0, 1, 3, 3, null],
    )
  })

  it('finds the column of a moment, none in a gap', () => {
    const columns = [0, 1_000, 5_000].map((fromMs) => ({ fromMs, spanMs: 1_000, cells: [] }))
    assert.equal(heat.columnAt(columns, 1_999)?.fromMs, 1_000)
    assert.equal(heat.columnAt(columns, 3_000), null)
    assert.equal(heat.columnsBetween(columns, [900, 1_000]).length, 1)
  })

  it('counts as many hits as there are', () => {
    const { heatmap } = sampleModel({ seconds: 30 })
    for (const { cells } of heatmap.columns) {
      let sum = 0
      for (let row = 0; row < heatmap.bounds.length; row++) sum += heat.countIn(cells, row)
      assert.equal(sum, heat.sumOf(cells))
    }
  })

  it('compares columns of any length by hits per second', () => {
    const columns = [
      { fromMs: 0, spanMs: 10_000, cells: [0, 100] },
      { fromMs: 10_000, spanMs: 1_000, cells: [0, 20] },
    ]
    assert.equal(heat.densest(columns), 20)
  })

  it('has a darker shade for more, and one for few', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.01, max: 1e6, noNaN: true }),
        (one, other, most) => {
          const [low, high] = one < other ? [one, other] : [other, one]
          const [light, dark] = [heat.shadeOf(low * most, most), heat.shadeOf(high * most, most)]
          assert.ok(0 <= light && light <= dark && dark < heat.shades)
        },
      ),
    )
    assert.equal(heat.shadeOf(10, 10), heat.shades - 1)
  })

  it('mixes colors', () => {
    assert.equal(heat.mix(['#000000', '#ffffff'], 0.5), 'rgb(128,128,128)')
    assert.equal(heat.mix(['#000000', '#ff0000', '#00ff00'], 1), 'rgb(0,255,0)')
  })
})
