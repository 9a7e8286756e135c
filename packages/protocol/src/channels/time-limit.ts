const lookEveryMs = 250
/** Whatever takes longer from one look to the next was a standstill of this process. */
const longestMs = 1_000

/**
 * A limit of time in which standstills of this process do not count: what came meanwhile has not been read. To be ended,
 * reached or not.
 */
export class TimeLimit {
  readonly #ticker: NodeJS.Timeout
  #leftMs: number
  #lookedAt = performance.now()

  constructor(ms: number) {
    this.#leftMs = ms
    this.#ticker = setInterval(() => this.#look(), lookEveryMs)
  }

  /** Not above 0: the time is up. */
  get leftMs(): number {
    this.#look()
    return this.#leftMs
  }

  end(): void {
    clearInterval(this.#ticker)
  }

  #look(): void {
    const now = performance.now()
    this.#leftMs -= Math.min(now - this.#lookedAt, longestMs)
    this.#lookedAt = now
  }
}
