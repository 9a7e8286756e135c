import type { ChaosEvent } from './event.ts'

/** The last events. */
export class EventRing {
  readonly #events: (ChaosEvent | undefined)[]
  #told = 0

  /** @param size of the ring: so many are kept */
  constructor(size = 1000) {
    this.#events = Array.from({ length: size })
  }

  push(event: ChaosEvent): void {
    this.#events[this.#told++ % this.#events.length] = event
  }

  /** Oldest first. */
  all(): ChaosEvent[] {
    const from = this.#told % this.#events.length
    const inOrder = [...this.#events.slice(from), ...this.#events.slice(0, from)]
    return inOrder.filter((event) => event !== undefined)
  }
}
