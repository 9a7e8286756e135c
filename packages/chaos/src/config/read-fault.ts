import { share, text, type AttributeTable } from '../attributes.ts'
import { ChaosError } from '../errors.ts'
import { findFault, knownFaults } from '../faults/registry.ts'
import type { FaultDefinition } from '../faults/definition.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { parseRule, ruleAttributes } from '../rules/parse-rule.ts'
import type { FaultRequest } from '../rules/rule.ts'
import { entriesOf, type ConfigEntry, type ConfigNode } from './config-node.ts'
import { nearestOf } from './nearest.ts'
import type { Problems } from './problems.ts'
import { readFields, readValue } from './read-fields.ts'

const name = text({ initial: '', help: 'name of the fault', most: 200 })
const toxicity = share({ initial: 1, help: 'share of what is hit' })

/**
 * Reads a fault in either form: `{ fault: delay, rate: 20%, sleep: 2s }`, or `{ type, stream, toxicity, attributes }` as
 * clients of Toxiproxy write it. Null: something is wrong with it, and a problem is told.
 */
export function readFault(node: ConfigNode, protocol: Protocol, problems: Problems): FaultRequest | null {
  const before = problems.count
  const keys = entriesOf(node, 'a fault', problems).map(({ key }) => key)
  if (node.entries === null) return null
  const isFlat = keys.includes('fault')
  if (isFlat && keys.includes('type')) {
    problems.add(node.place, 'a fault has either fault: TYPE or type: TYPE, not both')
    return null
  }
  if (!isFlat && !keys.includes('type')) {
    problems.add(node.place, 'which fault? Write fault: TYPE, such as fault: delay')
    return null
  }
  const request = isFlat
    ? readFlat(node, protocol, problems)
    : readNested(node, node.entries, protocol, problems)
  return problems.count > before || request === null ? null : checked(request, node, protocol, problems)
}

/** Attributes of a fault, as they were written. */
export function readAttributesOf(
  entries: readonly ConfigEntry[],
  definition: FaultDefinition,
  whose: string,
  problems: Problems,
): Record<string, unknown> {
  const table = tableOf(definition)
  const attributes: Record<string, unknown> = {}
  for (const entry of entries) {
    const attribute = Object.hasOwn(table, entry.key) ? table[entry.key] : undefined
    if (attribute === undefined) problems.addUnknown(entry.place, entry.key, whose, Object.keys(table))
    else if (entry.node.value !== null) {
      readValue(entry, attribute, whose, problems)
      attributes[entry.key] = entry.node.value
    }
  }
  return attributes
}

function tableOf(definition: FaultDefinition): AttributeTable<Record<string, unknown>> {
  return { ...(definition.attributes as AttributeTable<Record<string, unknown>>), ...ruleAttributes }
}

/** The definition of a type; null: there is none, and a problem is told. */
export function definitionOf(
  type: unknown,
  place: string,
  protocol: Protocol,
  problems: Problems,
): FaultDefinition | null {
  const known = ['error', ...knownFaults().map((definition) => definition.type)]
  if (typeof type === 'string' && known.includes(type)) return findFault(type, protocol)
  const near = typeof type === 'string' ? nearestOf(type, known) : null
  const hint = near === null ? `known ones are ${known.join(', ')}` : `did you mean ${near}?`
  problems.add(place, `there is no fault ${String(type)}: ${hint}`)
  return null
}

function readFlat(node: ConfigNode, protocol: Protocol, problems: Problems): FaultRequest | null {
  const { fault, rest } = partOf(node.entries!, 'fault')
  const definition = definitionOf(fault!.node.value, fault!.node.place, protocol, problems)
  if (definition === null) return null
  const type = String(fault!.node.value)
  const request: FaultRequest = { type }
  const own: ConfigEntry[] = []
  // `rate` is the share of units, but of a fault that has a rate of its own, such as bandwidth, it is that.
  const hasRate = Object.hasOwn(definition.attributes, 'rate')
  for (const entry of rest) {
    if (entry.key === 'name') request.name = readValue(entry, name, type, problems)
    else if (entry.key === 'stream') request.stream = String(entry.node.value)
    else if (entry.key === 'toxicity' || (entry.key === 'rate' && !hasRate)) {
      if (request.toxicity !== undefined) problems.add(entry.place, `${type} has both rate and toxicity`)
      request.toxicity = readValue(entry, toxicity, type, problems)
    } else own.push(entry)
  }
  request.attributes = readAttributesOf(own, definition, type, problems)
  return request
}

function readNested(
  node: ConfigNode,
  entries: readonly ConfigEntry[],
  protocol: Protocol,
  problems: Problems,
): FaultRequest | null {
  const { fault } = partOf(entries, 'type')
  const definition = definitionOf(fault!.node.value, fault!.node.place, protocol, problems)
  if (definition === null) return null
  const type = String(fault!.node.value)
  let attributes: Record<string, unknown> = {}
  const values = readFields(
    node,
    `fault ${type}`,
    {
      name,
      type: text({ initial: '', help: 'type of the fault' }),
      stream: text({ initial: 'downstream', help: 'upstream or downstream' }),
      toxicity,
      attributes: (entry) => {
        const own = entriesOf(entry.node, `attributes of ${type}`, problems)
        attributes = readAttributesOf(own, definition, type, problems)
      },
    },
    problems,
  )
  return { ...values, type, attributes }
}

function partOf(entries: readonly ConfigEntry[], key: string) {
  return {
    fault: entries.find((entry) => entry.key === key),
    rest: entries.filter((entry) => entry.key !== key),
  }
}

/** What is wrong with the whole is only known when it is put together. */
function checked(
  request: FaultRequest,
  { place }: ConfigNode,
  protocol: Protocol,
  problems: Problems,
): FaultRequest | null {
  try {
    // The name that it gets is told, so that two without one are seen to have the same.
    return { ...request, name: parseRule(request, protocol).name }
  } catch (error) {
    if (!(error instanceof ChaosError)) throw error
    problems.add(place, error.message)
    return null
  }
}
