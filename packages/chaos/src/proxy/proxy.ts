import type { EventHub } from '../events/event-hub.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { FaultRequest, Rule } from '../rules/rule.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import type { FaultScope } from './fault-scope.ts'
import type { ProxyCounters, ProxyOptions } from './options.ts'

/**
 * Starts a proxy: it listens when this resolves, unless `enabled` is false.
 *
 * @throws {ChaosError} CHAOS_ADDRESS, CHAOS_BIND, CHAOS_PROTOCOL, and what rules throw
 */
export async function startProxy(_options: ProxyOptions, _events?: EventHub): Promise<Proxy> {
  throw new Error('not there yet')
}

/** One listener, one backend, and the faults between them. */
export declare class Proxy implements AsyncDisposable {
  readonly name: string
  readonly protocol: Protocol
  readonly seed: number
  readonly rules: RuleSet
  readonly events: EventHub
  /** Attributes by name of behavior, as it was started with: those of behaviors that are set later, too. */
  readonly behaviors: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** HOST:PORT as it is bound; as given before. */
  get listen(): string
  get backend(): string
  get enabled(): boolean
  /** Where it listens. @throws {ChaosError} CHAOS_STATE when it does not */
  get address(): { host: string; port: number }
  /** @throws {ChaosError} CHAOS_BIND */
  enable(): Promise<void>
  /** Closes the listener and all connections. Twice is harmless. */
  disable(): Promise<void>
  /** Another address restarts it, which drops its connections; the same does not. @throws {ChaosError} CHAOS_ADDRESS, CHAOS_BIND */
  update(changes: { listen?: string; backend?: string; enabled?: boolean }): Promise<void>
  close(): Promise<void>
  counters(): ProxyCounters
  addFault(request: FaultRequest): Rule
  updateFault(
    name: string,
    changes: { attributes?: Readonly<Record<string, unknown>>; toxicity?: number },
  ): Rule
  removeFault(name: string): void
  /** Faults more, until the scope ends. */
  withFault(faults: FaultRequest | readonly FaultRequest[]): Promise<FaultScope>
  /**
   * This fault alone, until the scope ends; `dummy` is none. `rate`, where the fault has no such attribute, is the share of
   * units that are hit.
   */
  withBehavior(name: string, attributes?: Readonly<Record<string, unknown>>): Promise<FaultScope>
  [Symbol.asyncDispose](): Promise<void>
}
