import type { ProxyOptions } from '../proxy/options.ts'
import type { PartitionConfig } from '../partition/read-partitions.ts'
import type { ScheduleStep } from '../schedule/step.ts'

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
  /** What is done to whom next to a load; null: nothing. */
  schedule: readonly ScheduleStep[] | null
  partitions: PartitionConfig | null
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
