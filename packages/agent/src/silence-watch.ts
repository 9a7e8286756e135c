/** How often an agent and its session say something to each other, and look whether the other did, in milliseconds. */
export const watchMs = 500

/**
 * Notices the other end of a pipe that says nothing any more although the pipe is open: it is frozen. Call `heard` for
 * every message and `look` every {@link watchMs}.
 */
export class SilenceWatch {
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
    // This process itself stood still: what the other side said meanwhile has not been read.
    const lateMs = now - this.#lookedAt - watchMs
    if (lateMs > watchMs) this.#heardAt += lateMs
    this.#lookedAt = now
    if (this.#told || now - this.#heardAt <= this.#maxSilenceMs) return
    this.#told = true
    this.#onSilence()
  }
}
