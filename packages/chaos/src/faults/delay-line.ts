import { Fifo } from './fifo.ts'
import { HeldBytes } from './held-bytes.ts'
import type { Flow, Timer } from './stage.ts'

interface Due {
  arrivedAt: number
  at: number
}

/** Bytes on their way: each arrival is passed on at its time, never before the one ahead of it. One timer for all. */
export class DelayLine {
  readonly #flow: Flow
  readonly #held: HeldBytes
  readonly #dues = new Fifo<Due>()
  #timer: Timer | null = null

  constructor(flow: Flow, most?: number) {
    this.#flow = flow
    this.#held = new HeldBytes(flow, most)
  }

  push(bytes: Buffer, delayMs: number): void {
    if (delayMs <= 0 && this.#held.isEmpty) {
      this.#flow.pass(bytes)
      return
    }
    const now = this.#flow.now()
    this.#dues.push({ arrivedAt: now, at: now + delayMs })
    this.#held.push(bytes)
    this.#timer ??= this.#flow.after(delayMs, this.#passDue)
  }

  /** The end waits for the bytes before it, and no longer. */
  end(): void {
    this.#held.end()
  }

  /** Delays what is on its way anew, from when it arrived. */
  reschedule(delayMs: () => number): void {
    for (const due of this.#dues) due.at = due.arrivedAt + delayMs()
    this.#passDue()
  }

  /** All at once, the end with it. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#dues.clear()
    this.#held.pass()
  }

  readonly #passDue = (): void => {
    this.#timer?.cancel()
    this.#timer = null
    const now = this.#flow.now()
    while (this.#dues.length > 0 && this.#dues.first!.at <= now) {
      this.#dues.shift()
      this.#held.passFirst()
    }
    const next = this.#dues.first
    if (next !== undefined) this.#timer = this.#flow.after(next.at - now, this.#passDue)
  }
}
