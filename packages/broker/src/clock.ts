/** Time as the broker sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch, for records and screens. May jump. */
  now(): number
  /** Milliseconds from any fixed moment, for leases and limits. Never jumps. */
  monotonic(): number
  /** Calls once after `ms`; returns the way to cancel it. */
  after(ms: number, handler: () => void): () => void
  /** Calls each `ms`; returns the way to end it. */
  every(ms: number, handler: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, handler) {
    const timer = setTimeout(handler, ms)
    return () => clearTimeout(timer)
  },
  every(ms, handler) {
    const timer = setInterval(handler, ms)
    return () => clearInterval(timer)
  },
}
