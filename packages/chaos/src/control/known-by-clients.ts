import type { AttributeTable } from '../attributes.ts'
import type { FaultDefinition } from '../faults/definition.ts'
import { ruleAttributes } from '../rules/parse-rule.ts'

/** Types that clients of Toxiproxy know. */
const types: ReadonlySet<string> = new Set([
  'bandwidth',
  'latency',
  'limit_data',
  'noop',
  'reset_peer',
  'slicer',
  'slow_close',
  'timeout',
])

export function isKnownByClients(type: string): boolean {
  return types.has(type)
}

/**
 * Attributes as they are meant. Those of types that clients know may have keys in any case, null for what is not said, and
 * keys of other servers, which mean nothing here. Those of other types stay as they are: a slip of the pen is told.
 */
export function attributesAsMeant(
  definition: FaultDefinition,
  written: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (!isKnownByClients(definition.type)) return written
  const table = { ...(definition.attributes as AttributeTable<Record<string, unknown>>), ...ruleAttributes }
  const keys = new Map(Object.keys(table).map((key) => [key.toLowerCase(), key]))
  const meant = new Map<string, unknown>()
  for (const [key, value] of Object.entries(written)) {
    const known = keys.get(key.toLowerCase())
    if (known !== undefined && value !== null && (key === known || !meant.has(known))) meant.set(known, value)
  }
  return Object.fromEntries(meant)
}
