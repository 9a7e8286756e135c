/** How often an agent says something to its sessions, and a session looks whether it did, in milliseconds. */
export const watchMs = 500

/**
 * Notices an agent that says nothing any more although its pipe is open: it is frozen, and nobody could stop the load.
 * Call `heard` for every message and `look` every {@link watchMs}.
 */
export class AgentWatch {
  readonly #maxSilenceMs: number
  readonly #onSilence: () => void
  #heardAt: number
  #lookedAt: number
  #told = false

  constructor(maxSilenceMs: number, onSilence: () => void, now = performance.now()) {
    this.#maxSilenceMs = maxSilenceMs
    this.#onSilence = onSilence
    this.#heardAt = now
    this.#lookedAt = now
  }

  heard(now = performance.now()): void {
    this.#heardAt = now
  }

  look(now = performance.now()): void {
    // This process itself stood still: what the agent said meanwhile has not been read.
    const lateMs = now - this.#lookedAt - watchMs
    if (lateMs > watchMs) this.#heardAt += lateMs
    this.#lookedAt = now
    if (this.#told || now - this.#heardAt <= this.#maxSilenceMs) return
    this.#told = true
    this.#onSilence()
  }
}
