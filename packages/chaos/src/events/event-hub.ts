import type { ChaosEvent } from './event.ts'

type Listener = (event: ChaosEvent) => void

/**
 * Tells events to whoever listens, to all in the same order. A listener that throws is nobody else's trouble; it is told no
 * more.
 */
export class EventHub {
  readonly #listeners = new Set<Listener>()
  /** What came while another event was told; null: none is being told. */
  #next: ChaosEvent[] | null = null

  get isHeard(): boolean {
    return this.#listeners.size > 0
  }

  /** Whether a listener is at work: what it causes happens in the midst of what it is told of. */
  get isTelling(): boolean {
    return this.#next !== null
  }

  /** @returns what ends it */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(event: ChaosEvent): void {
    if (this.#next !== null) {
      this.#next.push(event)
      return
    }
    this.#next = []
    this.#tellAll(event)
    for (const next of this.#next) this.#tellAll(next)
    this.#next = null
  }

  #tellAll(event: ChaosEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch {
        this.#listeners.delete(listener)
      }
    }
  }
}
