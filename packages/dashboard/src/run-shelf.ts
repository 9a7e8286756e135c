import type { Comparison } from '@loads-runner/history'
import { buildModel } from './build-model.ts'
import { RunFeed } from './run-feed.ts'
import type { RunListRow, RunModel } from './model.ts'
import type { PastRuns, RunSource } from './run-source.ts'
import { liveTiers } from './timeline.ts'
import type { RunRow } from '@loads-runner/protocol'

/** Runs that are followed, and past ones that are kept at hand. */
const mostFeeds = 20
const mostPast = 5
/** A source that does not say anything of a run within this time has nothing to say. */
const readyMs = 10_000

const ends: ReadonlySet<string> = new Set(['done', 'failed', 'aborted', 'incomplete'])

export interface RunShelfOptions {
  source: RunSource
  past: PastRuns | null
  log: (text: string) => void
  /** The line of a run in the list is another now. */
  onRow: (row: RunListRow) => void
}

/**
 * The runs that can be looked at. Those that a broker knows are followed from their start, so that their history is
 * complete when somebody comes; those that are over are read from disk when somebody asks.
 */
export class RunShelf {
  readonly #source: RunSource
  readonly #past: PastRuns | null
  readonly #log: (text: string) => void
  readonly #onRow: (row: RunListRow) => void
  readonly #feeds = new Map<string, RunFeed>()
  /** What the source said last of the runs that are followed. */
  readonly #rows = new Map<string, RunRow>()
  /** By run, the one asked for last at the end. */
  readonly #models = new Map<string, Promise<RunModel | null>>()
  /** Feeds whose source went away. */
  readonly #lost = new WeakSet<RunFeed>()
  #uses = 0

  constructor({ source, past, log, onRow }: RunShelfOptions) {
    this.#onRow = onRow
    this.#source = source
    this.#past = past
    this.#log = log
  }

  get feeds(): Iterable<RunFeed> {
    return this.#feeds.values()
  }

  /** Follows the runs that go on already. */
  async open(): Promise<void> {
    for (const row of await this.#known()) this.see(row)
  }

  /** A run is there, or has changed its state. */
  see(row: RunRow): void {
    // One that was over before can tell its totals only: the disk knows more, and is asked when somebody looks.
    if (!ends.has(row.state) || this.#feeds.has(row.runId)) this.#follow(row)
    this.#onRow(this.#rowOf(row))
  }

  /** The feed of a run that is followed, or can be; null when it is no run of the source's. */
  async feedOf(runId: string): Promise<RunFeed | null> {
    const feed = this.#feeds.get(runId)
    if (feed !== undefined) return (await this.#readied(feed)) ? feed : null
    const row = (await this.#known()).find((each) => each.runId === runId)
    if (row === undefined) return null
    if (ends.has(row.state) && (await this.pastModel(runId)) !== null) return null
    const followed = this.#follow(row)
    return (await this.#readied(followed)) ? followed : null
  }

  /** Everybody who looks at a run was told of its end, or so many milliseconds have passed. */
  async toldEnd(runId: string, withinMs: number): Promise<void> {
    await this.#feeds.get(runId)?.told(withinMs)
  }

  /** Null when one of them is not stored. */
  async compare(before: string, after: string): Promise<Comparison | null> {
    return (await this.#past?.compare(before, after)) ?? null
  }

  /** The model of a run that is over; null when there is no such run. */
  async pastModel(runId: string): Promise<RunModel | null> {
    const past = this.#past
    if (past === null) return null
    const known = this.#models.get(runId) ?? this.#load(past, runId)
    this.#models.delete(runId)
    this.#models.set(runId, known)
    for (const oldest of this.#models.keys()) {
      if (this.#models.size <= mostPast) break
      this.#models.delete(oldest)
    }
    const forget = () => {
      if (this.#models.get(runId) === known) this.#models.delete(runId)
    }
    try {
      const model = await known
      // One that is not there may come; one that goes on changes.
      if (model === null || model.summary === null) forget()
      return model
    } catch (error) {
      forget()
      throw error
    }
  }

  /** The model for a report, as fine as it can be; null when there is no such run. */
  async reportModel(runId: string): Promise<RunModel | null> {
    const feed = await this.feedOf(runId)
    // A run that goes on is on disk in part only.
    if (feed !== null && !feed.ended) return feed.model()
    const events = (await this.#past?.events(runId)) ?? null
    const stored = events === null ? null : await buildModel(events)
    return feed === null || (stored !== null && stored.summary !== null) ? stored : feed.model()
  }

  /** All runs, newest first. */
  async list(): Promise<RunListRow[]> {
    const [known, past] = await Promise.all([this.#known(), this.#stored()])
    const rows = new Map(past.map((row) => [row.runId, row]))
    for (const row of known) {
      const stored = rows.get(row.runId)
      // What is on disk of a run that is over knows its figures.
      if (stored === undefined || stored.endedAt === null) rows.set(row.runId, this.#rowOf(row))
    }
    return [...rows.values()].sort((one, other) => other.submittedAt - one.submittedAt)
  }

  #rowOf(row: RunRow): RunListRow {
    const feed = this.#feeds.get(row.runId)
    const summary = feed?.ended === true ? feed.summary : null
    return {
      runId: row.runId,
      names: row.names,
      project: row.project,
      user: row.user,
      labels: row.labels,
      state: row.state,
      verdict: row.verdict ?? summary?.verdict ?? null,
      submittedAt: row.submittedAt,
      startedAt: row.startedAt,
      endedAt: row.endedAt,
      agents: row.agents.length,
      hits: feed?.hits ?? row.hits,
      p95: summary?.serviceTime.p95 ?? null,
      errorRate:
        summary === null || summary.hits.count === 0 ? null : summary.hits.failed / summary.hits.count,
    }
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.stop()
    this.#feeds.clear()
    this.#models.clear()
  }

  /** Runs of the source; none when it cannot say: what is on disk is there all the same. */
  async #known(): Promise<RunRow[]> {
    try {
      return await this.#source.runs()
    } catch (error) {
      this.#log(`the runs of the broker are not known: ${(error as Error).message}`)
      return [...this.#rows.values()]
    }
  }

  async #stored(): Promise<RunListRow[]> {
    try {
      return (await this.#past?.list()) ?? []
    } catch (error) {
      this.#log(`past runs cannot be listed: ${(error as Error).message}`)
      return []
    }
  }

  async #load(past: PastRuns, runId: string): Promise<RunModel | null> {
    const events = await past.events(runId)
    // As coarse as a page that watched it all the time: reports have it finer.
    return events === null ? null : buildModel(events, { points: liveTiers })
  }

  async #readied(feed: RunFeed): Promise<boolean> {
    feed.usedAt = ++this.#uses
    const ready = await feed.ready(readyMs)
    if (!ready && this.#feeds.get(feed.runId) === feed && feed.readers === 0) this.#drop(feed)
    return ready
  }

  #follow(row: RunRow): RunFeed {
    const { runId, submittedAt } = row
    this.#rows.set(runId, row)
    let feed = this.#feeds.get(runId)
    if (feed === undefined) {
      // Its figures at the end come after the source has said that it is over.
      const onEnd = () => this.#onRow(this.#rowOf(this.#rows.get(runId) ?? row))
      feed = new RunFeed({ runId, submittedAt, log: this.#log, onEnd })
      feed.usedAt = ++this.#uses
      this.#feeds.set(runId, feed)
      this.#makeRoom(feed)
      this.#attach(feed)
    } else if (this.#lost.delete(feed)) this.#attach(feed)
    return feed
  }

  #attach(feed: RunFeed): void {
    const { runId } = feed
    const lost = () => {
      feed.unfollow = null
      if (feed.ended || this.#feeds.get(runId) !== feed) return
      // What is known stays; the rest comes when the source is back and tells of the run.
      this.#lost.add(feed)
    }
    this.#source
      .follow(runId, (event) => feed.take(event), lost)
      .then(
        (unfollow) => (feed.unfollow = unfollow),
        (error: unknown) => {
          this.#log(`run ${runId} cannot be followed: ${(error as Error).message}`)
          if (feed.begun) lost()
          else this.#drop(feed)
        },
      )
  }

  /** Those that are over and that nobody looks at go first, then those that nobody looks at. */
  #makeRoom(newest: RunFeed): void {
    while (this.#feeds.size > mostFeeds) {
      const others = [...this.#feeds.values()].filter((feed) => feed !== newest)
      const rank = (feed: RunFeed) => (feed.readers > 0 ? 2 : feed.ended ? 0 : 1)
      others.sort((one, other) => rank(one) - rank(other) || one.usedAt - other.usedAt)
      this.#drop(others[0]!)
    }
  }

  #drop(feed: RunFeed): void {
    if (this.#feeds.get(feed.runId) === feed) {
      this.#feeds.delete(feed.runId)
      this.#rows.delete(feed.runId)
    }
    feed.stop()
  }
}
