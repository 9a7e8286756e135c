/**
 * A fixed order of `count` places in which neighbours are far apart: each run of neighbouring places holds every stretch
 * of ranks in proportion. So agents, whose users are neighbours, ramp alike, and the starts of a schedule fall to all of
 * them in turn.
 *
 *     rank(place) = place * stride mod count
 *
 * (An additive recurrence. Near the golden ratio it leaves the smallest gaps, by the three-distance theorem of V. T. Sós,
 * 1958; how even it is on integers is bounded by the sum of the partial quotients of stride / count, so of the coprime
 * numbers near the ratio the one with the smallest sum is taken: H. Niederreiter, 1992, 1.2 and 5.1.)
 */
export class Ranks {
  readonly count: number
  readonly #stride: number

  constructor(count: number) {
    this.count = count
    this.#stride = strideOf(count)
  }

  /** Each rank from 0 to `count - 1` once. */
  of(place: number): number {
    return (place * this.#stride) % this.count
  }
}

const goldenRatio = (1 + Math.sqrt(5)) / 2

/** How far from the golden ratio a stride is looked for. */
const reach = 64

function strideOf(count: number): number {
  const ideal = Math.round(count / goldenRatio)
  let best = 1
  let least = Infinity
  for (let away = 0; away <= reach; away++) {
    for (const stride of [ideal + away, ideal - away]) {
      if (stride < 1 || stride >= count) continue
      const sum = sumOfQuotients(stride, count)
      if (sum < least) {
        least = sum
        best = stride
      }
    }
  }
  return best
}

/** Of the continued fraction of a / b; Infinity where they have a common divisor. */
function sumOfQuotients(a: number, b: number): number {
  let sum = 0
  while (a !== 0) {
    sum += Math.floor(b / a)
    ;[a, b] = [b % a, a]
  }
  return b === 1 ? sum : Infinity
}
