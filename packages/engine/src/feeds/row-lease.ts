/** Asks the broker for rows; a count of 0: none is left. */
export type LeaseRows = (
  feed: string,
  size: number,
  count: number,
) => Promise<{ first: number; count: number }>

const mostRows = 100
/** A block should last about so long, in milliseconds: long enough to spare the broker, short enough to share fairly. */
const shortMs = 500
const longMs = 5000
/** Before the broker is asked again when it had none: rows of a lost agent may come back. */
const dryMs = 1000

/** Rows of one file that are this thread's alone, leased in blocks. Each is given out once. */
export class RowLease {
  readonly #feed: string
  readonly #size: number
  readonly #lease: LeaseRows
  readonly #now: () => number
  readonly #most: number
  #next = 0
  #left = 0
  #block = 1
  #leasedAt = -Infinity
  #dryAt = -Infinity
  #waiting = 0
  #asking: Promise<void> | null = null

  /** @param size rows in the file */
  constructor(feed: string, size: number, lease: LeaseRows, now: () => number = () => performance.now()) {
    this.#feed = feed
    this.#size = size
    this.#lease = lease
    this.#now = now
    // Nobody should sit on rows that others lack: at most one of a hundred.
    this.#most = Math.max(1, Math.min(mostRows, Math.floor(size / 100)))
  }

  /** The number of a row that nobody else gets; null when none is left. */
  async next(): Promise<number | null> {
    while (this.#left === 0) {
      if (this.#now() - this.#dryAt < dryMs) return null
      this.#waiting++
      try {
        this.#asking ??= this.#ask().finally(() => (this.#asking = null))
        await this.#asking
      } finally {
        this.#waiting--
      }
    }
    this.#left--
    return this.#next++
  }

  async #ask(): Promise<void> {
    const lasted = this.#now() - this.#leasedAt
    if (lasted < shortMs) this.#block = Math.min(this.#most, this.#block * 2)
    else if (lasted > longMs) this.#block = Math.max(1, this.#block >> 1)
    // A turn later, so that all who begin at once are counted.
    await Promise.resolve()
    const wanted = Math.min(mostRows, Math.max(this.#block, this.#waiting))
    const { first, count } = await this.#lease(this.#feed, this.#size, wanted)
    this.#leasedAt = this.#now()
    this.#next = first
    this.#left = count
    if (count === 0) this.#dryAt = this.#leasedAt
  }
}
