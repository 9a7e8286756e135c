import { withOwnCleanUp } from './temporary.ts'

/**
 * Tests of stories that wait more than they work: each runs beside the next ones. It is still a test of its own, with
 * its own result and its own clean-up.
 */
export function sideBySide(stories: Readonly<Record<string, () => Promise<void>>>, atOnce = 2): void {
  const names = Object.keys(stories)
  const started = new Map<string, Promise<void>>()
  const start = (name: string) => {
    if (started.has(name)) return
    const story = withOwnCleanUp(stories[name]!)
    // Its own test tells of a failure.
    story.catch(() => {})
    started.set(name, story)
  }
  for (const [index, name] of names.entries()) {
    it(name, () => {
      for (const each of names.slice(index, index + atOnce)) start(each)
      return started.get(name)
    })
  }
  // Where a test was chosen by its name, the one beside it still runs.
  after(() => Promise.allSettled(started.values()))
}
