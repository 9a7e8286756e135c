import { findFault, findProtocol, knownFaults, knownProtocols, ruleAttributes } from '@loads-runner/chaos'
import type { Attribute, AttributeTable } from '@loads-runner/chaos'
import type { OptionRow, OptionTable } from '../option-table.ts'

/** Texts of the options `--behavior-NAME-OPTION`, by key. */
export type BehaviorSettings = Record<string, string | null>

export interface BehaviorOption {
  behavior: string
  attribute: string
}

/** A row for each attribute of each fault that is known now; those of modules must be loaded before. */
export function behaviorOptions(): {
  table: OptionTable<BehaviorSettings>
  options: ReadonlyMap<string, BehaviorOption>
} {
  const table: Record<string, OptionRow<string | null>> = {}
  const options = new Map<string, BehaviorOption>()
  for (const behavior of ['error', ...knownFaults().map(({ type }) => type)]) {
    for (const [name, attribute] of Object.entries(attributesOf(behavior))) {
      const written = `behavior-${behavior}-${name}`
      const option = written.replaceAll('_', '-')
      const key = option.replaceAll(/-+(\w)/g, (_, letter: string) => letter.toUpperCase())
      if (options.has(key)) continue
      options.set(key, { behavior, attribute: name })
      table[key] = {
        // A flag may be given without a value, as it could be in Vaurien.
        flags: `--${option} ${typeof attribute.initial === 'boolean' ? '[BOOL]' : '<VALUE>'}`,
        group: 'Behaviors:',
        help: attribute.help,
        initial: null,
        parse: (text) => text,
        ...(written === option ? {} : { aliases: [written] }),
      }
    }
  }
  return { table, options }
}

/** What an option must be where it is used; null: it is right. */
export function behaviorProblem({ behavior, attribute }: BehaviorOption, text: string, protocol: string) {
  const definition = findFault(behavior, findProtocol(protocol))
  const table: AttributeTable<Record<string, unknown>> = {
    ...(definition.attributes as AttributeTable<Record<string, unknown>>),
    ...ruleAttributes,
  }
  const found: Attribute<unknown> | undefined = Object.hasOwn(table, attribute) ? table[attribute] : undefined
  if (found === undefined)
    return `${definition.type} has no ${attribute}; it has ${Object.keys(table).join(', ')}`
  return found.read(text) === undefined ? `must be ${found.allowed}, not "${text}"` : null
}

/** What `error` takes depends on the protocol. */
function attributesOf(behavior: string): Record<string, Attribute<unknown>> {
  const definitions =
    behavior === 'error'
      ? knownProtocols().map(({ error }) => error)
      : knownFaults().filter(({ type }) => type === behavior)
  const tables = definitions.map(({ attributes }) => attributes as AttributeTable<Record<string, unknown>>)
  return Object.assign({}, ...tables, ruleAttributes) as Record<string, Attribute<unknown>>
}
