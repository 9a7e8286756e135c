import type { ProxyOptions } from '../proxy/options.ts'
import type { ConfigNode } from './config-node.ts'

/** What a configuration file says. */
export interface ProxyConfig {
  proxies: readonly NamedProxyOptions[]
  /** Where the control API listens; `off: true`: nowhere. */
  control: ControlConfig
  /** For proxies without one of their own. */
  seed: number | null
  /** Files with faults and protocols, as they were written. */
  modules: readonly string[]
  /** File for the log of events. */
  events: string | null
  schedule: ConfigNode | null
  partitions: ConfigNode | null
  /** What has no effect, with its place: keys of old files that mean nothing any more. */
  warnings: readonly string[]
}

export type NamedProxyOptions = ProxyOptions & { name: string }

export interface ControlConfig {
  off?: boolean
  host?: string
  port?: number
  token?: string
}
