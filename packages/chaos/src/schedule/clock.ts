import type { Timer } from '../faults/stage.ts'

/** The time that a schedule goes by. */
export interface ScheduleClock {
  /** Monotonic milliseconds. */
  now(): number
  /** @returns what cancels it */
  after(ms: number, callback: () => void): Timer
}

export const realClock: ScheduleClock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}
