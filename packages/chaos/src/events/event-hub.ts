import type { ChaosEvent } from './event.ts'

type Listener = (event: ChaosEvent) => void

/** Tells events to whoever listens. A listener that throws is nobody else's trouble; it is told no more. */
export class EventHub {
  readonly #listeners = new Set<Listener>()

  get isHeard(): boolean {
    return this.#listeners.size > 0
  }

  /** @returns what ends it */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(event: ChaosEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch {
        this.#listeners.delete(listener)
      }
    }
  }
}
