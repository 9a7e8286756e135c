import { RowRanges, rowsIn, type RowRange } from './row-ranges.ts'

/** Feeds of one run. */
const maxFeeds = 1000

/** What became of the rows of one feed. */
export interface FeedAudit {
  name: string
  rows: number
  /** Reported as used: each once. */
  used: number
  /** Leased by agents that ended or were lost before they said that they used them. */
  returned: number
  /** rows - used. */
  leftOver: number
  /** Of the used ones: a lost agent, or a missing window, may have used them before. */
  perhapsTwice: number
}

/** What an agent gets that asks for rows. */
export interface Lease extends RowRange {
  /** Why there is none, where that is not because all rows were given out. */
  complaint: string | null
}

/** The rows of one feed: free, leased by an agent, or used. */
class RowPool {
  readonly name: string
  readonly size: number
  /** Who said first how many rows there are. */
  readonly sizedBy: string
  readonly #free = new RowRanges()
  /** Returned by someone who may have used them. */
  readonly #doubtful = new RowRanges()
  readonly #leased = new Map<string, RowRanges>()
  #used = 0
  #returned = 0
  #perhapsTwice = 0

  constructor(name: string, size: number, sizedBy: string) {
    this.name = name
    this.size = size
    this.sizedBy = sizedBy
    this.#free.add({ first: 0, count: size })
  }

  lease(agent: string, count: number): RowRange {
    const range = this.#free.takeFirst(count)
    if (range === null) return { first: 0, count: 0 }
    let leased = this.#leased.get(agent)
    if (leased === undefined) this.#leased.set(agent, (leased = new RowRanges()))
    leased.add(range)
    return range
  }

  /** Only what is leased by the agent counts: a row is used once. */
  use(agent: string, range: RowRange): void {
    const leased = this.#leased.get(agent)
    if (leased === undefined) return
    for (const used of leased.remove(range)) {
      this.#used += used.count
      this.#perhapsTwice += rowsIn(this.#doubtful.remove(used))
    }
  }

  giveBack(agent: string, isDoubtful: boolean): void {
    const leased = this.#leased.get(agent)
    if (leased === undefined) return
    this.#leased.delete(agent)
    this.#returned += leased.size
    for (const range of leased) {
      this.#free.add(range)
      if (isDoubtful) this.#doubtful.add(range)
    }
  }

  audit(): FeedAudit {
    return {
      name: this.name,
      rows: this.size,
      used: this.#used,
      returned: this.#returned,
      leftOver: this.size - this.#used,
      perhapsTwice: this.#perhapsTwice,
    }
  }
}

/** Who has which rows of the feeds of one run that are leased: each row goes to one agent. */
export class RowLeases {
  readonly #pools = new Map<string, RowPool>()

  /** `size`: how many rows the agent's file has. A count of 0: none is left. */
  lease(agent: string, feed: string, size: number, count: number): Lease {
    let pool = this.#pools.get(feed)
    if (pool === undefined) {
      if (this.#pools.size >= maxFeeds)
        return none(`a run leases rows of ${maxFeeds} files at most; use fewer`)
      this.#pools.set(feed, (pool = new RowPool(feed, size, agent)))
    }
    if (pool.size !== size) {
      return none(
        `${feed} has ${size} rows on ${agent} and ${pool.size} on ${pool.sizedBy}: ` +
          'rows are leased by number, so the file must be the same everywhere; ship it with --include-file',
      )
    }
    return { ...pool.lease(agent, count), complaint: null }
  }

  /** Rows that an agent has used: first, count, first, count ... */
  use(agent: string, feed: string, used: readonly number[]): void {
    const pool = this.#pools.get(feed)
    if (pool === undefined) return
    for (let index = 0; index + 1 < used.length; index += 2) {
      pool.use(agent, { first: used[index]!, count: used[index + 1]! })
    }
  }

  /** The agent uses no more rows. @param isDoubtful it may have used some without a word of it having come */
  giveBack(agent: string, isDoubtful: boolean): void {
    for (const pool of this.#pools.values()) pool.giveBack(agent, isDoubtful)
  }

  /** In the order of the names. */
  audit(): FeedAudit[] {
    return [...this.#pools.values()]
      .map((pool) => pool.audit())
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }
}

function none(complaint: string): Lease {
  return { first: 0, count: 0, complaint }
}
