import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Histogram, statsOf } from '@loads-runner/metrics'
import { classicBounds, cumulativeCounts } from '../../src/exposition/classic-buckets.ts'
import { nativeBuckets, sparseBuckets } from '../../src/exposition/native-histogram.ts'

const durations = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: 0, max: 3_600_000_000 }),
    fc.constant(1_024),
    fc.double({ min: 0, max: 22, noNaN: true }).map((power) => Math.floor(2 ** power)),
  ),
  { minLength: 1, maxLength: 300 },
)

function histogramOf(micros: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const each of micros) histogram.record(each)
  return histogram
}

/** Takes spans and deltas apart, as a reader of the protocol does. */
function unpacked({ spans, deltas }: ReturnType<typeof sparseBuckets>): [index: number, count: number][] {
  const buckets: [number, number][] = []
  let index = 0
  let at = 0
  let count = 0
  for (const { offset, length } of spans) {
    index += offset
    for (let step = 0; step < length; step++) {
      count += deltas[at++]!
      if (count !== 0) buckets.push([index, count])
      index++
    }
  }
  assert.equal(at, deltas.length)
  return buckets
}

/** `histogram_quantile` of a native histogram: linear within the bucket that holds the rank. */
function quantileOf(share: number, zeroCount: number, buckets: readonly [number, number][]): number {
  const total = buckets.reduce((sum, [, count]) => sum + count, zeroCount)
  const rank = share * total
  let seen = zeroCount
  if (seen >= rank && zeroCount > 0) return 0
  for (const [index, count] of buckets) {
    if (seen + count >= rank) {
      const low = 2 ** ((index - 1) / 256)
      const high = 2 ** (index / 256)
      return low + (high - low) * ((rank - seen) / count)
    }
    seen += count
  }
  return NaN
}

describe('native histograms', () => {
  it('hold every sample once, and come back whole from spans and deltas', () => {
    fc.assert(
      fc.property(durations, (micros) => {
        const histogram = histogramOf(micros)
        const { zeroCount, buckets } = nativeBuckets(histogram)
        assert.equal(
          buckets.reduce((sum, [, count]) => sum + count, zeroCount),
          micros.length,
        )
        assert.equal(zeroCount, micros.filter((each) => each === 0).length)
        assert.deepEqual(unpacked(sparseBuckets(buckets)), buckets)
        for (const [index, [at]] of buckets.entries())
          assert.ok(index === 0 || at > buckets[index - 1]![0], 'ascending')
      }),
    )
  })

  it('have the quantiles of the summary, within 1 % but for its exact ends', () => {
    fc.assert(
      fc.property(durations, (micros) => {
        const histogram = histogramOf(micros)
        const { zeroCount, buckets } = nativeBuckets(histogram)
        const stats = statsOf(histogram, 0, Math.min(...micros), Math.max(...micros))
        for (const [share, exact] of [
          [0.5, stats.p50],
          [0.95, stats.p95],
          [0.99, stats.p99],
        ] as const) {
          const seconds = quantileOf(share, zeroCount, buckets)
          const ours = histogram.quantile(share) / 1e6
          assert.ok(Math.abs(seconds - ours) <= ours * 0.0028, `${seconds} for ${ours}`)
          assert.ok(
            Math.abs(seconds - exact! / 1000) <= (exact! / 1000) * 0.0103,
            `${seconds} for ${exact} ms`,
          )
        }
      }),
    )
  })

  it('only ever grow', () => {
    fc.assert(
      fc.property(durations, durations, (first, more) => {
        const before = new Map(nativeBuckets(histogramOf(first)).buckets)
        const after = new Map(nativeBuckets(histogramOf([...first, ...more])).buckets)
        for (const [index, count] of before) assert.ok((after.get(index) ?? 0) >= count)
      }),
    )
  })
})

describe('classic buckets', () => {
  it('count what is at or below each bound, but for what is within 0.8 % of it', () => {
    fc.assert(
      fc.property(durations, (micros) => {
        const counts = cumulativeCounts(histogramOf(micros))
        for (const [index, bound] of classicBounds.entries()) {
          const below = micros.filter((each) => each <= bound * 1e6 * (1 - 1 / 128)).length
          const above = micros.filter((each) => each <= bound * 1e6 * (1 + 1 / 128)).length
          assert.ok(counts[index]! >= below && counts[index]! <= above, `${counts[index]} at ${bound}`)
        }
      }),
    )
  })
})
