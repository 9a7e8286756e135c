import type { Direction } from '../direction.ts'
import type { CloseCause } from '../events/event.ts'
import type { EventHub } from '../events/event-hub.ts'
import type { Rule } from '../rules/rule.ts'

interface Both {
  upstream: number
  downstream: number
}

/** What is told of one connection, from its acceptance to its close. */
export class ConnectionStory {
  readonly #events: EventHub
  readonly #proxy: string
  readonly #connection: number
  readonly #began = performance.now()
  #cause: CloseCause | null = null
  #detail: string | null = null

  constructor(events: EventHub, proxy: string, connection: number) {
    this.#events = events
    this.#proxy = proxy
    this.#connection = connection
  }

  get cause(): CloseCause | null {
    return this.#cause
  }

  get detail(): string | null {
    return this.#detail
  }

  /** Why it closes; what a fault did stays the cause, whatever comes of it. */
  note(cause: CloseCause, detail: string | null): void {
    if (this.#cause === 'fault') return
    this.#cause = cause
    this.#detail = detail
  }

  accepted(address: string, port: number): void {
    if (!this.#events.isHeard) return
    this.#events.tell({ type: 'accept', ...this.#told(), client: `${address}:${port}` })
  }

  /** @param error null: the backend was reached */
  dialled(ms: number, error: string | null): void {
    if (this.#events.isHeard) this.#events.tell({ type: 'dial', ...this.#told(), ms, error })
  }

  /** Of a rule whose unit is the connection. */
  fault(
    rule: Rule,
    direction: Direction,
    draw: number,
    detail: Readonly<Record<string, string | number>> | undefined,
  ): void {
    if (!this.#events.isHeard) return
    this.#events.tell({
      type: 'fault',
      ...this.#told(),
      rule: rule.name,
      fault: rule.definition.type,
      direction,
      unit: 'connection',
      ordinal: 1,
      draw,
      ...(detail === undefined ? {} : { detail }),
    })
  }

  closed(received: Both, sent: Both): void {
    if (!this.#events.isHeard) return
    const ms = performance.now() - this.#began
    const cause = this.#cause ?? 'client'
    this.#events.tell({ type: 'close', ...this.#told(), cause, detail: this.#detail, received, sent, ms })
  }

  #told(): { at: number; proxy: string; connection: number } {
    return { at: Date.now(), proxy: this.#proxy, connection: this.#connection }
  }
}
