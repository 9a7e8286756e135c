import assert from 'node:assert/strict'
import {
  columnOf,
  describeLine,
  frameOf,
  hasValues,
  lonelyPlaces,
  observedFrame,
  pointsFrame,
} from '../../page/view/chart-data.ts'
import { sampleModel } from '../support/sample-model.ts'

describe('data of charts', () => {
  it('stands in the middle of its time, whatever the length', () => {
    const frame = frameOf([0, 60_000, 70_000], (index) => [60_000, 10_000, 1_000][index]!)
    assert.deepEqual(frame.x, [30_000, 65_000, 70_500])
    assert.deepEqual(frame.source, [0, 1, 2])
  })

  it('has a gap where points are missing', () => {
    const frame = frameOf([0, 1_000, 5_000], () => 1_000)
    assert.deepEqual(frame.source, [0, 1, -1, 2])
    assert.deepEqual(columnOf(frame, [1, 2, 3]), [1, 2, null, 3])
    assert.ok(frame.x.every((x, index) => index === 0 || x > frame.x[index - 1]!))
  })

  it('keeps every figure of a model at its place, and what is unknown unknown', () => {
    const { points } = sampleModel({ seconds: 90 })
    const frame = pointsFrame(points)
    assert.equal(frame.x.length, 90)
    assert.deepEqual(columnOf(frame, points.p95), points.p95)
    assert.deepEqual(columnOf(frame, [1, null]).slice(0, 3), [1, null, null])
  })

  it('observations count until the next one, but not over a long silence', () => {
    const frame = observedFrame([0, 5_000, 10_000, 60_000])
    assert.deepEqual(frame.source, [0, 1, 2, -1, 3])
    assert.deepEqual(observedFrame([7]).source, [0])
  })

  it('finds values that a line cannot show', () => {
    assert.deepEqual(lonelyPlaces([1, null, 2, null, 3, 4], 0, 5), [0, 2])
    assert.deepEqual(lonelyPlaces([null, null], 0, 1), [])
    assert.ok(!hasValues([null, null]))
  })

  it('is told in words', () => {
    const format = (value: number) => `${value}/s`
    assert.equal(describeLine('hits', [2, null, 9, 4], format), 'hits: 2/s to 9/s, 4/s at the end')
    assert.equal(describeLine('hits', [null], format), 'hits: no figures')
  })
})
