/** Counters as they stood last, to make rates of. */
export class Rates {
  #before = new Map<string, number>()
  #beforeAt: number | null = null
  #current = new Map<string, number>()
  #at = 0

  /** A look at all counters begins. @param at milliseconds of a steady clock */
  begin(at: number): void {
    this.#current = new Map()
    this.#at = at
  }

  /** What a counter grew by per second since the last look; null the first time. One that fell began again at 0. */
  of(name: string, value: number): number | null {
    this.#current.set(name, value)
    const before = this.#before.get(name)
    if (before === undefined || this.#beforeAt === null || this.#at <= this.#beforeAt) return null
    return (value >= before ? value - before : value) / ((this.#at - this.#beforeAt) / 1000)
  }

  /** The look is complete: the next one is compared with it. */
  end(): void {
    this.#before = this.#current
    this.#beforeAt = this.#at
  }
}
