import type { FeedSource, UserContext } from './context.ts'
import { UsageError } from './errors.ts'

/** Makes the source of data rows for one test instance that no engine runs. */
export type FeedFactory = () => FeedSource

/**
 * Kept under a registered symbol of the thread, so that a test and the program that runs it need not share one copy
 * of this package.
 */
const factoryKey = Symbol.for('loads.standaloneFeeds')

/**
 * Says where `this.feed` takes its rows from outside a run: under mocha, or in a script. The package that reads data
 * files calls it when it is loaded; a null takes it back.
 */
export function setStandaloneFeeds(factory: FeedFactory | null): void {
  const holder = globalThis as Record<symbol, FeedFactory | null | undefined>
  holder[factoryKey] = factory
}

/** Feeds of a standalone test. Made when they are first used, so that the factory may be set after the test is. */
export function standaloneFeeds(): FeedSource {
  let source: FeedSource | null = null
  return {
    async row(file: string, mode, user: UserContext) {
      const factory = (globalThis as Record<symbol, FeedFactory | null | undefined>)[factoryKey]
      if (source === null && (factory === null || factory === undefined)) {
        throw new UsageError(
          `this.feed('${file}'): nothing reads data files here. Run the test with loads-runner (--once runs it once), ` +
            "or under mocha with --ui loads-runner/mocha; in a script of your own, import 'loads-runner' first.",
        )
      }
      source ??= factory!()
      return source.row(file, mode, user)
    },
  }
}
