import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TimeAxis } from '../../page/view/time-axis.ts'

describe('TimeAxis', () => {
  it('shows the whole run until somebody zooms, and again after a reset', () => {
    const axis = new TimeAxis()
    let told = 0
    axis.onChange(() => told++)
    axis.setEnd(60_000)
    assert.deepEqual(axis.range, [0, 60_000])
    axis.zoom(20_000, 10_000)
    assert.deepEqual(axis.range, [10_000, 20_000])
    axis.reset()
    axis.reset()
    assert.deepEqual(axis.range, [0, 60_000])
    assert.equal(told, 2)
  })

  it('moves along with the run where its latest part is shown, and stays elsewhere', () => {
    const axis = new TimeAxis()
    axis.setEnd(60_000)
    axis.zoom(50_000, 60_000)
    axis.setEnd(65_000)
    assert.deepEqual(axis.range, [55_000, 65_000])
    axis.zoom(10_000, 20_000)
    axis.setEnd(90_000)
    assert.deepEqual(axis.range, [10_000, 20_000])
  })

  it('zooms around the cursor', () => {
    const axis = new TimeAxis()
    axis.setEnd(100_000)
    axis.scale(0.5, 20_000)
    assert.deepEqual(axis.range, [10_000, 60_000])
    axis.scale(4, null)
    assert.ok(!axis.isZoomed)
  })

  it('never leaves the run', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('zoom' as const),
        a: fc.integer({ min: -9e5, max: 9e5 }),
        b: fc.integer({ min: -9e5, max: 9e5 }),
      }),
      fc.record({ do: fc.constant('pan' as const), a: fc.double({ min: -3, max: 3, noNaN: true }) }),
      fc.record({ do: fc.constant('scale' as const), a: fc.double({ min: 0.01, max: 20, noNaN: true }) }),
      fc.record({ do: fc.constant('end' as const), a: fc.integer({ min: 1, max: 50_000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (list) => {
        const axis = new TimeAxis()
        axis.setEnd(100_000)
        for (const each of list) {
          if (each.do === 'zoom') axis.zoom(each.a, each.b)
          else if (each.do === 'pan') axis.pan(each.a)
          else if (each.do === 'scale') axis.scale(each.a, null)
          else axis.setEnd(axis.endMs + each.a)
          const [from, to] = axis.range
          assert.ok(from >= -1e-6 && to <= axis.endMs + 1e-6 && to - from >= 1_999, `${from} to ${to}`)
        }
      }),
    )
  })
})
