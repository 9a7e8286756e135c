import { ChaosError } from '../errors.ts'
import type { ProxyOptions, TlsOptions } from '../proxy/options.ts'
import type { Proxies } from '../proxy/proxies.ts'
import type { Proxy } from '../proxy/proxy.ts'
import { findProtocol } from '../protocols/registry.ts'
import { parseBehaviors } from '../rules/behaviors.ts'
import { parseRule } from '../rules/parse-rule.ts'
import type { FaultRequest } from '../rules/rule.ts'
import { behaviorOf } from './behavior.ts'
import { Fields } from './fields.ts'
import { badBody, Refusal, refusalOf } from './refusal.ts'
import { faultRequestOf, toxicsJson, type ToxicJson } from './toxic-json.ts'

/** A proxy as Toxiproxy shows it, and what is ours: protocol, seed, behavior. */
export interface ProxyJson {
  name: string
  listen: string
  upstream: string
  enabled: boolean
  toxics: ToxicJson[]
  protocol: string
  seed: number
  behavior: string
}

export function proxyJson(proxy: Proxy): ProxyJson {
  const { name, listen, backend, enabled, protocol, seed } = proxy
  const rules = proxy.rules.all()
  return {
    name,
    listen,
    upstream: backend,
    enabled,
    toxics: toxicsJson(rules),
    protocol: protocol.name,
    seed,
    behavior: behaviorOf(rules).text,
  }
}

/** @throws {Refusal} 404 */
export function findProxy(proxies: Proxies, name: string): Proxy {
  try {
    return proxies.get(name)
  } catch (error) {
    throw refusalOf(error, 'proxy')
  }
}

/** A proxy that somebody asks for. */
export interface WantedProxy extends ProxyOptions {
  name: string
  enabled: boolean
  faults: readonly FaultRequest[]
  /** Faults or behaviors were named, if only as none. */
  namesFaults: boolean
}

const longestName = 200

/**
 * Checks all of it: what is left to go wrong is the address.
 *
 * @param place in words, behind the name of a field
 * @throws {Refusal} 400
 */
export function wantedProxyOf(value: unknown, place = ''): WantedProxy {
  const fields = new Fields(value, 'a proxy')
  const name = fields.text('name') ?? ''
  const upstream = fields.text('upstream') ?? ''
  if (name === '') throw new Refusal(400, `missing required field: name${place}`)
  if (upstream === '') throw new Refusal(400, `missing required field: upstream${place}`)
  if (name.length > longestName) throw badBody(`name has more than ${longestName} characters`)
  const seed = fields.number('seed')
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0))
    throw badBody(`seed must be a whole number from 0, not ${seed}`)
  const listen = fields.text('listen') ?? ''
  const tls = fields.object('tls') as TlsOptions | undefined
  const { protocol, faults, namesFaults } = faultsOf(fields)
  return {
    name,
    ...(listen === '' ? {} : { listen }),
    backend: upstream,
    enabled: fields.flag('enabled') ?? true,
    protocol,
    ...(seed === undefined ? {} : { seed }),
    ...(tls === undefined ? {} : { tls }),
    faults,
    namesFaults,
  }
}

function faultsOf(fields: Fields): { protocol: string; faults: FaultRequest[]; namesFaults: boolean } {
  const toxics = fields.list('toxics')
  const behavior = fields.text('behavior')
  try {
    const protocol = findProtocol(fields.text('protocol') || 'tcp')
    const named = (toxics ?? []).map((toxic) => faultRequestOf(toxic, protocol))
    // What a proxy is shown as has its behaviors in both places: in `toxics` with their options.
    const behaviors = parseBehaviors(behavior ?? 'dummy').filter(
      (request) => !named.some(({ name }) => name === request.name),
    )
    const faults = [...behaviors, ...named]
    const names = new Set<string>()
    for (const { name } of faults.map((request) => parseRule(request, protocol))) {
      if (names.has(name)) throw new ChaosError('CHAOS_EXISTS', `two faults have the name ${name}`)
      names.add(name)
    }
    return {
      protocol: protocol.name,
      faults,
      namesFaults: toxics !== undefined || behavior !== undefined,
    }
  } catch (error) {
    throw refusalOf(error, 'toxic')
  }
}
