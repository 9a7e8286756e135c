import type { GeneratorHealth, SessionWindow, UsedRows } from '@loads-runner/engine'

/**
 * Windows of one run, kept until the broker has committed them. Windows get their number when they are first sent, so
 * those that wait for a lost broker can be merged without leaving gaps: memory is bounded by series, and nothing is
 * dropped.
 *
 *     push -> waiting (merged beyond mostWaiting) -> next() numbers it -> sent -> ack(number) forgets it
 */
export class WindowBuffer {
  readonly #mostWaiting: number
  readonly #warmUpMs: number
  #sent: SessionWindow[] = []
  #waiting: SessionWindow[] = []
  #next = 0

  /** @param warmUpMs what is recorded before this time counts apart, and so is never merged with what comes later */
  constructor(warmUpMs = 0, mostWaiting = 30) {
    this.#warmUpMs = warmUpMs
    this.#mostWaiting = mostWaiting
  }

  push(window: SessionWindow): void {
    const last = this.#waiting.at(-1)
    const isFull = this.#waiting.length >= this.#mostWaiting
    if (last !== undefined && isFull && this.#isWarmUp(last) === this.#isWarmUp(window)) {
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

  #isWarmUp(window: SessionWindow): boolean {
    return window.fromMs < this.#warmUpMs
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
    generator: mergeHealth(first, second),
    rows: mergeRows(first.rows, second.rows),
  }
}

/** Worst values, with two exceptions: processor time is a mean, and times of garbage collection add up. */
function mergeHealth(first: SessionWindow, second: SessionWindow): GeneratorHealth {
  const [one, other] = [first.generator, second.generator]
  const spans = [first.toMs - first.fromMs, second.toMs - second.fromMs] as const
  const wholeMs = spans[0] + spans[1]
  return {
    eventLoopLagMs: Math.max(one.eventLoopLagMs, other.eventLoopLagMs),
    cpu: wholeMs > 0 ? (one.cpu * spans[0] + other.cpu * spans[1]) / wholeMs : Math.max(one.cpu, other.cpu),
    gcMs: one.gcMs + other.gcMs,
    latenessMs: Math.max(one.latenessMs, other.latenessMs),
    portsExhausted: one.portsExhausted || other.portsExhausted,
  }
}

/** Ranges that follow one another become one: rows are mostly used in order. */
function mergeRows(first: readonly UsedRows[], second: readonly UsedRows[]): UsedRows[] {
  const byFeed = new Map<string, number[]>()
  for (const { feed, used } of [...first, ...second]) {
    let ranges = byFeed.get(feed)
    if (ranges === undefined) byFeed.set(feed, (ranges = []))
    for (let index = 0; index + 1 < used.length; index += 2) {
      const last = ranges.length - 2
      if (last >= 0 && ranges[last]! + ranges[last + 1]! === used[index]!)
        ranges[last + 1]! += used[index + 1]!
      else ranges.push(used[index]!, used[index + 1]!)
    }
  }
  return [...byFeed].map(([feed, used]) => ({ feed, used }))
}
