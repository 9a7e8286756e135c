import type { Timer } from '../faults/stage.ts'

/** Node waits no longer at once. */
const longestMs = 2 ** 31 - 1

/** Timers that never fire early, and not at all after `close`. */
export class Timers {
  #pending: Set<Pending> | null = new Set()

  /** @param ms resolution about 1 ms; 0: after what is being done now */
  after(ms: number, callback: () => void): Timer {
    if (this.#pending === null) return { cancel: () => {} }
    const pending = new Pending(ms, this.#pending, callback)
    this.#pending.add(pending)
    return pending
  }

  close(): void {
    const pending = this.#pending
    this.#pending = null
    if (pending !== null) for (const each of pending) each.cancel()
  }
}

class Pending implements Timer {
  readonly #due: number
  readonly #among: Set<Pending>
  readonly #callback: () => void
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  constructor(ms: number, among: Set<Pending>, callback: () => void) {
    this.#due = performance.now() + ms
    this.#among = among
    this.#callback = callback
    if (ms <= 0) this.#immediate = setImmediate(() => this.#fire())
    else this.#arm(ms)
  }

  cancel(): void {
    this.#among.delete(this)
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.ceil(ms), longestMs))
  }

  #fire(): void {
    // Node counts from the time at which the turn of its loop began, which may be a while ago.
    const left = this.#due - performance.now()
    if (left > 0) {
      this.#arm(left)
      return
    }
    this.#among.delete(this)
    this.#callback()
  }
}
