import { oneOf, quiet, type Attribute, type AttributeTable, type TimeAttribute } from '../attributes.ts'
import { pickWeighted, type Weighted } from '../protocols/weighted.ts'
import type { Random } from '../random.ts'

const distributions = ['uniform', 'normal', 'lognormal', 'pareto'] as const
export type Distribution = (typeof distributions)[number]

export interface Spread {
  jitter: number
  distribution: Distribution
  /** In place of all else; milliseconds. */
  times: readonly Weighted<number>[] | null
}

/** Timers cannot wait longer (2^31 ms). */
const longestMs = 2_000_000_000

/** Times of one list. */
const mostTimes = 1000

/** How times vary. @param time `milliseconds` or `seconds`: what a bare number means */
export function spreadAttributes(time: TimeAttribute): AttributeTable<Spread> {
  return {
    jitter: time({ initial: 0, help: `how far times vary, in ${time.name}` }),
    distribution: quiet(
      oneOf(distributions, {
        initial: 'uniform',
        help: 'uniform: up to jitter less or more; of the others jitter is the standard deviation',
      }),
    ),
    times: timesAttribute(time),
  }
}

/** Times as they were measured somewhere. */
function timesAttribute(time: TimeAttribute): Attribute<readonly Weighted<number>[] | null> {
  const one = time({ initial: 0, help: '' })
  const readOne = (written: unknown): Weighted<number> | undefined => {
    const [, text, weight] = /^([^:]+)(?::(\d{1,9}))?$/.exec(String(written)) ?? []
    const item = text === undefined ? undefined : one.read(text)
    return item === undefined || weight === '0' ? undefined : { item, weight: Number(weight ?? 1) }
  }
  return {
    help: `one of these times in place of all that, each as likely as its weight, in ${time.name}: 10, 250:3`,
    initial: null,
    allowed: `1 to ${mostTimes} times in ${time.name}, or such as 250ms, each with a weight if need be: 10, 250:3`,
    read(value) {
      const list: unknown =
        typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [value]
      const written = list as unknown[]
      if (written.length === 0 || written.length > mostTimes) return undefined
      const found = written.map(readOne)
      return found.every((each) => each !== undefined) ? found : undefined
    },
    show: (value) =>
      value?.map(({ item, weight }) =>
        weight === 1 ? one.show(item) : `${String(one.show(item))}:${weight}`,
      ) ?? null,
  }
}

/**
 * A time around `middle`, in milliseconds from 0. Uniform takes it from [middle - jitter, middle + jitter), and what is negative is
 * none. Of the others the mean is `middle` and the standard deviation `jitter`; the parameters follow from both by the method
 * of moments. A lognormal or Pareto time is never under 0, so one with a mean of 0 is 0.
 */
export function timeAround(middle: number, { jitter, distribution, times }: Spread, random: Random): number {
  if (times !== null) return pickWeighted(times, random)
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
