import { twoSidedP } from './rank-test.ts'

/** So many of a whole. */
export interface Share {
  part: number
  whole: number
}

/** Below this expected number of cases, the normal approximation does not hold (Cochran 1954). */
const leastExpected = 5

/**
 * Two-sided p value of two shares being the same: the z test of two proportions with a pooled variance and, where some
 * expected number is below 5, Fisher's exact test (Agresti, Categorical Data Analysis, 2013, 3.2 and 3.5).
 */
export function compareShares(before: Share, after: Share): number {
  const whole = before.whole + after.whole
  const part = before.part + after.part
  if (before.whole === 0 || after.whole === 0 || part === 0 || part === whole) return 1
  const rare = Math.min(part, whole - part)
  if ((Math.min(before.whole, after.whole) / whole) * rare < leastExpected) return fisher(before, after)
  const pooled = part / whole
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / before.whole + 1 / after.whole))
  return twoSidedP((after.part / after.whole - before.part / before.whole) / deviation)
}

/** The sum of the probabilities of all tables with the same margins that are no likelier than the given one. */
function fisher(before: Share, after: Share): number {
  const part = before.part + after.part
  const whole = before.whole + after.whole
  const rareIsPart = part <= whole - part
  const rare = rareIsPart ? part : whole - part
  const seen = rareIsPart ? before.part : before.whole - before.part
  const logOf = (count: number) =>
    logChoose(before.whole, count) + logChoose(after.whole, rare - count) - logChoose(whole, rare)
  const limit = logOf(seen) + 1e-7
  let sum = 0
  const low = Math.max(0, rare - after.whole)
  const high = Math.min(rare, before.whole)
  for (let count = low; count <= high; count++) {
    const log = logOf(count)
    if (log <= limit) sum += Math.exp(log)
  }
  return Math.min(1, sum)
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k)
}

/** Stirling's series, exact to 1e-10 from 16 on; below that it is multiplied out. */
function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1
    for (let factor = 2; factor <= n; factor++) product *= factor
    return Math.log(product)
  }
  const series = 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5)
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + series
}
