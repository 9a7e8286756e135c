/** Values with how often each occurs: samples by bucket, or single values that occur once. */
export type Weighted = ReadonlyMap<number, number>

export interface RankComparison {
  /**
   * Cliff's delta: the probability that a value of the second sample is larger than one of the first, minus the
   * probability that it is smaller. -1 to 1; exact for the given values.
   */
  delta: number
  /** Two-sided; 1 where it cannot be told. */
  p: number
}

/** Up to so many values altogether, the distribution of ranks is counted out, ties included. */
const mostExact = 30

/**
 * Compares two samples by ranks: Cliff's delta as effect size and the Mann-Whitney U test as significance.
 *
 * Few values: the exact permutation distribution of the rank sum with midranks, by the shift algorithm (Streitberg and
 * Röhmel 1986). Many: the normal approximation with correction for ties and for continuity (Hollander, Wolfe and
 * Chicken, Nonparametric Statistical Methods, 2014, 4.1).
 *
 * Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than the other", Annals
 * of Mathematical Statistics 18 (1947); Cliff, "Dominance statistics", Psychological Bulletin 114 (1993).
 */
export function compareRanks(before: Weighted, after: Weighted): RankComparison {
  const values = [...new Set([...before.keys(), ...after.keys()])].sort((one, other) => one - other)
  const first = values.map((value) => before.get(value) ?? 0)
  const second = values.map((value) => after.get(value) ?? 0)
  const m = sumOf(first)
  const n = sumOf(second)
  if (m === 0 || n === 0) return { delta: 0, p: 1 }

  // Pairs in which the second is larger, less those in which it is smaller.
  let dominance = 0
  let ties = 0
  let firstBelow = 0
  let secondBelow = 0
  for (const [index, inFirst] of first.entries()) {
    const inSecond = second[index]!
    dominance += inSecond * firstBelow - inFirst * secondBelow
    firstBelow += inFirst
    secondBelow += inSecond
    const together = inFirst + inSecond
    ties += together * together * together - together
  }
  const delta = dominance / m / n
  if (m + n <= mostExact) return { delta, p: exactP(first, second) }
  const all = m + n
  // Of U; the dominance is 2U - mn, so that its deviation from 0 is twice that of U from its mean.
  const variance = ((m * n) / 12) * (all + 1 - ties / (all * (all - 1)))
  if (!(variance > 0)) return { delta, p: 1 }
  const z = Math.max(0, Math.abs(dominance) / 2 - 0.5) / Math.sqrt(variance)
  return { delta, p: twoSidedP(z) }
}

/**
 * The share of all ways to draw the second sample out of both together whose rank sum is at least as far from the mean.
 * Ranks are doubled, so that midranks are whole.
 */
function exactP(first: readonly number[], second: readonly number[]): number {
  const ranks: number[] = []
  let below = 0
  let observed = 0
  for (const [index, inFirst] of first.entries()) {
    const inSecond = second[index]!
    const together = inFirst + inSecond
    const rank = 2 * below + together + 1
    for (let each = 0; each < together; each++) ranks.push(rank)
    observed += rank * inSecond
    below += together
  }
  const n = sumOf(second)
  const total = sumOf(ranks)
  /** ways[k][s]: how many ways there are to draw k values with the rank sum s. */
  const ways = Array.from({ length: n + 1 }, () => new Float64Array(total + 1))
  ways[0]![0] = 1
  for (const rank of ranks)
    for (let drawn = n; drawn > 0; drawn--) {
      const [into, from] = [ways[drawn]!, ways[drawn - 1]!]
      for (let sum = total; sum >= rank; sum--) into[sum]! += from[sum - rank]!
    }
  const mean = (n * total) / ranks.length
  const far = Math.abs(observed - mean) - 1e-9
  let extreme = 0
  let all = 0
  for (const [sum, count] of ways[n]!.entries()) {
    all += count
    if (Math.abs(sum - mean) >= far) extreme += count
  }
  return extreme / all
}

/** The probability of a standard normal value at least so far from 0 on either side. */
export function twoSidedP(z: number): number {
  return Math.min(1, erfc(Math.abs(z) / Math.SQRT2))
}

/**
 * Complementary error function, of x >= 0, by its Chebyshev fit with a relative error below 1.2e-7 everywhere (Press et
 * al., Numerical Recipes, 1992, 6.2): small probabilities keep their digits.
 */
function erfc(x: number): number {
  const t = 1 / (1 + x / 2)
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ]
  const sum = coefficients.reduceRight((rest, each) => rest * t + each, 0)
  return t * Math.exp(-x * x + sum)
}

/**
 * P values corrected for being many, in the given order: the chance that any of them is below a limit by chance alone
 * stays below that limit. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
 * Statistics 6 (1979).
 */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((one, other) => values[one]! - values[other]!)
  const corrected = Array.from(values)
  let atLeast = 0
  for (const [place, index] of order.entries()) {
    atLeast = Math.max(atLeast, Math.min(1, values[index]! * (values.length - place)))
    corrected[index] = atLeast
  }
  return corrected
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
