import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bucketMiddle, bucketOf, Histogram } from '@loads-runner/metrics'
import { cellsOf, HeatRows } from '../src/heat-rows.ts'

const durations = fc.array(fc.integer({ min: 0, max: 3_600_000_000 }), { minLength: 1, maxLength: 50 })

function histogramOf(micros: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const each of micros) histogram.record(each)
  return histogram
}

describe('HeatRows', () => {
  it('counts every hit once, in the row that its time belongs to', () => {
    fc.assert(
      fc.property(fc.array(durations, { minLength: 1, maxLength: 5 }), (columns) => {
        const rows = new HeatRows()
        const all = columns.map((micros) => cellsOf(histogramOf(micros)))
        for (const cells of all) rows.use(cells)
        const bounds = rows.bounds()
        assert.ok(bounds.length >= 2 && bounds.length <= 41, String(bounds.length))
        const ratios = bounds.slice(1).map((bound, row) => bound / bounds[row]!)
        for (const ratio of ratios) assert.ok(Math.abs(ratio - ratios[0]!) < 0.01)
        for (const [place, micros] of columns.entries()) {
          const { cells } = rows.column(0, 1000, all[place]!)
          const expected = new Map<number, number>()
          for (const each of micros) {
            const millis = bucketMiddle(bucketOf(each)) / 1000
            const above = bounds.findIndex((bound) => bound > millis * 1.0001)
            const row = above === -1 ? bounds.length - 1 : Math.max(0, above - 1)
            expected.set(row, (expected.get(row) ?? 0) + 1)
          }
          // The first and the last row that are in use hold what lies beyond them: one beside them is empty.
          const shown = new Map<number, number>()
          for (let index = 0; index < cells.length; index += 2) shown.set(cells[index]!, cells[index + 1]!)
          const sum = [...shown.values()].reduce((one, other) => one + other, 0)
          assert.equal(sum, micros.length)
          for (const [row, count] of shown) {
            const near = [row - 1, row, row + 1].reduce((of, each) => of + (expected.get(each) ?? 0), 0)
            const beyond = bounds[row]! <= 0.12 || row >= bounds.length - 2
            assert.ok(beyond || near >= count, `row ${row}: ${count} of ${near}`)
          }
        }
      }),
    )
  })

  it('says when its rows become others', () => {
    const rows = new HeatRows()
    const cells = (...millis: number[]) => cellsOf(histogramOf(millis.map((each) => each * 1000)))
    assert.equal(rows.use([]), false)
    assert.deepEqual(rows.bounds(), [])
    assert.equal(rows.use(cells(10)), true)
    const narrow = rows.bounds()
    assert.ok(narrow[0]! < 10 && narrow.at(-1)! > 10)
    assert.equal(rows.use(cells(10)), false)
    assert.equal(rows.use(cells(100)), true)
    assert.equal(rows.use(cells(50)), false)
    assert.ok(rows.bounds().length > narrow.length)
    rows.use(cells(0.2, 50_000))
    assert.ok(rows.bounds().length <= 40)
  })
})
