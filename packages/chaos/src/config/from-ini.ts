import { childOf, folded, type ConfigEntry, type ConfigNode } from './config-node.ts'
import { mapNode, valueNode } from './ini-nodes.ts'
import { nearestOf } from './nearest.ts'
import type { Problems } from './problems.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { findProtocol, knownProtocols } from '../protocols/registry.ts'
import { fromVaurien } from '../rules/vaurien-options.ts'

/** Keys of the main section and where they stand in a file of ours. */
const proxyKeys: Readonly<Record<string, string>> = {
  proxy: 'listen',
  listen: 'listen',
  backend: 'backend',
  protocol: 'protocol',
  behavior: 'behavior',
  timeout: 'timeout',
  seed: 'seed',
  enabled: 'enabled',
  mirrorupstream: 'mirrorUpstream',
}
const controlKeys: Readonly<Record<string, string>> = { httphost: 'host', httpport: 'port', token: 'token' }
const ownKeys = ['modules', 'events', 'name', 'http']

/** Keys that meant something to Vaurien, and why they do not any more. */
const pastKeys: Readonly<Record<string, string>> = {
  stayconnected: 'connections stay until a side ends them',
  bufsize: 'reads are as large as they come',
  poolmaxsize: 'each client has a connection of its own to the backend, because a pool hides faults',
  pooltimeout: 'each client has a connection of its own to the backend, because a pool hides faults',
  sync: 'no socket blocks',
  backlog: 'the system chooses it',
  config: 'a file is named on the command line',
  loglevel: 'say it on the command line: --log-level',
  logoutput: 'the log goes to standard error; events go to the file of events =',
  statsd: 'figures are at /metrics of the control API',
}

/** Vaurien listens and connects here unless told otherwise. */
const defaults = { listen: 'localhost:8000', backend: 'localhost:80' }

/** An INI of Vaurien's shape, sections and all, as a file of ours would have it: one proxy. */
export function fromIni(root: ConfigNode, problems: Problems, warnings: string[]): ConfigNode {
  const proxy: ConfigEntry[] = []
  const control: ConfigEntry[] = []
  const behaviors: ConfigEntry[] = []
  const own: ConfigEntry[] = []
  const protocol = protocolOf(root)
  for (const { key, place, node } of root.entries!) {
    const [kind, name] = splitAt(key, ':')
    if (isMain(key))
      for (const entry of node.entries!) readMain(entry, { proxy, control, own, problems, warnings })
    else if (kind === 'behavior' && name !== null) {
      const entries = node.entries!.flatMap((entry) => {
        if (folded(entry.key) !== 'callable') return modernized(name, protocol, entry, warnings)
        problems.add(
          entry.place,
          'callable names a class of Python; write a fault with defineFault: modules = ./FILE.mjs',
        )
        return []
      })
      behaviors.push({ key: name, place, node: mapNode(place, entries) })
    } else if (kind === 'protocol' && name !== null) {
      for (const entry of node.entries!)
        warnings.push(`${entry.place}: ${entry.key} of protocol ${name} has no effect any more`)
    } else if (kind === 'statsd')
      warnings.push(`${place}: statsd has no effect any more: ${pastKeys['statsd']}`)
    else if (key === 'DEFAULT' && node.entries!.length === 0) continue
    else {
      const known = ['vaurien', 'behavior:NAME', 'protocol:NAME', 'statsd']
      const near = nearestOf(key, known)
      const hint = near === null ? `; known ones are ${known.join(', ')}` : `: did you mean ${near}?`
      problems.add(place, `unknown section ${key}${hint}`)
    }
  }
  const { place } = root
  for (const [key, value] of Object.entries(defaults))
    if (!proxy.some((entry) => entry.key === key)) proxy.push({ key, place, node: valueNode(place, value) })
  if (behaviors.length > 0) proxy.push({ key: 'behaviors', place, node: mapNode(place, behaviors) })
  const name = textOf(own.find(({ key }) => key === 'name')) ?? 'proxy'
  const off = own.some(({ key, node }) => key === 'http' && /^(false|no|off|0)$/i.test(String(node.value)))
  return mapNode(place, [
    { key: 'proxies', place, node: mapNode(place, [{ key: name, place, node: mapNode(place, proxy) }]) },
    { key: 'control', place, node: off ? valueNode(place, false) : mapNode(place, control) },
    ...own.flatMap((entry) => (entry.key === 'name' || entry.key === 'http' ? [] : [listed(entry)])),
  ])
}

interface Target {
  proxy: ConfigEntry[]
  control: ConfigEntry[]
  own: ConfigEntry[]
  problems: Problems
  warnings: string[]
}

function readMain(entry: ConfigEntry, { proxy, control, own, problems, warnings }: Target): void {
  const key = folded(entry.key)
  if (Object.hasOwn(proxyKeys, key)) proxy.push({ ...entry, key: proxyKeys[key]! })
  else if (Object.hasOwn(controlKeys, key)) control.push({ ...entry, key: controlKeys[key]! })
  else if (ownKeys.includes(key)) own.push({ ...entry, key })
  else if (Object.hasOwn(pastKeys, key) || /^statsd[.:]/.test(key)) {
    const why = pastKeys[key] ?? pastKeys['statsd']!
    warnings.push(`${entry.place}: ${entry.key} has no effect any more: ${why}`)
  } else {
    const known = [
      'proxy',
      ...Object.values(proxyKeys).slice(2),
      'http',
      'http-host',
      'http-port',
      'token',
      'name',
    ]
    problems.addUnknown(entry.place, entry.key, 'section vaurien', [...known, 'modules', 'events'])
  }
}

/** An attribute under its name of today; none: it says nothing any more. */
function modernized(
  behavior: string,
  protocol: Protocol,
  entry: ConfigEntry,
  warnings: string[],
): readonly ConfigEntry[] {
  const found = Object.entries(fromVaurien(behavior, protocol, { [entry.key]: entry.node.value }))
  if (found.length === 0)
    warnings.push(
      `${entry.place}: ${entry.key} has no effect any more: the error of ${protocol.name} is a real one`,
    )
  return found.map(([key, value]) => ({ ...entry, key, node: valueNode(entry.node.place, value) }))
}

function listed(entry: ConfigEntry): ConfigEntry {
  if (entry.key !== 'modules') return entry
  const { place, value } = entry.node
  const items = String(value)
    .split(',')
    .map((path) => valueNode(place, path.trim()))
  return { ...entry, node: { place, value: items.map((item) => item.value), entries: null, items } }
}

/** One that is not known is told where it stands; until then it is taken for tcp. */
function protocolOf(root: ConfigNode): Protocol {
  const names = root
    .entries!.filter(({ key }) => isMain(key))
    .map(({ node }) => childOf(node, 'protocol')?.value)
  const name = names.find((value) => value !== undefined)
  return knownProtocols().find((protocol) => protocol.name === name) ?? findProtocol('tcp')
}

function isMain(section: string): boolean {
  return section === '' || section === 'vaurien' || section === 'loads-proxy'
}

function splitAt(text: string, sign: string): [string, string | null] {
  const at = text.indexOf(sign)
  return at < 0 ? [text, null] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

/** A value of INI is always a text. */
function textOf(entry: ConfigEntry | undefined): string | undefined {
  return entry?.node.value as string | undefined
}
