import type { Direction } from '../direction.ts'
import type { FaultDefinition } from '../faults/definition.ts'
import type { Match } from './match.ts'

/**
 * What a fault is drawn for. connection: once per connection (and direction). request: for each request and its reply, where
 * the protocol has them; a connection of an unknown protocol is one request. chunk: for each piece of bytes as it was read.
 */
export type UnitKind = 'connection' | 'request' | 'chunk'

/** A share of what one draw decides: rules of one group never meet in one unit. [from, to) within [0, 1]. */
export interface Share {
  /** Part of the key of the draw: the rule's own name, or that of its group. */
  draw: string
  from: number
  to: number
}

/** A fault as it was asked for, checked: what a proxy does to whom. Immutable; a change makes another. */
export interface Rule<A = unknown> {
  /** Unique in its proxy, whatever the direction. */
  readonly name: string
  readonly definition: FaultDefinition<A>
  /** `error` where that was written, whose definition is that of the protocol. */
  readonly type: string
  readonly stream: Direction
  /** Share of units that are hit, 0 to 1; what the JSON of clients calls toxicity. */
  readonly toxicity: number
  readonly share: Share
  readonly unit: UnitKind
  readonly match: Match | null
  /** Units that match and are let through first; per connection, or of the whole proxy. */
  readonly skip: number
  /** The most units that are hit; null: no limit. */
  readonly count: number | null
  /** Of the matching units after `skip` only each nth. */
  readonly every: number
  readonly scope: 'connection' | 'proxy'
  /** As parsed: what faults read. */
  readonly attributes: A
  /** As asked for and completed by defaults, in units of the JSON: what clients are shown. */
  readonly shown: Readonly<Record<string, unknown>>
}

/** A fault as it is asked for: in code, in a file, by a client. */
export interface FaultRequest {
  type: string
  /** By default `TYPE_STREAM`. */
  name?: string | undefined
  stream?: string | undefined
  toxicity?: number | undefined
  attributes?: Readonly<Record<string, unknown>> | undefined
  /** Rules of one group share one draw, and so exclude each other. Internal to `20:delay,5:error`. */
  share?: Share | undefined
}
