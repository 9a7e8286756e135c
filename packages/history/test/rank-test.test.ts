import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compareRanks, holm, twoSidedP } from '../src/rank-test.ts'
import { compareShares } from '../src/share-test.ts'

function weighted(values: readonly number[]): Map<number, number> {
  const found = new Map<number, number>()
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1)
  return found
}

/** Twice the pairs in which the second is larger, ties counting one: U of the second sample, doubled. */
function doubledU(first: readonly number[], second: readonly number[]): number {
  let sum = 0
  for (const one of first) for (const other of second) sum += other > one ? 2 : other === one ? 1 : 0
  return sum
}

function* choices(values: readonly number[], n: number, from = 0): Generator<number[]> {
  if (n === 0) yield []
  else
    for (let index = from; index <= values.length - n; index++)
      for (const rest of choices(values, n - 1, index + 1)) yield [index, ...rest]
}

/** By trying every way to split the values. */
function bruteForceP(first: readonly number[], second: readonly number[]): number {
  const all = [...first, ...second]
  const mean = first.length * second.length
  const far = Math.abs(doubledU(first, second) - mean)
  let extreme = 0
  let ways = 0
  for (const chosen of choices(all, second.length)) {
    const taken = new Set(chosen)
    const mine = chosen.map((index) => all[index]!)
    const rest = all.filter((_, index) => !taken.has(index))
    ways++
    if (Math.abs(doubledU(rest, mine) - mean) >= far) extreme++
  }
  return extreme / ways
}

const few = fc.array(fc.nat(6), { minLength: 1, maxLength: 6 })
const some = fc.array(fc.nat(40), { minLength: 1, maxLength: 60 })

function isNear(value: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(value - expected) <= tolerance, `${value} is not ${expected}`)
}

describe('compareRanks', () => {
  it('has the p value of all ways to split few values, ties included', () => {
    fc.assert(
      fc.property(few, few, (first, second) => {
        isNear(compareRanks(weighted(first), weighted(second)).p, bruteForceP(first, second), 1e-9)
      }),
      { numRuns: 150 },
    )
  })

  it("has Cliff's delta of all pairs", () => {
    fc.assert(
      fc.property(some, some, (first, second) => {
        const pairs = first.length * second.length
        const expected = (doubledU(first, second) - pairs) / pairs
        isNear(compareRanks(weighted(first), weighted(second)).delta, expected, 1e-12)
      }),
    )
  })

  it('changes sign and keeps its p value when the samples are swapped', () => {
    fc.assert(
      fc.property(some, some, (first, second) => {
        const there = compareRanks(weighted(first), weighted(second))
        const back = compareRanks(weighted(second), weighted(first))
        isNear(there.delta, -back.delta, 1e-12)
        isNear(there.p, back.p, 1e-9)
      }),
    )
  })

  it('finds nothing between a sample and itself', () => {
    fc.assert(
      fc.property(some, (values) => {
        assert.deepEqual(compareRanks(weighted(values), weighted(values)), { delta: 0, p: 1 })
      }),
    )
  })

  it('has the normal approximation with ties for many values', () => {
    // By hand: 2 and 3 tie; U = 900 - 225 = 675 of 900, variance 900 / 12 * (61 - 2 * 26,970 / 60 / 59).
    const first = new Map([
      [1, 15],
      [2, 15],
    ])
    const second = new Map([
      [2, 15],
      [3, 15],
    ])
    const { delta, p } = compareRanks(first, second)
    assert.equal(delta, 0.75)
    const ties = 2 * (15 ** 3 - 15) + (30 ** 3 - 30)
    const variance = (900 / 12) * (61 - ties / (60 * 59))
    isNear(p, twoSidedP((900 * 0.375 - 0.5) / Math.sqrt(variance)), 1e-15)
  })

  it('agrees with the counted-out distribution where both could be used', () => {
    const first = Array.from({ length: 15 }, (_, index) => index * 2)
    const second = Array.from({ length: 15 }, (_, index) => index * 2 + 7)
    const exact = compareRanks(weighted(first), weighted(second)).p
    const more = compareRanks(weighted([...first, 14]), weighted([...second, 21])).p
    isNear(exact, more, 0.02)
  })

  it('stands millions of samples', () => {
    const { delta, p } = compareRanks(
      new Map([[100, 5e7]]),
      new Map([
        [100, 4e7],
        [101, 1e7],
      ]),
    )
    isNear(delta, 0.2, 1e-12)
    assert.equal(p, 0)
  })

  it('says nothing about nothing', () => {
    assert.deepEqual(compareRanks(new Map(), weighted([1])), { delta: 0, p: 1 })
  })
})

describe('twoSidedP', () => {
  it('has the values of the tables', () => {
    isNear(twoSidedP(0), 1, 1e-6)
    isNear(twoSidedP(1.959964), 0.05, 1e-7)
    isNear(twoSidedP(-2.575829), 0.01, 1e-8)
    isNear(twoSidedP(6) / 1.973175e-9, 1, 1e-5)
  })
})

describe('holm', () => {
  it('corrects as in the example of the method', () => {
    assert.deepEqual(
      holm([0.01, 0.04, 0.03, 0.005]).map((p) => Math.round(p * 1000) / 1000),
      [0.03, 0.06, 0.06, 0.02],
    )
    assert.deepEqual(holm([]), [])
    assert.deepEqual(holm([0.7]), [0.7])
  })

  it('lies between no correction and that of Bonferroni, and keeps the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (values) => {
          const corrected = holm(values)
          for (const [index, p] of values.entries()) {
            assert.ok(corrected[index]! >= p)
            assert.ok(corrected[index]! <= Math.min(1, p * values.length))
            for (const [place, other] of values.entries())
              if (p < other) assert.ok(corrected[index]! <= corrected[place]!)
          }
        },
      ),
    )
  })
})

describe('compareShares', () => {
  it('is the z test where numbers are large', () => {
    // 100 of 1,000 and 140 of 1,000: z = 0.04 / sqrt(0.12 * 0.88 * 0.002) = 2.7524.
    isNear(compareShares({ part: 100, whole: 1000 }, { part: 140, whole: 1000 }), 0.005916, 1e-5)
  })

  it('is the exact test where they are small', () => {
    // The lady tasting tea: 3 of 4 and 1 of 4 (Fisher 1935).
    isNear(compareShares({ part: 3, whole: 4 }, { part: 1, whole: 4 }), 34 / 70, 1e-9)
    isNear(compareShares({ part: 0, whole: 1000 }, { part: 4, whole: 1000 }), 0.1244, 1e-3)
  })

  it('tells nothing where nothing differs', () => {
    assert.equal(compareShares({ part: 0, whole: 10 }, { part: 0, whole: 20 }), 1)
    assert.equal(compareShares({ part: 10, whole: 10 }, { part: 20, whole: 20 }), 1)
    assert.equal(compareShares({ part: 0, whole: 0 }, { part: 5, whole: 20 }), 1)
  })

  it('is the same the other way round, and a probability', () => {
    const share = fc.nat(2000).chain((whole) => fc.record({ part: fc.nat(whole), whole: fc.constant(whole) }))
    fc.assert(
      fc.property(share, share, (one, other) => {
        const p = compareShares(one, other)
        assert.ok(p >= 0 && p <= 1, String(p))
        isNear(p, compareShares(other, one), 1e-6)
      }),
    )
  })
})
