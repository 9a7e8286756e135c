import { isAbsolute, posix, resolve } from 'node:path'
import {
  createRandom,
  UsageError,
  type FeedMode,
  type FeedRow,
  type FeedSource,
  type UserContext,
} from '@loads-runner/testcase'
import { BlockCache } from './block-cache.ts'
import { DataFile } from './data-file.ts'
import { RowLease, type LeaseRows } from './row-lease.ts'

export interface FeedsOptions {
  /** Where relative names belong to: absolute. */
  directory: string
  /** Of the run. */
  seed: number
  /** Asks for rows that no other thread of the run has; a count of 0: none is left. */
  lease: LeaseRows
  /** Told of each leased row that is given to an execution. */
  onUsed: (feed: string, row: number) => void
}

/** Each open file takes a descriptor and an index. */
const mostFiles = 256

/** The data files of one load thread. */
export function createFeeds(options: FeedsOptions): FeedSource & { close(): Promise<void> } {
  return new Feeds(options)
}

interface Feed {
  name: string
  file: DataFile
  lease: RowLease
  /** The leased row of each user's running execution: asking twice gives the same one. */
  leased: WeakMap<UserContext, { executionId: string; row: Promise<number | null> }>
}

class Feeds implements FeedSource {
  readonly #options: FeedsOptions
  readonly #cache = new BlockCache()
  readonly #opening = new Map<string, Promise<Feed>>()
  /** By the name that the test said. */
  readonly #open = new Map<string, Feed>()
  #closed = false

  constructor(options: FeedsOptions) {
    this.#options = options
  }

  async row(file: string, mode: FeedMode, user: UserContext): Promise<FeedRow> {
    const feed = this.#open.get(file) ?? (await this.#feed(file))
    const row = this.#choose(feed, mode, user)
    return feed.file.row(typeof row === 'number' ? row : await row)
  }

  async close(): Promise<void> {
    this.#closed = true
    const feeds = await Promise.allSettled(this.#opening.values())
    this.#opening.clear()
    this.#open.clear()
    for (const each of feeds) if (each.status === 'fulfilled') await each.value.file.close().catch(() => {})
  }

  async #feed(file: string): Promise<Feed> {
    const name = posix.normalize(file.replaceAll('\\', '/'))
    let opening = this.#opening.get(name)
    if (opening === undefined) {
      if (this.#closed) throw new UsageError(`${name}: the run is over`)
      if (this.#opening.size >= mostFiles)
        throw new UsageError(
          `${name}: a run reads at most ${mostFiles} data files; put rows into fewer files`,
        )
      opening = this.#openFeed(name, this.#opening.size)
      this.#opening.set(name, opening)
      // A file that is not there is said to everybody who asks for it.
      opening.catch(() => {})
    }
    const feed = await opening
    if (!this.#closed && this.#open.size < 2 * mostFiles) this.#open.set(file, feed)
    return feed
  }

  async #openFeed(name: string, number: number): Promise<Feed> {
    const { directory, lease } = this.#options
    const path = isAbsolute(name) ? name : resolve(directory, name)
    const file = await DataFile.open(name, path, this.#cache, number)
    return { name, file, lease: new RowLease(name, file.rows, lease), leased: new WeakMap() }
  }

  /** The number of the row of the running execution: the same on any number of agents, but for leased ones. */
  #choose(feed: Feed, mode: FeedMode, user: UserContext): number | Promise<number> {
    const { rows } = feed.file
    switch (mode) {
      case 'sequential':
        return user.ordinal % rows
      case 'random':
        return createRandom(this.#options.seed, `${feed.name}/${user.executionId}`).integer(0, rows - 1)
      case 'unique':
        if (user.ordinal < rows) return user.ordinal
        throw new UsageError(
          `no row left: ${rows} rows in ${feed.name}, this execution needs row ${user.ordinal + 1}; ` +
            `use more rows, fewer executions, or mode 'leased'`,
        )
      case 'leased':
        return this.#leasedRow(feed, user)
      default:
        throw new UsageError(
          `this.feed('${feed.name}'): no mode '${String(mode)}'; the modes are sequential, random, unique and leased`,
        )
    }
  }

  async #leasedRow(feed: Feed, user: UserContext): Promise<number> {
    let mine = feed.leased.get(user)
    if (mine?.executionId !== user.executionId) {
      mine = { executionId: user.executionId, row: this.#lease(feed) }
      feed.leased.set(user, mine)
    }
    const row = await mine.row
    if (row !== null) return row
    throw new UsageError(
      `no row left: all ${feed.file.rows} rows in ${feed.name} are used or leased to others; ` +
        'use more rows or fewer executions',
    )
  }

  async #lease(feed: Feed): Promise<number | null> {
    const row = await feed.lease.next()
    if (row !== null) this.#options.onUsed(feed.name, row)
    return row
  }
}
