import { flag, oneOf, seconds, text, whole, type Attribute } from '../attributes.ts'
import { ChaosError } from '../errors.ts'
import { findProtocol, knownProtocols } from '../protocols/registry.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { TlsOptions } from '../proxy/options.ts'
import { parseBehaviors, type BehaviorAttributes } from '../rules/behaviors.ts'
import { parseRule } from '../rules/parse-rule.ts'
import type { FaultRequest } from '../rules/rule.ts'
import { address } from './address-attribute.ts'
import { childOf, entriesOf, itemsOf, type ConfigEntry, type ConfigNode } from './config-node.ts'
import type { Problems } from './problems.ts'
import type { NamedProxyOptions } from './proxy-config.ts'
import { definitionOf, readAttributesOf, readFault } from './read-fault.ts'
import { readFields, type Field } from './read-fields.ts'

/** Plain keys of a proxy. */
export const proxyAttributes = {
  listen: address('listen', 'where clients connect; port 0 takes any'),
  backend: address('backend', 'where their bytes go'),
  protocol: protocolName(),
  seed: whole({ initial: 0, help: 'the same seed makes the same decisions' }),
  enabled: flag({ initial: true, help: 'false: not listening until it is enabled' }),
  timeout: seconds({ initial: 30_000, min: 1, help: 'until a backend counts as not reached' }),
  halfClosedTimeout: seconds({
    initial: 300_000,
    min: 1,
    help: 'of silence after which a connection is ended of which one direction has ended',
  }),
  mirrorUpstream: flag({ initial: false, help: 'refuse connections while the backend cannot be reached' }),
  maxHeldBytes: whole({ initial: 0, min: 1, help: 'bytes that one direction of a connection may hold back' }),
} satisfies Record<string, Attribute<never> | Attribute<unknown>>

const path = (help: string) => text({ initial: '', help, most: 100_000 })

/** Keys of `tls`. */
export const tlsAttributes: { readonly [K in keyof Required<TlsOptions>]: Attribute<unknown> } = {
  cert: path('certificate that clients are shown: a file of PEM, or PEM itself'),
  key: path('its key'),
  ca: path('who signed the certificate of the backend'),
  clientCert: path('certificate that the backend asks for'),
  clientKey: path('its key'),
  serverName: text({ initial: '', help: 'name that is asked for and verified' }),
  verify: flag({ initial: true, help: 'false: any certificate of the backend will do' }),
  certificate: oneOf(['good', 'expired', 'not-yet-valid', 'wrong-name', 'self-signed'], {
    initial: 'good',
    help: 'what is wrong with our own certificate: for tests of clients',
  }),
  mode: oneOf(['opaque'], { initial: 'opaque', help: 'opaque: TLS goes through as it is' }),
}

/** Reads a proxy; without a name of its own it has that under which it stands. Null: it is none. */
export function readProxy(
  node: ConfigNode,
  name: string | null,
  problems: Problems,
): NamedProxyOptions | null {
  entriesOf(node, 'a proxy', problems)
  if (node.entries === null && node.value !== null) return null
  const called = name ?? stringOf(childOf(node, 'name')?.value)
  const whose = called === null || called === '' ? 'the proxy' : `proxy ${called}`
  if (called === null || called === '') problems.add(node.place, 'name of the proxy is missing')
  const protocol = protocolOf(node)
  const parts: Parts = { behavior: undefined, behaviors: {}, faults: [], tls: undefined }
  const read = (key: keyof typeof readers) => (entry: ConfigEntry) =>
    readers[key](entry, whose, protocol, parts, problems)
  const fields: Record<string, Field> = {
    ...(name === null ? { name: text({ initial: '', help: 'name of the proxy', most: 200 }) } : {}),
    ...proxyAttributes,
    upstream: proxyAttributes.backend,
    behavior: read('behavior'),
    behaviors: read('behaviors'),
    tls: read('tls'),
    faults: read('faults'),
    toxics: read('faults'),
  }
  const {
    timeout,
    halfClosedTimeout: halfClosed,
    upstream,
    ...values
  } = readFields(node, whose, fields, problems, ['Logger'])
  const found = { ...values, ...(upstream === undefined ? {} : { backend: upstream }) }
  if (values['backend'] !== undefined && upstream !== undefined)
    problems.add(node.place, `${whose} has both backend and upstream, which mean the same`)
  if (childOf(node, 'backend') === undefined && childOf(node, 'upstream') === undefined)
    problems.add(node.place, `backend of ${whose} is missing: write backend: HOST:PORT`)
  const options = {
    ...found,
    name: called ?? '',
    ...(timeout === undefined ? {} : { dialTimeoutMs: timeout as number }),
    ...(halfClosed === undefined ? {} : { halfClosedTimeoutMs: halfClosed as number }),
    ...(parts.behavior === undefined ? {} : { behavior: parts.behavior }),
    ...(parts.tls === undefined ? {} : { tls: parts.tls }),
    ...(Object.keys(parts.behaviors).length === 0 ? {} : { behaviors: parts.behaviors }),
    ...(parts.faults.length === 0 ? {} : { faults: parts.faults }),
  } as unknown as NamedProxyOptions
  checkBehavior(options, node, protocol, problems)
  return options
}

interface Parts {
  behavior: string | undefined
  faults: FaultRequest[]
  behaviors: Record<string, BehaviorAttributes>
  tls: TlsOptions | undefined
}

type Reader = (
  entry: ConfigEntry,
  whose: string,
  protocol: Protocol,
  parts: Parts,
  problems: Problems,
) => void

const readers = {
  behavior({ node }, _whose, _protocol, parts, problems) {
    const written = Array.isArray(node.value) ? node.value.join(',') : String(node.value)
    try {
      parseBehaviors(written)
      parts.behavior = written
    } catch (error) {
      if (!(error instanceof ChaosError)) throw error
      problems.add(node.place, error.message)
    }
  },
  behaviors({ node }, whose, protocol, parts, problems) {
    for (const entry of entriesOf(node, `behaviors of ${whose}`, problems)) {
      const definition = definitionOf(entry.key, entry.place, protocol, problems)
      if (definition === null) continue
      const own = entriesOf(entry.node, entry.key, problems)
      parts.behaviors[entry.key] = readAttributesOf(own, definition, entry.key, problems)
    }
  },
  tls({ node }, whose, _protocol, parts, problems) {
    parts.tls = readFields(node, `tls of ${whose}`, tlsAttributes, problems) as TlsOptions
  },
  faults({ node }, whose, protocol, parts, problems) {
    for (const item of itemsOf(node, `faults of ${whose}`, problems)) {
      const fault = readFault(item, protocol, problems)
      if (fault === null) continue
      if (parts.faults.some((each) => each.name === fault.name))
        problems.add(item.place, `${whose} has a fault ${fault.name} already; give this one another name`)
      parts.faults.push(fault)
    }
  },
} satisfies Record<string, Reader>

/** Behaviors are named in one place and have their options in another. */
function checkBehavior(
  options: NamedProxyOptions,
  node: ConfigNode,
  protocol: Protocol,
  problems: Problems,
): void {
  if (options.behavior === undefined) return
  const { place } = childOf(node, 'behavior') ?? node
  for (const request of parseBehaviors(options.behavior, (name) => options.behaviors?.[name] ?? {})) {
    if (definitionOf(request.type, place, protocol, problems) === null) continue
    if (options.faults?.some(({ name }) => name === request.name))
      problems.add(place, `there is a fault ${request.name} already; give it another name`)
    try {
      parseRule(request, protocol)
    } catch (error) {
      if (!(error instanceof ChaosError)) throw error
      // What is wrong with an attribute alone was told with its place.
      if (problems.count === 0) problems.add(place, error.message)
    }
  }
}

/** Faults are read as those of tcp where the protocol is wrong: that is told once, by its own key. */
function protocolOf(node: ConfigNode): Protocol {
  const name = childOf(node, 'protocol')?.value
  return knownProtocols().find((protocol) => protocol.name === name) ?? findProtocol('tcp')
}

function protocolName(): Attribute<string> {
  const names = () => knownProtocols().map((protocol) => protocol.name)
  return {
    help: 'how the bytes are understood',
    initial: 'tcp',
    get allowed() {
      return `one of ${names().join(', ')}`
    },
    read: (value) => (typeof value === 'string' && names().includes(value) ? value : undefined),
    show: (value) => value,
  }
}

function stringOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}
