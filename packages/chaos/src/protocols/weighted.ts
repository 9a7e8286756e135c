import type { Random } from '../random.ts'

export interface Weighted<T> {
  readonly item: T
  /** Above 0. */
  readonly weight: number
}

/** One of them, the more likely the more it weighs. */
export function pickWeighted<T>(choices: readonly Weighted<T>[], random: Random): T {
  const total = choices.reduce((sum, { weight }) => sum + weight, 0)
  let place = random.next() * total
  for (const { item, weight } of choices) {
    place -= weight
    if (place < 0) return item
  }
  return choices.at(-1)!.item
}
