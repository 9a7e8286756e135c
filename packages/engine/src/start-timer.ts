/** A timer is set for so much before a start that is to be precise, in milliseconds; turns of the loop do the rest. */
const spinMs = 2

/**
 * Calls when a start is due: never early, and late by about a millisecond, which is how fine Node's timers are. When
 * asked to be precise it turns the event loop without a rest shortly before, so that a start is late by no more than
 * what else the loop has to do.
 */
export class StartTimer {
  readonly #precise: boolean
  readonly #call: () => void
  #at = Infinity
  #timer: NodeJS.Timeout | null = null
  #turn: NodeJS.Immediate | null = null

  constructor(precise: boolean, call: () => void) {
    this.#precise = precise
    this.#call = call
  }

  /** At a time (performance.now()), in place of any that was set before. Infinity: never. */
  at(time: number): void {
    if (time === this.#at && (this.#timer !== null || this.#turn !== null)) return
    this.stop()
    this.#at = time
    this.#wait()
  }

  /** As soon as the event loop has turned. */
  soon(): void {
    this.at(0)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#turn !== null) clearImmediate(this.#turn)
    this.#timer = null
    this.#turn = null
    this.#at = Infinity
  }

  #wait(): void {
    if (this.#at === Infinity) return
    const left = this.#at - performance.now()
    if (left <= 0 || (this.#precise && left <= spinMs)) {
      this.#turn = setImmediate(() => this.#look())
      return
    }
    const sleepMs = this.#precise ? left - spinMs : Math.ceil(left)
    this.#timer = setTimeout(() => this.#look(), Math.min(sleepMs, 2 ** 31 - 1))
  }

  #look(): void {
    this.#timer = null
    this.#turn = null
    // Node's timers may be early by a part of a millisecond.
    if (performance.now() < this.#at) return this.#wait()
    this.#at = Infinity
    this.#call()
    return undefined
  }
}
