import type { Direction } from '../direction.ts'
import type { ProxyOptions } from '../proxy/options.ts'
import type { FaultRequest } from '../rules/rule.ts'

/** What a proxy is made of that is elsewhere. */
export type RemoteProxyOptions = Pick<
  ProxyOptions,
  'listen' | 'backend' | 'protocol' | 'tls' | 'seed' | 'behavior' | 'faults' | 'enabled'
> & { name: string }

/** A proxy that is elsewhere, as it is now. */
export interface ProxyState {
  name: string
  /** HOST:PORT as it is bound; as given while it is not. */
  listen: string
  backend: string
  enabled: boolean
  /** Null, as the next two: the server is none of ours. */
  protocol: string | null
  seed: number | null
  /** As in `20:delay,5:error`; `dummy` is none. */
  behavior: string | null
  /** Upstream ones first, each in order of creation. */
  faults: readonly FaultState[]
}

export interface FaultState {
  name: string
  type: string
  stream: Direction
  toxicity: number
  /** Completed by defaults. */
  attributes: Readonly<Record<string, unknown>>
}

/** Attributes that stock servers ignore, whatever the fault. */
const ownAttributes = ['unit', 'match', 'skip', 'count', 'every', 'scope'] as const

export function proxyStateOf(answer: unknown): ProxyState {
  const { name, listen, upstream, enabled, protocol, seed, behavior, toxics } = answer as Record<
    string,
    unknown
  >
  return {
    name: name as string,
    listen: listen as string,
    backend: upstream as string,
    enabled: enabled as boolean,
    protocol: (protocol as string | undefined) ?? null,
    seed: (seed as number | undefined) ?? null,
    behavior: (behavior as string | undefined) ?? null,
    faults: ((toxics ?? []) as unknown[]).map(faultStateOf),
  }
}

export function faultStateOf(answer: unknown): FaultState {
  const { name, type, stream, toxicity, attributes } = answer as FaultState
  return { name, type, stream, toxicity, attributes }
}

export function proxyBodyOf({ backend, faults, ...same }: RemoteProxyOptions): Record<string, unknown> {
  return { ...same, upstream: backend, ...(faults === undefined ? {} : { toxics: faults }) }
}

/** What of a wish only servers of ours understand; null: nothing. */
export function ownKeysOf(options: RemoteProxyOptions): string | null {
  const keys = (['protocol', 'tls', 'seed', 'behavior', 'faults'] as const).filter(
    (key) => options[key] !== undefined,
  )
  return keys.length === 0 ? null : keys.join(', ')
}

export function ownAttributesOf({ attributes = {} }: Pick<FaultRequest, 'attributes'>): string | null {
  const keys = ownAttributes.filter((key) => Object.hasOwn(attributes, key))
  return keys.length === 0 ? null : keys.join(', ')
}
