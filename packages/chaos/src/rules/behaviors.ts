import { said } from '../attributes.ts'
import { ChaosError } from '../errors.ts'
import type { FaultRequest } from './rule.ts'

/** Behaviors that every protocol has; `dummy` lets everything through. */
export const behaviorNames = ['abort', 'blackout', 'delay', 'dummy', 'error', 'hang', 'transient'] as const

/** Options by the name of the attribute, as JSON, a file or the command line give them. */
export type BehaviorAttributes = Readonly<Record<string, unknown>>

/** The draw that behaviors share. */
export const behaviorGroup = 'behaviors'

/**
 * Reads `20:delay,5:error`: percentages (also `0.5:error`) of units, of which each has one behavior or, with what is left to
 * 100, none. A single name without a number is 100 %. Any type of fault is a behavior, too.
 *
 * @param attributesOf the options of a behavior
 * @returns faults that share one draw; `dummy` takes its part of it and is none
 * @throws {ChaosError} CHAOS_ATTRIBUTE
 */
export function parseBehaviors(
  text: string,
  attributesOf: (behavior: string) => BehaviorAttributes = () => ({}),
): FaultRequest[] {
  const parts = partsOf(text)
  const requests: FaultRequest[] = []
  let sum = 0
  for (const { percent, name } of parts) {
    const from = Math.min(1, sum / 100)
    sum += percent
    const to = Math.min(1, sum / 100)
    if (name === 'dummy') continue
    if (requests.some((request) => request.name === name)) throw wrong(text, `${name} stands there twice`)
    requests.push({
      type: name,
      name,
      toxicity: Math.min(1, percent / 100),
      attributes: attributesOf(name),
      share: { draw: behaviorGroup, from, to },
    })
  }
  // Fractions such as 0.1 do not add up exactly.
  if (sum > 100 + 1e-9)
    throw wrong(text, `the percentages add up to ${Math.round(sum * 1e6) / 1e6}, more than 100`)
  return requests
}

/** The faults of a proxy: those of its behaviors first. */
export function faultsOf(options: {
  behavior?: string
  behaviors?: Readonly<Record<string, BehaviorAttributes>>
  faults?: readonly FaultRequest[]
}): FaultRequest[] {
  const { behavior = 'dummy', behaviors = {}, faults = [] } = options
  const attributesOf = (name: string) => (Object.hasOwn(behaviors, name) ? behaviors[name]! : {})
  return [...parseBehaviors(behavior, attributesOf), ...faults]
}

function partsOf(text: string): { percent: number; name: string }[] {
  const parts = text.split(',').map((part) => part.trim())
  return parts.map((part) => {
    if (parts.length === 1 && /^[A-Za-z_]\w{0,99}$/.test(part)) return { percent: 100, name: part }
    const [, percent, name] =
      /^(\d{1,3}(?:\.\d{1,9})?|\.\d{1,9})\s*%?\s*:\s*([A-Za-z_]\w{0,99})$/.exec(part) ?? []
    if (percent === undefined || name === undefined)
      throw wrong(text, part === '' ? 'a part is empty' : `${said(part)} is no PERCENT:NAME`)
    return { percent: Number(percent), name }
  })
}

function wrong(text: string, why: string): ChaosError {
  return new ChaosError('CHAOS_ATTRIBUTE', `behavior ${said(text)}: ${why}; write it as 20:delay,5:error`)
}
