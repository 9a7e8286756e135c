import type { FeedSource } from '@loads-runner/testcase'
import { createFeeds } from './feeds.ts'

/** Data files of a test that no run contains (under mocha, in a script): it has all rows of a leased file to itself. */
export function createStandaloneFeeds(directory: string, seed: number): FeedSource {
  const next = new Map<string, number>()
  return createFeeds({
    directory,
    seed,
    lease: async (feed, size, count) => {
      const first = next.get(feed) ?? 0
      const granted = Math.min(count, size - first)
      next.set(feed, first + granted)
      return { first, count: granted }
    },
    onUsed: () => {},
  })
}
