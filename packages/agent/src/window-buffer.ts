import type { SessionWindow } from '@loads-runner/engine'

/**
 * Windows of one run, kept until the broker has committed them. Windows get their number when they are first sent, so
 * those that wait for a lost broker can be merged without leaving gaps: memory is bounded by series, and nothing is
 * dropped.
 *
 *     push -> waiting (merged beyond mostWaiting) -> next() numbers it -> sent -> ack(number) forgets it
 */
export class WindowBuffer {
  readonly #mostWaiting: number
  #sent: SessionWindow[] = []
  #waiting: SessionWindow[] = []
  #next = 0

  constructor(mostWaiting = 30) {
    this.#mostWaiting = mostWaiting
  }

  push(window: SessionWindow): void {
    const last = this.#waiting.at(-1)
    if (last !== undefined && this.#waiting.length >= this.#mostWaiting) {
      this.#waiting[this.#waiting.length - 1] = merge(last, window)
    } else this.#waiting.push(window)
  }

  /** The next window that was never sent, numbered; null when there is none. */
  next(): SessionWindow | null {
    const window = this.#waiting.shift()
    if (window === undefined) return null
    const numbered = { ...window, number: this.#next++ }
    this.#sent.push(numbered)
    return numbered
  }

  /** Sent but not committed, in order: to be sent again over a new connection. */
  unacknowledged(): readonly SessionWindow[] {
    return this.#sent
  }

  ack(number: number): void {
    this.#sent = this.#sent.filter((window) => window.number > number)
  }

  get isEmpty(): boolean {
    return this.#sent.length === 0 && this.#waiting.length === 0
  }
}

/** Two windows, one after the other, as one with their whole span. */
function merge(first: SessionWindow, second: SessionWindow): SessionWindow {
  first.delta.merge(second.delta)
  const progress = new Map<number, number>()
  for (const list of [first.progress, second.progress]) {
    for (let place = 0; place < list.length; place += 2) progress.set(list[place]!, list[place + 1]!)
  }
  return {
    ...second,
    fromMs: first.fromMs,
    progress: [...progress].flat(),
    delta: first.delta,
    generator: {
      eventLoopLagMs: Math.max(first.generator.eventLoopLagMs, second.generator.eventLoopLagMs),
      cpu: Math.max(first.generator.cpu, second.generator.cpu),
    },
  }
}
