/** Between two scrapes of one scraper there may be so much more than its interval: it aligns them anew after a restart. */
const slack = 1.2

/**
 * When has the end of a run been scraped? Whoever scraped before is waited for until its next scrape is due; where
 * nobody did, one may yet come: a short run ends before its first scrape.
 */
export class LastScrape {
  readonly #lingerMs: number
  readonly #now: () => number
  #lastAt: number | null = null
  #intervalMs: number | null = null
  #hasEnded = false
  #isSeen = false
  #resolve: () => void = () => {}

  /** @param lingerMs the longest wait. @param now milliseconds of any steady clock */
  constructor(lingerMs: number, now: () => number = () => performance.now()) {
    this.#lingerMs = lingerMs
    this.#now = now
  }

  /** What is scraped from now on is final. */
  runEnded(): void {
    this.#hasEnded = true
  }

  /** A scrape begins; returns whether what it reads is final. */
  begin(): boolean {
    const at = this.#now()
    if (this.#lastAt !== null) this.#intervalMs = at - this.#lastAt
    this.#lastAt = at
    return this.#hasEnded
  }

  /** The scraper has its answer. */
  end(isLast: boolean): void {
    if (!isLast) return
    this.#isSeen = true
    this.#resolve()
  }

  /** Milliseconds to wait for the last scrape; 0 when it has been, or nothing is worth waiting for. */
  waitMs(): number {
    if (this.#isSeen || !this.#hasEnded) return 0
    if (this.#lastAt === null || this.#intervalMs === null) return this.#lingerMs
    const dueMs = this.#lastAt + this.#intervalMs * slack + 200 - this.#now()
    return Math.min(this.#lingerMs, Math.max(0, dueMs))
  }

  /** Resolves when the end has been scraped, at the latest after `waitMs`. */
  async last(waitMs: number): Promise<void> {
    if (this.#isSeen) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      this.#resolve = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
