import assert from 'node:assert/strict'
import { Histogram } from '../src/histogram.ts'
import { statsOf } from '../src/stats.ts'

describe('statsOf', () => {
  it('speaks in milliseconds', () => {
    const histogram = new Histogram()
    for (let micros = 1000; micros <= 100_000; micros += 1000) histogram.record(micros)
    const stats = statsOf(histogram, 5_050_000, 1000, 100_000)
    assert.equal(stats.count, 100)
    assert.equal(stats.sum, 5050)
    assert.equal(stats.mean, 50.5)
    assert.equal(stats.min, 1)
    assert.equal(stats.max, 100)
    assert.equal(stats.trustedTo, 0.9)
    assert.ok(Math.abs(stats.p50! - 50) <= 0.4)
    assert.ok(Math.abs(stats.p90! - 90) <= 0.72)
    assert.ok(Math.abs(stats.p99! - 99) <= 0.8)
  })

  it('says null where there is nothing to say', () => {
    const unknown = { min: null, mean: null, max: null }
    const quantiles = { p50: null, p90: null, p95: null, p99: null, p999: null, p9999: null }
    assert.deepEqual(statsOf(new Histogram(), 0, Infinity, 0), {
      count: 0,
      sum: 0,
      ...unknown,
      ...quantiles,
      trustedTo: 0,
    })
  })

  it('keeps quantiles within minimum and maximum', () => {
    const histogram = new Histogram()
    histogram.record(1_000_001)
    const stats = statsOf(histogram, 1_000_001, 1_000_001, 1_000_001)
    assert.deepEqual([stats.p50, stats.p9999], [1000.001, 1000.001])
  })

  it('gives quantiles without a known minimum and maximum', () => {
    const histogram = new Histogram()
    histogram.record(100)
    const stats = statsOf(histogram, 100, Infinity, 0)
    assert.deepEqual([stats.min, stats.max, stats.p50], [null, null, 0.1])
  })
})
