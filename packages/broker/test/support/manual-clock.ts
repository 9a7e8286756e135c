import type { Clock } from '../../src/clock.ts'

/** Time that moves only when a test says so. */
export class ManualClock implements Clock {
  #nowMs = 1_000
  #timers: { atMs: number; everyMs: number | null; handler: () => void }[] = []

  now(): number {
    return 1_700_000_000_000 + this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  after(ms: number, handler: () => void): () => void {
    return this.#add(ms, null, handler)
  }

  every(ms: number, handler: () => void): () => void {
    return this.#add(ms, ms, handler)
  }

  /** Timers that are due fire in order, each at its own time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#nowMs = due.atMs
      if (due.everyMs === null) this.#timers = this.#timers.filter((timer) => timer !== due)
      else due.atMs += due.everyMs
      due.handler()
    }
    this.#nowMs = endMs
  }

  /** As if the whole process had been stopped: time has passed, and timers fire once, late. */
  freeze(ms: number): void {
    this.#nowMs += ms
    for (const timer of this.#timers) timer.atMs = Math.max(timer.atMs, this.#nowMs)
    this.advance(0)
  }

  get pending(): number {
    return this.#timers.length
  }

  #add(ms: number, everyMs: number | null, handler: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, everyMs, handler }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
    }
  }
}
