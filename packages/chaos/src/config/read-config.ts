import { basename } from 'node:path'
import { text, whole } from '../attributes.ts'
import { childOf, entriesOf, itemsOf, type ConfigNode } from './config-node.ts'
import { readPartitions } from '../partition/read-partitions.ts'
import { readSchedule } from '../schedule/read-schedule.ts'
import type { Environment } from './environment.ts'
import { isIni } from './is-ini.ts'
import { iniNodes } from './ini-nodes.ts'
import { fromIni } from './from-ini.ts'
import { Problems } from './problems.ts'
import type { ControlConfig, NamedProxyOptions, ProxyConfig } from './proxy-config.ts'
import { readFields } from './read-fields.ts'
import { readProxy } from './read-proxy.ts'
import { yamlNodes } from './yaml-nodes.ts'

/**
 * Reads a configuration: YAML, JSON (also the list of Toxiproxy) or INI, by the end of the file's name or, failing that, by
 * how it looks. Faults and protocols of modules must be known already.
 *
 * @param file as the user calls it: it stands in messages
 * @throws {ChaosError} CHAOS_CONFIG with all problems, a line for each, as `FILE:LINE:COLUMN: what`
 */
export function readConfig(text: string, file: string, environment: Environment = process.env): ProxyConfig {
  const problems = new Problems()
  const warnings: string[] = []
  const root = nodesOf(text, file, environment, problems, warnings)
  const config = root === null ? null : readRoot(root, problems)
  problems.throwIfAny()
  return { ...config!, warnings }
}

/** The modules that a configuration names: they are loaded before it can be read. Empty where it cannot be read at all. */
export function modulesOf(text: string, file: string, environment: Environment = process.env): string[] {
  const problems = new Problems()
  const root = nodesOf(text, file, environment, problems, [])
  return root === null ? [] : readModules(childOf(root, 'modules'), problems)
}

function nodesOf(
  text: string,
  file: string,
  environment: Environment,
  problems: Problems,
  warnings: string[],
): ConfigNode | null {
  const name = basename(file)
  if (!isIni(text, file)) return yamlNodes(text, name, environment, problems)
  return fromIni(iniNodes(text, name, environment, problems), problems, warnings)
}

const seed = whole({ initial: 0, help: 'for proxies without one of their own' })
const events = text({ initial: '', help: 'file for the log of events' })

function readRoot(root: ConfigNode, problems: Problems): Omit<ProxyConfig, 'warnings'> {
  const nothing = { control: {}, seed: null, modules: [], events: null, schedule: null, partitions: null }
  // The file of Toxiproxy is the list of its proxies.
  if (root.items !== null) return { ...nothing, proxies: readProxies(root, problems) }
  if (root.value === null) problems.add(root.place, 'is empty: describe proxies, see --help')
  let proxies: NamedProxyOptions[] = []
  let control: ControlConfig = {}
  let schedule: ConfigNode | null = null
  let partitions: ConfigNode | null = null
  let modules: string[] = []
  const values = readFields(
    root,
    'the configuration',
    {
      proxies: ({ node }) => (proxies = readProxies(node, problems)),
      control: ({ node }) => (control = readControl(node, problems)),
      schedule: ({ node }) => (schedule = node),
      partitions: ({ node }) => (partitions = node),
      modules: ({ node }) => (modules = readModules(node, problems)),
      seed,
      events,
    },
    problems,
  )
  return {
    proxies,
    control,
    modules,
    ...readLoad(proxies, schedule, partitions, problems),
    seed: (values['seed'] as number | undefined) ?? null,
    events: (values['events'] as string | undefined) ?? null,
  }
}

function readProxies(node: ConfigNode, problems: Problems): NamedProxyOptions[] {
  const proxies: NamedProxyOptions[] = []
  const add = (proxy: NamedProxyOptions | null, place: string) => {
    if (proxy === null) return
    if (proxies.some(({ name }) => name === proxy.name))
      problems.add(place, `there is a proxy ${proxy.name} already; give this one another name`)
    proxies.push(proxy)
  }
  if (node.items !== null) for (const item of node.items) add(readProxy(item, null, problems), item.place)
  else
    for (const { key, place, node: proxy } of entriesOf(node, 'proxies', problems))
      add(readProxy(proxy, key, problems), place)
  return proxies
}

/** Proxies are known by now: a schedule names them. */
function readLoad(
  proxies: readonly NamedProxyOptions[],
  schedule: ConfigNode | null,
  partitions: ConfigNode | null,
  problems: Problems,
): Pick<ProxyConfig, 'schedule' | 'partitions'> {
  const parted = partitions === null ? null : readPartitions(partitions, problems)
  const world = {
    proxies: Object.fromEntries(proxies.map(({ name, protocol = 'tcp' }) => [name, protocol])),
    endpoints: Object.keys(parted?.endpoints ?? {}),
  }
  return {
    partitions: parted,
    schedule: schedule === null ? null : readSchedule(schedule, world, problems),
  }
}

const controlAttributes = {
  host: text({ initial: '127.0.0.1', help: 'where the control API listens', most: 255 }),
  port: whole({ initial: 8474, max: 65_535, help: 'its port; 0 takes any' }),
  token: text({ initial: '', help: 'what clients must show' }),
}

function readControl(node: ConfigNode, problems: Problems): ControlConfig {
  if (node.value === false) return { off: true }
  return readFields(node, 'control', controlAttributes, problems) as ControlConfig
}

function readModules(node: ConfigNode | undefined, problems: Problems): string[] {
  if (node === undefined) return []
  const items =
    node.items === null && typeof node.value === 'string' ? [node] : itemsOf(node, 'modules', problems)
  return items.flatMap(({ value, place }) => {
    if (typeof value === 'string' && value !== '') return [value]
    problems.add(place, 'a module must be the path of a file')
    return []
  })
}
