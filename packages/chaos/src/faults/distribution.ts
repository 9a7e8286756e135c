import { milliseconds, oneOf, quiet, type AttributeTable } from '../attributes.ts'
import type { Random } from '../random.ts'

const distributions = ['uniform', 'normal', 'lognormal', 'pareto'] as const
export type Distribution = (typeof distributions)[number]

export interface Spread {
  jitter: number
  distribution: Distribution
}

/** Timers cannot wait longer (2^31 ms). */
const longestMs = 2_000_000_000

/** How times vary. */
export const spreadAttributes: AttributeTable<Spread> = {
  jitter: milliseconds({ initial: 0, help: 'how far times vary, in milliseconds' }),
  distribution: quiet(
    oneOf(distributions, {
      initial: 'uniform',
      help: 'uniform: up to jitter less or more; of the others jitter is the standard deviation',
    }),
  ),
}

/**
 * A time around `middle`, in milliseconds from 0. Uniform takes it from [middle - jitter, middle + jitter), and what is negative is
 * none. Of the others the mean is `middle` and the standard deviation `jitter`; the parameters follow from both by the method
 * of moments. A lognormal or Pareto time is never under 0, so one with a mean of 0 is 0.
 */
export function timeAround(middle: number, { jitter, distribution }: Spread, random: Random): number {
  if (jitter === 0) return middle
  const ms = drawn[distribution](middle, jitter, random)
  return Math.min(Math.max(0, ms), longestMs)
}

const drawn: Readonly<Record<Distribution, (mean: number, jitter: number, random: Random) => number>> = {
  uniform: (mean, jitter, random) => mean + (2 * random.next() - 1) * jitter,
  normal: (mean, jitter, random) => mean + jitter * standardNormal(random),
  lognormal(mean, jitter, random) {
    if (mean === 0) return 0
    const variance = Math.log1p((jitter / mean) ** 2)
    return mean * Math.exp(Math.sqrt(variance) * standardNormal(random) - variance / 2)
  },
  pareto(mean, jitter, random) {
    if (mean === 0) return 0
    const shape = 1 + Math.sqrt(1 + (mean / jitter) ** 2)
    const least = (mean * (shape - 1)) / shape
    return least * (1 - random.next()) ** (-1 / shape)
  },
}

/** Box and Muller, 1958; the second of the pair is not kept, so that each time takes as many draws. */
function standardNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()))
  return radius * Math.cos(2 * Math.PI * random.next())
}
