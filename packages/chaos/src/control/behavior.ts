import { behaviorGroup, type BehaviorAttributes } from '../rules/behaviors.ts'
import type { Rule } from '../rules/rule.ts'

/** What of a proxy's rules its behaviors are, and what is said of them. */
export interface Behavior {
  /** `dummy`, a single name for 100 %, or as in `20:delay,5:error`. */
  text: string
  /** Options by name. */
  options: Readonly<Record<string, BehaviorAttributes>>
}

export function behaviorOf(rules: readonly Rule[]): Behavior {
  const own = behaviorRules(rules)
  const options = Object.fromEntries(own.map(({ name, shown }) => [name, shown]))
  if (own.length === 0) return { text: 'dummy', options }
  const [first] = own
  if (own.length === 1 && first!.share.from === 0 && first!.share.to === 1)
    return { text: first!.type, options }
  const parts: string[] = []
  let at = 0
  for (const { share, type } of own) {
    if (share.from > at) parts.push(`${percentOf(share.from - at)}:dummy`)
    parts.push(`${percentOf(share.to - share.from)}:${type}`)
    at = share.to
  }
  return { text: parts.join(','), options }
}

function percentOf(share: number): number {
  return Math.round(share * 1e8) / 1e6
}

function behaviorRules(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter(({ share }) => share.draw === behaviorGroup)
}
