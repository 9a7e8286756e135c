import type { Interval } from '@loads-runner/history'

/** Executions of open models: fell due, began, were dropped. */
export interface Starts {
  planned: number
  started: number
  dropped: number
}

/** How many intervals of each length are remembered: figures that are later than this tell no rate of starts. */
const remembered = 300

/** An interval tells how many starts there were since the start of the run; this tells how many were in it. */
export class StartsTrack {
  /** By length of intervals, then by where they begin: the counts at their ends, oldest first. */
  readonly #ends = new Map<number, Map<number, Starts>>()

  /** Null where the interval before it is not known. The same interval may come again, with later figures. */
  during({ spanMs, fromMs, planned, started, dropped }: Interval): Starts | null {
    let ends = this.#ends.get(spanMs)
    if (ends === undefined) this.#ends.set(spanMs, (ends = new Map()))
    const before = fromMs === 0 ? { planned: 0, started: 0, dropped: 0 } : ends.get(fromMs - spanMs)
    ends.set(fromMs, { planned, started, dropped })
    for (const first of ends.keys()) {
      if (ends.size <= remembered) break
      ends.delete(first)
    }
    if (before === undefined) return null
    return {
      planned: Math.max(0, planned - before.planned),
      started: Math.max(0, started - before.started),
      dropped: Math.max(0, dropped - before.dropped),
    }
  }
}
