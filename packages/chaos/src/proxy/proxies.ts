import type { EventHub } from '../events/event-hub.ts'
import type { ProxyOptions } from './options.ts'
import type { Proxy } from './proxy.ts'

/** Proxies by name. */
export declare class Proxies implements AsyncDisposable {
  readonly events: EventHub
  constructor(options?: { seed?: number; events?: EventHub })
  /** In order of creation. */
  all(): readonly Proxy[]
  /** @throws {ChaosError} CHAOS_NOT_FOUND */
  get(name: string): Proxy
  /** @throws {ChaosError} CHAOS_EXISTS, CHAOS_BIND, CHAOS_ADDRESS, CHAOS_PROTOCOL, and what rules throw */
  create(options: ProxyOptions & { name: string }): Promise<Proxy>
  /** @throws {ChaosError} CHAOS_NOT_FOUND */
  delete(name: string): Promise<void>
  /** Enables all and removes their faults. */
  reset(): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
