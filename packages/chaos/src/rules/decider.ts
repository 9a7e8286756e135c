import type { Direction } from '../direction.ts'
import { uniformOf } from '../random.ts'
import { matches } from './matches.ts'
import type { Matchable } from './match.ts'
import type { Rule } from './rule.ts'

/** A unit that a rule hits, and what was drawn for it. */
export interface Hit {
  rule: Rule
  /** In [0, 1). */
  draw: number
}

/** Identifies a unit: of the kind of the rule that it is asked for. */
export interface Unit {
  connection: number
  direction: Direction
  /** 1, 2, 3 ... */
  ordinal: number
  /** Without port. */
  client: string
  /** Null: the unit is no request. */
  request: Matchable | null
}

/** Decides by recorded events in place of draws. */
export type Recorded = (rule: Rule, unit: Unit) => Hit | null

/** Whom the rules of a proxy hit. Decisions depend on the seed and on what they are for, never on the order of events. */
export class Decider {
  readonly seed: number
  readonly #proxy: string
  readonly #recorded: Recorded | null
  /** By rule and connection. */
  readonly #counts = new Map<string, Map<number, Count>>()

  constructor(seed: number, proxy: string, recorded: Recorded | null = null) {
    this.seed = seed
    this.#proxy = proxy
    this.#recorded = recorded
  }

  /** Asked once for each unit: counts of skipped and hit ones go on. */
  decide(rule: Rule, unit: Unit): Hit | null {
    if (rule.match !== null && !matches(rule.match, unit)) return null
    if (this.#recorded !== null) return this.#recorded(rule, unit)
    if (rule.skip > 0 || rule.every > 1 || rule.count !== null) return this.#counted(rule, unit)
    return this.#drawn(rule, unit)
  }

  /** What a rule has counted is forgotten: it was removed, or is to begin anew. */
  forget(rule: string): void {
    this.#counts.delete(rule)
  }

  /** A connection is over: what was counted for it alone is forgotten. */
  forgetConnection(connection: number): void {
    for (const counts of this.#counts.values()) counts.delete(connection)
  }

  #counted(rule: Rule, unit: Unit): Hit | null {
    let counts = this.#counts.get(rule.name)
    if (counts === undefined) this.#counts.set(rule.name, (counts = new Map<number, Count>()))
    const whose = rule.scope === 'proxy' ? wholeProxy : unit.connection
    let count = counts.get(whose)
    if (count === undefined) counts.set(whose, (count = { seen: 0, hit: 0 }))
    const place = count.seen++ - rule.skip
    if (place < 0 || place % rule.every !== 0) return null
    if (rule.count !== null && count.hit >= rule.count) return null
    const hit = this.#drawn(rule, unit)
    if (hit !== null) count.hit++
    return hit
  }

  #drawn(rule: Rule, unit: Unit): Hit | null {
    const { draw: name, from, to } = rule.share
    if (to <= from) return null
    const draw = uniformOf(
      this.seed,
      this.#proxy,
      unit.connection,
      unit.direction,
      name,
      rule.unit,
      unit.ordinal,
    )
    return draw >= from && draw < to ? { rule, draw } : null
  }
}

/** In place of a connection. */
const wholeProxy = 0

interface Count {
  seen: number
  hit: number
}
