import {
  findFault,
  findProtocol,
  flag,
  fromVaurien,
  knownFaults,
  knownProtocols,
  ruleAttributes,
  vaurienOptions,
  whole,
} from '@loads-runner/chaos'
import type { Attribute, AttributeTable, FaultDefinition } from '@loads-runner/chaos'
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

/**
 * What an option is on a protocol, as attributes; a text says what is wrong with it. None: it means nothing there any more.
 */
export function behaviorAttributes(
  { behavior, attribute }: BehaviorOption,
  text: string,
  protocol: string,
): Record<string, unknown> | string {
  const found = findProtocol(protocol)
  const definition = findFault(behavior, found)
  const table = tableOf(definition)
  const attributes = fromVaurien(behavior, found, { [attribute]: text })
  for (const [name, value] of Object.entries(attributes)) {
    const known = Object.hasOwn(table, name) ? table[name] : undefined
    if (known === undefined)
      return `${behavior} of ${protocol} has no ${name}; it has ${Object.keys(table).join(', ')}`
    if (known.read(value) === undefined) return `must be ${known.allowed}, not "${text}"`
  }
  return attributes
}

/** What `error` takes depends on the protocol. */
function attributesOf(behavior: string): Table {
  const tables = knownProtocols().map((protocol) => tableOf(findFault(behavior, protocol)))
  const all = Object.assign({}, ...tables) as Record<string, Attribute<unknown>>
  if (behavior !== 'error' && behavior !== 'transient') return all
  return { ...all, ...Object.fromEntries(vaurienOptions.map((name) => [name, vaurien[name]])) }
}

const vaurien = {
  inject: flag({ initial: false, help: "Vaurien's: bytes among those of the backend, not in their place" }),
  warmup: whole({ initial: 0, help: "Vaurien's: the same as skip" }),
}

type Table = AttributeTable<Record<string, unknown>>

function tableOf({ attributes }: FaultDefinition): Table {
  return { ...(attributes as Table), ...ruleAttributes }
}
