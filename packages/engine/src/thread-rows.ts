import type { UsedRows } from './session-spec.ts'
import type { ThreadPort } from './thread-messages.ts'

/** Leased rows of data files in a load thread: asks the session for them, and tells it which were used. */
export class ThreadRows {
  readonly #port: ThreadPort
  readonly #asked = new Map<number, (rows: { first: number; count: number }) => void>()
  readonly #used = new Map<string, number[]>()
  #requests = 0

  constructor(port: ThreadPort) {
    this.#port = port
  }

  readonly lease = (feed: string, size: number, count: number): Promise<{ first: number; count: number }> => {
    const request = this.#requests++
    this.#port.post({ type: 'lease-rows', request, feed, size, count })
    return new Promise((resolve) => this.#asked.set(request, resolve))
  }

  take(request: number, first: number, count: number): void {
    this.#asked.get(request)?.({ first, count })
    this.#asked.delete(request)
  }

  readonly used = (feed: string, row: number): void => {
    let ranges = this.#used.get(feed)
    if (ranges === undefined) this.#used.set(feed, (ranges = []))
    addRow(ranges, row)
  }

  /** What was used since the last call. */
  flush(): void {
    if (this.#used.size === 0) return
    const rows: UsedRows[] = [...this.#used].map(([feed, used]) => ({ feed, used }))
    this.#used.clear()
    this.#port.post({ type: 'rows-used', rows })
  }
}

/** Rows are mostly used in their order, so a range mostly grows at its end. `ranges`: first, count, first, count ... */
export function addRow(ranges: number[], row: number): void {
  const last = ranges.length - 2
  if (last >= 0 && ranges[last]! + ranges[last + 1]! === row) ranges[last + 1]! += 1
  else ranges.push(row, 1)
}
