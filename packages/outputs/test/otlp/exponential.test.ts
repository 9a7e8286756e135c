import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Histogram } from '@loads-runner/metrics'
import { exponentialOf } from '../../src/otlp/exponential.ts'

const durations = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: 0, max: 3_600_000_000 }),
    fc.integer({ min: 10_000, max: 60_000 }),
  ),
  { maxLength: 200 },
)

describe('exponential histograms', () => {
  it('hold every sample near its place, in 1,600 buckets at most', () => {
    fc.assert(
      fc.property(durations, (micros) => {
        const histogram = new Histogram()
        for (const each of micros) histogram.record(each)
        const { scale, zeroCount, offset, counts } = exponentialOf(histogram)
        assert.ok(counts.length <= 1_600)
        assert.ok(scale >= 5 && scale <= 8)
        assert.ok(counts.length === 0 || (counts[0]! > 0 && counts.at(-1)! > 0), 'dense between its ends')
        const found: number[] = Array.from({ length: zeroCount }, () => 0)
        for (const [index, count] of counts.entries())
          for (let each = 0; each < count; each++) found.push(2 ** ((offset + index + 0.5) / 2 ** scale))
        assert.equal(found.length, micros.length)
        // Half a bucket of ours (0.8 %) and half of one of these.
        const most = 1 / 127 + 2 ** (0.5 / 2 ** scale) - 1
        for (const [index, each] of micros.toSorted((one, other) => one - other).entries())
          assert.ok(Math.abs(found[index]! - each / 1e6) <= (each / 1e6) * most + 1e-12, `${each} µs`)
      }),
    )
  })

  it('are as fine as the range allows', () => {
    const scaleOf = (...micros: number[]) => {
      const histogram = new Histogram()
      for (const each of micros) histogram.record(each)
      return exponentialOf(histogram).scale
    }
    assert.equal(scaleOf(), 8)
    assert.equal(scaleOf(1_000, 60_000), 8)
    assert.equal(scaleOf(1_000, 1_000_000), 7)
    assert.equal(scaleOf(1_000, 30_000_000), 6)
    assert.equal(scaleOf(1, 3_600_000_000), 5)
  })
})
