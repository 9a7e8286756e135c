import type { CutMode } from '../partition/cut.ts'
import type { FaultScope } from '../proxy/fault-scope.ts'
import type { ProxyCounters } from '../proxy/options.ts'
import type { FaultRequest } from '../rules/rule.ts'

/** What a schedule needs of a proxy, in this process or far away. */
export interface ScheduleTarget {
  withFault(request: FaultRequest): Promise<FaultScope>
  withBehavior(name: string, attributes?: Readonly<Record<string, unknown>>): Promise<FaultScope>
  enable(): Promise<unknown>
  disable(): Promise<unknown>
  /** Of a proxy of this process. */
  readonly enabled?: boolean
  /** Of a proxy that must be asked. */
  state?(): Promise<{ enabled: boolean }>
  /** Only asked for where a step goes by requests or bytes. */
  counters(): ProxyCounters | Promise<ProxyCounters>
}

/** What parts endpoints. */
export interface PartitionTarget {
  partition(
    groups: readonly (readonly string[])[],
    options?: { mode?: CutMode },
  ): FaultScope | Promise<FaultScope>
}
