import { withOwnCleanUp } from './temporary.ts'

/**
 * Tests of stories that wait more than they work: a few run at the same time. Each is still a test of its own, with its
 * own result and its own clean-up.
 */
export function sideBySide(stories: Readonly<Record<string, () => Promise<void>>>, atOnce = 2): void {
  const names = Object.keys(stories)
  const started = new Map<string, Promise<void>>()
  /** Where the first test is asked for, all of them probably are: the next one begins as soon as one ends. */
  let allWanted = false
  const start = (name: string | undefined) => {
    if (name === undefined || started.has(name)) return
    const story = withOwnCleanUp(stories[name]!)
    started.set(name, story)
    const goOn = () => {
      if (allWanted) start(names.find((each) => !started.has(each)))
    }
    // Its own test tells of a failure.
    story.then(goOn, goOn)
  }
  for (const [index, name] of names.entries()) {
    it(name, () => {
      if (index === 0) {
        allWanted = true
        for (const each of names.slice(0, atOnce)) start(each)
      }
      start(name)
      return started.get(name)
    })
  }
  // Where a test was chosen by its name, those beside it may still run.
  after(() => {
    allWanted = false
    return Promise.allSettled(started.values())
  })
}
