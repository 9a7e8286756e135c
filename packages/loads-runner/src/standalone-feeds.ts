import { setStandaloneFeeds, type FeedSource } from '@loads-runner/testcase'

/**
 * `this.feed` in a test that no run contains: under mocha, or in a script. Names belong to the working directory.
 * What reads files is loaded when the first row is wanted.
 */
export function provideStandaloneFeeds(): void {
  setStandaloneFeeds(() => {
    let feeds: Promise<FeedSource> | null = null
    return {
      async row(file, mode, user) {
        feeds ??= import('@loads-runner/engine').then(({ createStandaloneFeeds }) =>
          createStandaloneFeeds(process.cwd(), user.run.seed),
        )
        return (await feeds).row(file, mode, user)
      },
    }
  })
}
