import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  bucketCount,
  bucketHigh,
  bucketLow,
  bucketMiddle,
  bucketOf,
  Histogram,
  longestMicros,
} from '../src/histogram.ts'

const anyMicros = fc.oneof(
  fc.nat({ max: 200 }),
  fc.nat({ max: longestMicros }),
  fc.integer({ min: 2 ** 31 - 100, max: 2 ** 31 + 100 }),
)

describe('histogram', () => {
  describe('buckets', () => {
    it('are exact below 128 and hold every value up to one hour', () => {
      for (let micros = 0; micros < 128; micros++) assert.equal(bucketOf(micros), micros)
      assert.equal(bucketOf(longestMicros), bucketCount - 1)
      assert.equal(bucketHigh(bucketCount - 1), longestMicros)
    })

    it('follow each other without a gap', () => {
      assert.equal(bucketLow(0), 0)
      for (let bucket = 0; bucket < bucketCount - 1; bucket++) {
        assert.equal(bucketHigh(bucket) + 1, bucketLow(bucket + 1))
        assert.equal(bucketOf(bucketLow(bucket)), bucket)
        assert.equal(bucketOf(bucketHigh(bucket)), bucket)
      }
    })

    it('hold their values, whose middle is at most 0.8 % away', () => {
      fc.assert(
        fc.property(anyMicros, (micros) => {
          const bucket = bucketOf(micros)
          assert.ok(bucketLow(bucket) <= micros && micros <= bucketHigh(bucket))
          assert.ok(Math.abs(bucketMiddle(bucket) - micros) <= 0.008 * micros)
        }),
      )
    })

    it('take in what is no duration of at most one hour', () => {
      for (const nothing of [-1, -Infinity, NaN, 0.4]) assert.equal(bucketOf(nothing), 0)
      for (const long of [longestMicros + 1, 2 ** 32, 2 ** 40, Infinity]) {
        assert.equal(bucketOf(long), bucketCount - 1)
      }
    })
  })

  describe('Histogram', () => {
    it('gives quantiles by nearest rank, off by the width of a bucket at most', () => {
      const samples = fc.array(anyMicros, { minLength: 1, maxLength: 300 })
      fc.assert(
        fc.property(samples, fc.integer({ min: 0, max: 1000 }), (values, perMille) => {
          const histogram = new Histogram()
          for (const value of values) histogram.record(value)
          const sorted = values.toSorted((one, other) => one - other)
          // Whole numbers, so that the expected rank has no rounding of its own.
          const rank = Math.max(1, Math.ceil((perMille * sorted.length) / 1000))
          assert.equal(histogram.quantile(perMille / 1000), bucketMiddle(bucketOf(sorted[rank - 1]!)))
        }),
      )
    })

    it('has quantiles at most 0.8 % away from those of the exact samples', () => {
      // Latencies: several magnitudes, most of them in a body, some in a tail.
      const body = fc.integer({ min: 1, max: 20_000 })
      const tail = fc.integer({ min: 20_000, max: longestMicros })
      const samples = fc.array(fc.oneof({ weight: 4, arbitrary: body }, { weight: 1, arbitrary: tail }), {
        minLength: 1,
        maxLength: 500,
      })
      fc.assert(
        fc.property(
          samples,
          fc.subarray([0, 50, 500, 900, 950, 990, 999, 1000], { minLength: 1 }),
          (values, all) => {
            const histogram = new Histogram()
            for (const value of values) histogram.record(value)
            const sorted = values.toSorted((one, other) => one - other)
            const found = histogram.quantiles(all.map((perMille) => perMille / 1000))
            for (const [index, perMille] of all.entries()) {
              const exact = sorted[Math.max(1, Math.ceil((perMille * sorted.length) / 1000)) - 1]!
              const error = Math.abs(found[index]! - exact) / exact
              assert.ok(error <= 0.008, `${perMille / 10} %: ${found[index]} for ${exact}`)
            }
          },
        ),
      )
    })

    it('is not misled by the rounding of a share', () => {
      const histogram = new Histogram()
      for (let value = 1; value <= 100; value++) histogram.record(value)
      // 0.07 * 100 is 7.000000000000001.
      for (const percent of [7, 14, 28, 55, 56, 57, 58, 99, 100]) {
        assert.equal(histogram.quantile(percent / 100), percent)
      }
    })

    it('knows nothing while empty', () => {
      assert.ok(Number.isNaN(new Histogram().quantile(0.5)))
      assert.equal(new Histogram().trustedTo(), 0)
    })

    it('merges without loss', () => {
      fc.assert(
        fc.property(fc.array(anyMicros), fc.array(anyMicros), (some, others) => {
          const one = new Histogram()
          const other = new Histogram()
          const whole = new Histogram()
          for (const value of some) one.record(value)
          for (const value of others) other.record(value)
          for (const value of [...some, ...others]) whole.record(value)
          one.merge(other)
          assert.deepEqual(one.counts, whole.counts)
          assert.equal(one.count, some.length + others.length)
        }),
      )
    })

    it('takes back what was added', () => {
      const histogram = new Histogram()
      histogram.record(5, 3)
      histogram.record(500, 2)
      histogram.addBucket(bucketOf(500), -2)
      assert.equal(histogram.count, 3)
      assert.equal(histogram.quantile(1), 5)
    })

    it('trusts a quantile with ten samples beyond it', () => {
      const trusted = [
        [0, 0],
        [19, 0],
        [20, 0.5],
        [100, 0.9],
        [200, 0.95],
        [1000, 0.99],
        [10_000, 0.999],
        [100_000, 0.9999],
      ] as const
      for (const [samples, quantile] of trusted) {
        const histogram = new Histogram()
        histogram.record(1, samples)
        assert.equal(histogram.trustedTo(), quantile)
      }
    })
  })
})
