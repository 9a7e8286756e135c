/** How much later it is each time that somebody looks, in milliseconds: who waits for a time by looking sees it come. */
const lookMs = 0.002

interface Due {
  at: number
  /** Of an interval. */
  everyMs: number | null
  call: () => void
}

/** As much of a timer as is used. */
class VirtualTimer {
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}

const real = {
  now: performance.now.bind(performance),
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
}

/**
 * For the tests of a `describe`: timers and `performance.now()` of a machine that nothing else runs on. Time goes on when
 * the event loop has turned and only timers are left to wait for, by as much as the next of them needs.
 */
export function virtualTime(): void {
  const due = new Map<VirtualTimer, Due>()
  let now = 0
  let running = false
  let turns = 0

  function set(call: (...args: unknown[]) => void, ms: number, isInterval: boolean, args: unknown[]) {
    const timer = new VirtualTimer()
    // As Node does it: fractions are cut off.
    const waitMs = ms >= 1 ? Math.trunc(Math.min(ms, 2 ** 31 - 1)) : 1
    due.set(timer, { at: now + waitMs, everyMs: isInterval ? waitMs : null, call: () => call(...args) })
    return timer
  }

  function turn(): void {
    if (!running) return
    real.setImmediate(turn)
    // What a timer has set going by immediates goes first.
    if (++turns % 3 !== 0) return
    let first: VirtualTimer | null = null
    for (const [timer, { at }] of due) if (first === null || at < due.get(first)!.at) first = timer
    if (first === null) return
    const { at, everyMs, call } = due.get(first)!
    now = Math.max(now, at)
    due.delete(first)
    if (everyMs !== null) due.set(first, { at: now + everyMs, everyMs, call })
    call()
  }

  beforeEach(() => {
    now = real.now()
    running = true
    performance.now = () => (now += lookMs)
    const global = globalThis as unknown as Record<keyof typeof real, unknown>
    global.setTimeout = (call: () => void, ms = 1, ...args: unknown[]) => set(call, ms, false, args)
    global.setInterval = (call: () => void, ms = 1, ...args: unknown[]) => set(call, ms, true, args)
    global.clearTimeout = global.clearInterval = (timer?: VirtualTimer) => {
      // Who set it before all this clears it now.
      if (timer instanceof VirtualTimer) due.delete(timer)
      else real.clearTimeout(timer)
    }
    turn()
  })

  afterEach(() => {
    running = false
    due.clear()
    performance.now = real.now
    const { setTimeout, clearTimeout, setInterval, clearInterval } = real
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval })
  })
}
