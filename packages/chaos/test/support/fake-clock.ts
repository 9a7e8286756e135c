import type { ScheduleClock } from '../../src/schedule/clock.ts'

/** Time that a test lets pass. */
export class FakeClock implements ScheduleClock {
  #now = 0
  readonly #timers = new Set<{ at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): { cancel: () => void } {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  get waiting(): number {
    return this.#timers.size
  }

  /** What is due in between happens, in its order, each with all that follows from it at once. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    await settle()
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers.delete(due)
      this.#now = Math.max(this.#now, due.at)
      due.callback()
      await settle()
    }
    this.#now = until
  }
}

/** Promises that can settle have settled. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}
