import type { EventHub } from '../events/event-hub.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Decider } from '../rules/decider.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import type { Address } from './address.ts'
import type { Connection } from './connection.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Transport } from './transport.ts'

/** What a connection needs of its proxy. */
export interface ConnectionOwner {
  readonly name: string
  readonly protocol: Protocol
  readonly decider: Decider
  readonly events: EventHub
  readonly rules: RuleSet
  readonly budget: MemoryBudget
  readonly maxHeldBytes: number | null
  readonly dialTimeoutMs: number
  /** How long a connection of which one direction has ended may be silent. */
  readonly halfClosedMs: number
  /** Where to connect to. */
  readonly target: Address
  readonly transport: Transport
  /** A fault was injected. */
  faulted(type: string): void
  dialled(isReached: boolean): void
  /** A request was understood. */
  requested(): void
  /** It is over: nothing follows. */
  closed(connection: Connection): void
}
