import fc from 'fast-check'
import type { ErrorDetail } from '../src/definition.ts'
import { kindsInOrder } from '../src/delta-format.ts'
import { Delta, type SeriesDelta } from '../src/delta.ts'
import { bucketCount } from '../src/histogram.ts'
import { isTimed, type SeriesKey } from '../src/series.ts'

const word = fc.oneof(fc.constantFrom('', 'GET /', '200', '(other)', '__proto__', 'zoë', '網'), fc.string())
const whole = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat(), fc.constant(2 ** 53), fc.constant(2 ** 32))
// Minus zero is zero on the wire.
const real = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => (value === 0 ? 0 : value))
const positive = real.map(Math.abs)

// Plain objects, as the decoder makes them: deepEqual compares prototypes too.
const plain = { noNullPrototype: true }

export const keys: fc.Arbitrary<SeriesKey> = fc.record(
  {
    kind: fc.constantFrom(...kindsInOrder),
    test: word,
    name: word,
    method: word,
    status: word,
    tags: fc.array(fc.tuple(word, word), { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs)),
  },
  plain,
)

export const details: fc.Arbitrary<ErrorDetail> = fc.record(
  {
    type: word,
    message: word,
    sample: word,
    firstSeen: whole,
  },
  plain,
)

/** Deltas as a window or a sum of windows has them. `amounts`: what counts, sums and values are drawn from. */
export function seriesDeltas(amounts: { whole: fc.Arbitrary<number>; real: fc.Arbitrary<number> }) {
  return keys.chain((key): fc.Arbitrary<SeriesDelta> => {
    const bucket = fc.tuple(
      fc.nat({ max: bucketCount - 1 }),
      amounts.whole.map((samples) => Math.min(2 ** 48, Math.max(1, samples))),
    )
    const timed = isTimed(key.kind)
    return fc
      .record({
        key: fc.constant(key),
        detail: key.kind === 'error' ? fc.option(details) : fc.constant(null),
        count: amounts.whole,
        failed: amounts.whole,
        sum: positive,
        min: fc.oneof(fc.constant(Infinity), positive),
        max: positive,
        bytesIn: amounts.whole,
        bytesOut: amounts.whole,
        value: amounts.real,
        lastAt: fc.nat(),
        buckets: timed
          ? fc.array(bucket, { maxLength: 20 }).map((pairs) => new Map(pairs))
          : fc.constant(null),
      })
      .map((delta) => {
        const samples = [...(delta.buckets?.values() ?? [])].reduce((sum, each) => sum + each, 0)
        return { ...delta, count: timed ? samples : delta.count }
      })
  })
}

export function deltasOf(series: fc.Arbitrary<SeriesDelta>): fc.Arbitrary<Delta> {
  return fc.array(series, { maxLength: 6 }).map((all) => {
    const delta = new Delta()
    for (const each of all) delta.add(each)
    return delta
  })
}

/** Any figures that the wire must carry unchanged. */
export const anyDeltas = deltasOf(seriesDeltas({ whole, real }))

/** Figures whose sums are exact in any order, so that groupings can be compared. */
const small = fc.nat({ max: 1_000_000 })
export const smallDeltas = deltasOf(
  seriesDeltas({ whole: small, real: small }).map((delta) => ({
    ...delta,
    sum: Math.round(delta.sum % 1e6),
  })),
)
