import type { Socket } from 'node:net'
import type { HitPhase } from '../../meter.ts'
import type { CallOwner } from './connection.ts'
import type { HttpCall } from './http-call.ts'

/** Times the parts of the hits of one connection. Made only where the run asks for phases. */
export class PhaseClock {
  /** Milliseconds that the next hit waited for a connection. */
  blockedMs = 0
  #dialedAt = 0
  #resolvedAt = 0
  #connectedAt = 0
  #securedAt = 0
  #sendingAt = 0
  #sentAt = 0
  #answeredAt = 0

  /**
   * Follows a socket that is being connected.
   *
   * @param dialedAt when the making of it began (performance.now()): what TLS must load first belongs to it
   */
  watch(socket: Pick<Socket, 'once'>, dialedAt: number): void {
    this.#dialedAt = dialedAt
    this.#resolvedAt = this.#connectedAt = this.#securedAt = 0
    // The first of several addresses that are tried counts.
    socket.once('lookup', () => (this.#resolvedAt = performance.now()))
    socket.once('connect', () => (this.#connectedAt = performance.now()))
    socket.once('secureConnect', () => (this.#securedAt = performance.now()))
  }

  /** The request begins to be written. */
  sending(): void {
    this.#sendingAt = performance.now()
    this.#sentAt = this.#answeredAt = 0
  }

  /** All of the request has left for the system. */
  sent(): void {
    if (this.#sentAt === 0) this.#sentAt = performance.now()
  }

  /** Bytes of the answer came. */
  received(): void {
    if (this.#answeredAt === 0) this.#answeredAt = performance.now()
  }

  /** Records the phases of a hit, before the hit itself. Those that it did not have are left out. */
  record(owner: CallOwner, call: HttpCall): void {
    const { meter } = owner.context
    const phase = (which: HitPhase, millis: number) =>
      meter.phase('http', call.name, call.method, which, Math.max(0, Math.round(millis * 1000)), call.tags)
    const now = performance.now()
    phase('blocked', this.blockedMs)
    this.blockedMs = 0
    if (this.#dialedAt !== 0) {
      const resolvedAt = this.#resolvedAt || this.#dialedAt
      if (this.#resolvedAt !== 0) phase('dns', resolvedAt - this.#dialedAt)
      if (this.#connectedAt !== 0) phase('connect', this.#connectedAt - resolvedAt)
      if (this.#securedAt !== 0) phase('tls', this.#securedAt - this.#connectedAt)
      this.#dialedAt = 0
    }
    if (this.#sendingAt === 0) return
    const sentAt = this.#sentAt || this.#answeredAt || now
    phase('send', sentAt - this.#sendingAt)
    if (this.#answeredAt !== 0) {
      phase('wait', this.#answeredAt - sentAt)
      phase('receive', now - this.#answeredAt)
    }
    this.#sendingAt = 0
  }
}
