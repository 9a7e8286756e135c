import type { Direction } from '../direction.ts'
import type { Rule } from '../rules/rule.ts'
import type { FaultRequest } from '../rules/rule.ts'

/** Raised when a reader of before could not understand it any more. */
export const logFormat = 1

/** First line of a log of events. */
export interface LogHeader {
  type: 'log'
  format: number
  version: string
  /** Epoch milliseconds. */
  at: number
  proxies: readonly LoggedProxy[]
}

/** A proxy as it was started: enough to start it again. */
export interface LoggedProxy {
  name: string
  listen: string
  backend: string
  protocol: string
  seed: number
  /** It has options of TLS, which are not told: they may be secrets. */
  tls: boolean
  faults: readonly FaultRequest[]
}

/** So many events had no room or could not be written, somewhere before this line. */
export interface LossEntry {
  type: 'lost'
  at: number
  events: number
  /** How many of them were faults. */
  faults: number
}

/** What the header says of a proxy. */
export function loggedProxy(
  proxy: {
    name: string
    listen: string
    backend: string
    protocol: { name: string }
    seed: number
    rules: { all(): readonly Rule[] }
  },
  tls: boolean,
): LoggedProxy {
  const { name, listen, backend, protocol, seed, rules } = proxy
  const faults = rules.all().map((rule) => ({
    name: rule.name,
    type: rule.type,
    stream: rule.stream as Direction,
    toxicity: rule.toxicity,
    attributes: rule.shown,
    share: rule.share,
  }))
  return { name, listen, backend, protocol: protocol.name, seed, tls, faults }
}
