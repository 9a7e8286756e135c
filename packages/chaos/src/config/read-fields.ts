import { said, type Attribute } from '../attributes.ts'
import type { ConfigEntry, ConfigNode } from './config-node.ts'
import { entriesOf, folded } from './config-node.ts'
import type { Problems } from './problems.ts'

/** What a key takes: a plain value that a reader checks, or a part of the file that is read on its own. */
export type Field = Attribute<unknown> | ((entry: ConfigEntry) => void)

/**
 * Reads a map whose keys are known, however they are spelled. A key without a value counts as not written.
 *
 * @param whose for messages: `proxy mysql`
 * @param ignored keys that are neither read nor wrong
 * @returns the plain values by key, only those that are written and right
 */
export function readFields(
  node: ConfigNode,
  whose: string,
  fields: Readonly<Record<string, Field>>,
  problems: Problems,
  ignored: readonly string[] = [],
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  const seen = new Set<string>()
  const names = new Map(Object.keys(fields).map((key) => [folded(key), key]))
  for (const entry of entriesOf(node, whose, problems)) {
    const key = names.get(folded(entry.key))
    const field = key === undefined ? undefined : fields[key]
    if (key === undefined || field === undefined) {
      if (!ignored.includes(entry.key))
        problems.addUnknown(entry.place, entry.key, whose, Object.keys(fields))
      continue
    }
    if (seen.has(key)) problems.add(entry.place, `${key} of ${whose} stands there twice`)
    seen.add(key)
    if (entry.node.value === null) continue
    if (typeof field === 'function') field(entry)
    else {
      const value = readValue(entry, field, whose, problems)
      if (value !== undefined) values[key] = value
    }
  }
  return values
}

/** A plain value; undefined: it is not allowed, and a problem is told. */
export function readValue<T>(
  { key, node }: ConfigEntry,
  attribute: Attribute<T>,
  whose: string,
  problems: Problems,
): T | undefined {
  const value = attribute.read(node.value)
  if (value === undefined)
    problems.add(node.place, `${key} of ${whose} must be ${attribute.allowed}, not ${said(node.value)}`)
  return value
}
