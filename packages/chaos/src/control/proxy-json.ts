import { said } from '../attributes.ts'
import { tlsAttributes } from '../config/read-proxy.ts'
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
import { faultRequestOf, longestName, toxicsJson, type ToxicJson } from './toxic-json.ts'

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
  /** PEM of the authority that clients are to trust, where the proxy made one for its certificate. */
  tls?: { authority: string }
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
    ...(proxy.authority === null ? {} : { tls: { authority: proxy.authority } }),
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

/**
 * Checks all of it: what is left to go wrong is the address.
 *
 * @param which of several it is, in words that follow the name of a field
 * @throws {Refusal} 400
 */
export function wantedProxyOf(value: unknown, which = ''): WantedProxy {
  const fields = new Fields(value, 'a proxy')
  const name = fields.text('name') ?? ''
  const upstream = fields.text('upstream') ?? ''
  if (name === '') throw new Refusal(400, `missing required field: name${which}`)
  if (upstream === '') throw new Refusal(400, `missing required field: upstream${which}`)
  if (name.length > longestName) throw badBody(`name has more than ${longestName} characters`)
  const seed = fields.number('seed')
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0))
    throw badBody(`seed must be a whole number from 0, not ${seed}`)
  const written = fields.object('tls')
  const tls = tlsOf(written)
  const place = fields.text('listen') ?? ''
  // As it is shown, a place says nothing of TLS; that there is an authority does.
  const terminates = written !== undefined && Object.hasOwn(written, shownOnly)
  const listen = terminates && place !== '' && !place.startsWith('tls://') ? `tls://${place}` : place
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

/** What is shown of it says nothing about how it is to be. */
const shownOnly = 'authority'

function tlsOf(written: Readonly<Record<string, unknown>> | undefined): TlsOptions | undefined {
  if (written === undefined) return undefined
  const tls = new Map<string, unknown>()
  for (const [key, value] of Object.entries(written)) {
    if (value === null || key === shownOnly) continue
    if (!Object.hasOwn(tlsAttributes, key))
      throw badBody(`tls has no ${key}; it has ${Object.keys(tlsAttributes).join(', ')}`)
    const attribute = tlsAttributes[key as keyof TlsOptions]
    const read = attribute.read(value)
    if (read === undefined) throw badBody(`${key} of tls must be ${attribute.allowed}, not ${said(value)}`)
    tls.set(key, read)
  }
  return tls.size === 0 ? undefined : Object.fromEntries(tls)
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
