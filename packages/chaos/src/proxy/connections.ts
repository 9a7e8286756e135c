import type { Socket } from 'node:net'
import type { EventHub } from '../events/event-hub.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Decider } from '../rules/decider.ts'
import type { RuleChange, RuleSet } from '../rules/rule-set.ts'
import { parseAddress, type Address } from './address.ts'
import { Connection } from './connection.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import { processBudget } from './memory-budget.ts'
import type { ProxyCounters } from './options.ts'
import { plain, type Transport } from './transport.ts'

export interface ConnectionsOptions {
  name: string
  protocol: Protocol
  decider: Decider
  events: EventHub
  rules: RuleSet
  maxHeldBytes: number | null
  dialTimeoutMs: number
  halfClosedMs: number
  openTransport(backend: Address): Promise<Transport>
  dialled(isReached: boolean): void
}

/** The connections of a proxy, and what they have carried. */
export class Connections implements ConnectionOwner {
  readonly name: string
  readonly protocol: Protocol
  readonly decider: Decider
  readonly events: EventHub
  readonly rules: RuleSet
  readonly budget = processBudget
  readonly maxHeldBytes: number | null
  readonly dialTimeoutMs: number
  readonly halfClosedMs: number
  readonly #options: ConnectionsOptions
  readonly #open = new Set<Connection>()
  readonly #faults = new Map<string, number>()
  /** Of connections that are over. */
  readonly #received = { upstream: 0, downstream: 0 }
  readonly #sent = { upstream: 0, downstream: 0 }
  #backend = ''
  #target: Address = { host: '', port: 0, tls: false }
  #transport = plain
  #accepted = 0
  #dialErrors = 0
  #requests = 0

  constructor(options: ConnectionsOptions) {
    this.#options = options
    this.name = options.name
    this.protocol = options.protocol
    this.decider = options.decider
    this.events = options.events
    this.rules = options.rules
    this.maxHeldBytes = options.maxHeldBytes
    this.dialTimeoutMs = options.dialTimeoutMs
    this.halfClosedMs = options.halfClosedMs
  }

  /** As given. */
  get backend(): string {
    return this.#backend
  }

  get target(): Address {
    return this.#target
  }

  get transport(): Transport {
    return this.#transport
  }

  get authority(): string | null {
    return this.#transport.authority
  }

  /** New connections go there from now on. @throws {ChaosError} CHAOS_ADDRESS, CHAOS_CERTIFICATE, CHAOS_PROTOCOL */
  async aim(backend: string): Promise<void> {
    const target = parseAddress(backend, 'backend')
    this.#transport = await this.#options.openTransport(target)
    this.#target = target
    this.#backend = backend
  }

  accept(socket: Socket): void {
    this.#accepted++
    const connection = new Connection(this, this.#accepted, socket)
    this.#open.add(connection)
    try {
      connection.begin(socket)
    } catch (error) {
      connection.broke(error)
      socket.destroy()
    }
  }

  /** @param isInMidst a listener of events made the change: connections take it in when they are done with what it was told of */
  rulesChanged(changes: readonly RuleChange[], isInMidst: boolean): void {
    for (const { what, rule } of changes) if (what === 'removed') this.decider.forget(rule.name)
    const open = [...this.#open]
    if (isInMidst) queueMicrotask(() => this.#tellChanges(open, changes))
    else this.#tellChanges(open, changes)
  }

  #tellChanges(connections: readonly Connection[], changes: readonly RuleChange[]): void {
    for (const connection of connections)
      try {
        connection.rulesChanged(changes)
      } catch (error) {
        connection.broke(error)
      }
  }

  faulted(type: string): void {
    this.#faults.set(type, (this.#faults.get(type) ?? 0) + 1)
  }

  dialled(isReached: boolean): void {
    if (!isReached) this.#dialErrors++
    this.#options.dialled(isReached)
  }

  requested(): void {
    this.#requests++
  }

  closed(connection: Connection): void {
    if (!this.#open.delete(connection)) return
    add(this.#received, connection.received)
    add(this.#sent, connection.sent)
  }

  /** All of them, at once. */
  destroy(): void {
    for (const connection of this.#open) connection.destroy('disabled')
  }

  counters(): ProxyCounters {
    const received = { ...this.#received }
    const sent = { ...this.#sent }
    let held = 0
    for (const connection of this.#open) {
      add(received, connection.received)
      add(sent, connection.sent)
      held += connection.held
    }
    return {
      accepted: this.#accepted,
      open: this.#open.size,
      dialErrors: this.#dialErrors,
      requests: this.protocol.open === null ? this.#accepted : this.#requests,
      received,
      sent,
      held,
      faults: Object.fromEntries(this.#faults),
    }
  }
}

interface Both {
  upstream: number
  downstream: number
}

function add(sum: Both, more: Both): void {
  sum.upstream += more.upstream
  sum.downstream += more.downstream
}
