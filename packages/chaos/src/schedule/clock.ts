import type { Timer } from '../faults/stage.ts'
import { Timers } from '../proxy/timers.ts'

/** The time that a schedule goes by. */
export interface ScheduleClock {
  /** Monotonic milliseconds. */
  now(): number
  /** @returns what cancels it */
  after(ms: number, callback: () => void): Timer
}

const timers = new Timers()

/** Never early. */
export const realClock: ScheduleClock = {
  now: () => performance.now(),
  after: (ms, callback) => timers.after(ms, callback),
}
