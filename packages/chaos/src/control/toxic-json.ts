import { findFault } from '../faults/registry.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { FaultRequest, Rule, Share } from '../rules/rule.ts'
import { Fields } from './fields.ts'
import { attributesAsMeant } from './known-by-clients.ts'
import { badBody, refusalOf } from './refusal.ts'

/** A rule as Toxiproxy shows a toxic. */
export interface ToxicJson {
  attributes: Readonly<Record<string, unknown>>
  name: string
  type: string
  stream: string
  toxicity: number
  /** Only of rules that exclude each other. */
  share?: Share
}

export function toxicJson({ shown, name, type, stream, toxicity, share }: Rule): ToxicJson {
  const own = { attributes: shown, name, type, stream, toxicity }
  return share.draw === name ? own : { ...own, share }
}

/** Upstream ones first, each in order of creation. */
export function toxicsJson(rules: readonly Rule[]): ToxicJson[] {
  const of = (stream: string) => rules.filter((rule) => rule.stream === stream).map(toxicJson)
  return [...of('upstream'), ...of('downstream')]
}

/** Characters of names, which go into events. */
export const longestName = 200

/** @throws {Refusal} 400 */
export function faultRequestOf(value: unknown, protocol: Protocol): FaultRequest {
  const fields = new Fields(value, 'a toxic')
  const type = fields.text('type') ?? ''
  const name = fields.text('name')
  if (name !== undefined && name.length > longestName)
    throw badBody(`name of a toxic has more than ${longestName} characters`, 'name')
  const stream = fields.text('stream')
  const toxicity = fields.number('toxicity')
  const share = shareOf(fields.object('share'))
  const written = fields.object('attributes') ?? {}
  try {
    const attributes = attributesAsMeant(findFault(type, protocol), written)
    return { type, name, stream, toxicity, attributes, share }
  } catch (error) {
    throw refusalOf(error, 'toxic')
  }
}

function shareOf(value: Readonly<Record<string, unknown>> | undefined): Share | undefined {
  if (value === undefined) return undefined
  const fields = new Fields(value)
  const draw = fields.text('draw')
  const from = fields.number('from')
  const to = fields.number('to')
  if (
    draw === undefined ||
    draw.length > longestName ||
    from === undefined ||
    to === undefined ||
    from < 0 ||
    to > 1 ||
    from > to
  )
    throw badBody('share must have a draw, and from and to between 0 and 1')
  return { draw, from, to }
}
