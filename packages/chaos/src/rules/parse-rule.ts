import {
  oneOf,
  optional,
  readAttributes,
  showAttributes,
  whole,
  type Attribute,
  type AttributeTable,
} from '../attributes.ts'
import { directions, type Direction } from '../direction.ts'
import { ChaosError } from '../errors.ts'
import type { FaultDefinition } from '../faults/definition.ts'
import { findFault } from '../faults/registry.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Match } from './match.ts'
import { readMatch } from './read-match.ts'
import type { FaultRequest, Rule, UnitKind } from './rule.ts'

/** What every rule has, whatever its fault; clients send it among the attributes. */
interface RuleAttributes {
  unit: UnitKind | null
  match: Match | null
  skip: number
  count: number | null
  every: number
  scope: 'connection' | 'proxy'
}

const match: Attribute<Match | null> = {
  help: 'which requests: verb, path, header, text, client; * stands for any text',
  initial: null,
  allowed:
    'an object with verb, path, header, text or client, or the same as a text: verb=GET,HEAD path=/users/*',
  read: readMatch,
  show: (value) => value,
}

/** Attributes of every rule. */
export const ruleAttributes: AttributeTable<RuleAttributes> = {
  unit: optional(
    oneOf(['connection', 'request', 'chunk'], { initial: 'request', help: 'what is drawn for' }),
  ),
  match,
  skip: whole({ initial: 0, help: 'units that are let through first' }),
  count: optional(whole({ initial: 0, help: 'units that are hit at most' })),
  every: whole({ initial: 1, min: 1, help: 'of the units only each nth' }),
  scope: oneOf(['connection', 'proxy'], {
    initial: 'proxy',
    help: 'whose units skip, count and every count',
  }),
}

/**
 * Checks a fault that somebody asks for.
 *
 * @param terminatesTls whether the proxy speaks TLS with its clients; undefined: not known yet
 * @throws {ChaosError} CHAOS_UNKNOWN_FAULT, CHAOS_ATTRIBUTE (also a wrong stream or toxicity), CHAOS_PROTOCOL
 */
export function parseRule(request: FaultRequest, protocol: Protocol, terminatesTls?: boolean): Rule {
  const definition: FaultDefinition = findFault(request.type, protocol)
  const stream = streamOf(request.stream)
  const { toxicity = 1 } = request
  if (typeof toxicity !== 'number' || !(toxicity >= 0 && toxicity <= 1))
    throw new ChaosError('CHAOS_ATTRIBUTE', `toxicity must be a share from 0 to 1, not ${String(toxicity)}`)
  const name = request.name || `${request.type}_${stream}`
  const written = request.attributes ?? {}
  const table = { ...(definition.attributes as AttributeTable<Record<string, unknown>>), ...ruleAttributes }
  const unknown = Object.keys(written).filter((key) => !Object.hasOwn(table, key))
  if (unknown.length > 0) {
    const known = Object.keys(table).join(', ')
    throw new ChaosError('CHAOS_ATTRIBUTE', `${request.type} has no ${unknown.join(', ')}; it has ${known}`)
  }
  const own = readAttributes(ruleAttributes, written, name)
  const attributes: unknown = readAttributes(
    definition.attributes as AttributeTable<Record<string, unknown>>,
    written,
    name,
  )
  const unit = own.unit ?? definition.units[0]!
  if (!definition.units.includes(unit)) {
    const units = definition.units.join(' or ')
    throw new ChaosError('CHAOS_ATTRIBUTE', `unit of ${request.type} must be ${units}, not ${unit}`)
  }
  if (unit !== 'request' && own.match !== null && Object.keys(own.match).some((key) => key !== 'client'))
    throw new ChaosError('CHAOS_ATTRIBUTE', `match of ${name} names requests, but its unit is the ${unit}`)
  const problem = definition.check?.(attributes, { protocol, stream, unit, terminatesTls }) ?? null
  if (problem !== null) throw new ChaosError('CHAOS_ATTRIBUTE', `${name}: ${problem}`)
  return {
    name,
    type: request.type,
    definition,
    stream,
    toxicity,
    share: request.share ?? { draw: name, from: 0, to: toxicity },
    ...own,
    count: own.count ?? definition.count?.(attributes) ?? null,
    unit,
    attributes,
    shown: shownOf(definition, attributes, own),
  }
}

/**
 * The rule with attributes merged and another toxicity.
 *
 * @throws {ChaosError} CHAOS_ATTRIBUTE
 */
export function changeRule(
  rule: Rule,
  changes: { attributes?: Readonly<Record<string, unknown>> | undefined; toxicity?: number | undefined },
  protocol: Protocol,
  terminatesTls?: boolean,
): Rule {
  const { name, type, stream } = rule
  const toxicity = changes.toxicity ?? rule.toxicity
  const attributes = { ...rule.shown, ...changes.attributes }
  const isOfGroup = rule.share.draw !== name
  const { draw, from } = rule.share
  // Of a draw that is shared it has another part, from where its own began.
  const share = isOfGroup
    ? { share: { draw, from, to: toxicity === rule.toxicity ? rule.share.to : from + toxicity } }
    : {}
  return parseRule({ name, type, stream, toxicity, attributes, ...share }, protocol, terminatesTls)
}

function shownOf(
  definition: FaultDefinition,
  attributes: unknown,
  own: RuleAttributes,
): Record<string, unknown> {
  const shown = showAttributes(
    definition.attributes as AttributeTable<Record<string, unknown>>,
    attributes as Record<string, unknown>,
  )
  // What stands at its default says nothing, and is none of the attributes that clients know.
  for (const [key, value] of Object.entries(showAttributes(ruleAttributes, own)))
    if (value !== ruleAttributes[key as keyof RuleAttributes].initial) shown[key] = value
  return shown
}

function streamOf(text: string | undefined): Direction {
  const wanted = (text || 'downstream').toLowerCase()
  const stream = directions.find((each) => each === wanted)
  if (stream === undefined)
    throw new ChaosError('CHAOS_ATTRIBUTE', 'stream was invalid, can be either upstream or downstream')
  return stream
}
