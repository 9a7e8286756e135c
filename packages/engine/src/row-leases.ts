import type { UsedRows } from './session-spec.ts'

interface Request {
  count: number
  size: number
  give(first: number, count: number): void
}

interface Feed {
  /** Rows that were granted and that no thread has yet: first, count. */
  granted: { first: number; count: number }[]
  waiting: Request[]
  /** performance.now() of the question that has no answer yet; null: none is under way. */
  askedAt: number | null
  lastGrant: number
  used: number[]
}

/** An answer that takes longer was lost with a broken link, in milliseconds. */
const answerMs = 10_000

/** Leased rows in a session: passes on what its threads ask for, one question at a time per file. */
export class RowLeases {
  readonly #ask: (feed: string, size: number, count: number) => void
  readonly #feeds = new Map<string, Feed>()

  constructor(ask: (feed: string, size: number, count: number) => void) {
    this.#ask = ask
  }

  request(feed: string, request: Request): void {
    this.#of(feed).waiting.push(request)
    this.#serve(feed)
  }

  /** The answer: a count of 0 is that none is left for now. It may come twice over a link that broke. */
  granted(name: string, first: number, count: number): void {
    const feed = this.#of(name)
    if (feed.askedAt === null || (count > 0 && feed.lastGrant === first)) return
    feed.askedAt = null
    if (count === 0) for (const request of feed.waiting.splice(0)) request.give(0, 0)
    else {
      feed.lastGrant = first
      feed.granted.push({ first, count })
    }
    this.#serve(name)
  }

  use(rows: readonly UsedRows[]): void {
    for (const { feed, used } of rows) this.#of(feed).used.push(...used)
  }

  /** Used since the last call. */
  collect(): UsedRows[] {
    const all: UsedRows[] = []
    for (const [feed, state] of this.#feeds) {
      if (state.used.length === 0) continue
      all.push({ feed, used: state.used })
      state.used = []
    }
    return all
  }

  /** Asks again where an answer is missing. */
  repeat(now = performance.now()): void {
    for (const [name, feed] of this.#feeds) {
      if (feed.askedAt === null || now - feed.askedAt < answerMs) continue
      feed.askedAt = null
      this.#serve(name)
    }
  }

  #serve(name: string): void {
    const feed = this.#of(name)
    while (feed.waiting.length > 0) {
      const request = feed.waiting[0]!
      const rows = feed.granted[0]
      if (rows === undefined) {
        if (feed.askedAt !== null) return
        feed.askedAt = performance.now()
        this.#ask(name, request.size, request.count)
        return
      }
      const count = Math.min(rows.count, request.count)
      feed.waiting.shift()
      request.give(rows.first, count)
      rows.first += count
      rows.count -= count
      if (rows.count === 0) feed.granted.shift()
    }
  }

  #of(name: string): Feed {
    let feed = this.#feeds.get(name)
    if (feed === undefined) {
      feed = { granted: [], waiting: [], askedAt: null, lastGrant: -1, used: [] }
      this.#feeds.set(name, feed)
    }
    return feed
  }
}
