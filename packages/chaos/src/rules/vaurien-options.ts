import type { AttributeTable } from '../attributes.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { BehaviorAttributes } from './behaviors.ts'

/** Options of `error` and `transient` in Vaurien that have other names here. */
export const vaurienOptions = ['inject', 'warmup'] as const

/**
 * Options of behaviors as Vaurien called them, under the names of our attributes; others stay as they are. `warmup` is how many
 * units are let through first. `inject` says whether random bytes come in place of others or among them; where the error of
 * the protocol is a real one it says nothing, and is left out.
 */
export function fromVaurien(
  behavior: string,
  protocol: Protocol,
  options: BehaviorAttributes,
): Record<string, unknown> {
  if (behavior !== 'error' && behavior !== 'transient') return { ...options }
  const table = protocol.error.attributes as unknown as AttributeTable<Record<string, unknown>>
  const found: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    if (Object.hasOwn(table, key)) found[key] = value
    else if (key === 'warmup') found['skip'] = value
    else if (key !== 'inject') found[key] = value
    else if (Object.hasOwn(table, 'mode') && table['mode']!.read('inject') !== undefined)
      found['mode'] = value === true || value === '' || value === 'true' ? 'inject' : 'replace'
  }
  return found
}
