/**
 * Calls at every full window of the run. A common interval comes a little later each time, and adds that up: after some
 * minutes windows of several agents would end half a window apart.
 */
export class WindowTimer {
  readonly #startedAt: number
  readonly #windowMs: number
  readonly #onWindow: () => void
  #timer: NodeJS.Timeout | null = null

  /** @param startedAt performance.now() at the start of the load */
  constructor(startedAt: number, windowMs: number, onWindow: () => void) {
    this.#startedAt = startedAt
    this.#windowMs = Math.max(1, windowMs)
    this.#onWindow = onWindow
    this.#schedule()
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #schedule(): void {
    const elapsedMs = performance.now() - this.#startedAt
    this.#timer = setTimeout(
      () => {
        this.#schedule()
        this.#onWindow()
      },
      nextCutMs(elapsedMs, this.#windowMs) - elapsedMs,
    )
  }
}

/**
 * When the next window ends, in milliseconds of the run. What would be shorter than a quarter of a window becomes part of
 * the one after it: timers may come a little early, and after a standstill they come at any time.
 */
export function nextCutMs(elapsedMs: number, windowMs: number): number {
  return (Math.floor(elapsedMs / windowMs + 0.25) + 1) * windowMs
}
