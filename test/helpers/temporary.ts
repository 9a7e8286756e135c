import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeFiles } from './files.ts'

type Steps = (() => unknown)[]

/** What is undone after the running test, last thing first, whether the test passed or not. */
const steps: Steps = []
/** The same for a story that runs beside others. */
const ofStory = new AsyncLocalStorage<Steps>()

export function cleanUpAfterTest(step: () => unknown): void {
  const list = ofStory.getStore() ?? steps
  list.push(step)
}

/** Runs a story that cleans up after itself, whatever else is running. */
export async function withOwnCleanUp(story: () => Promise<void>): Promise<void> {
  const own: Steps = []
  try {
    await ofStory.run(own, story)
  } finally {
    await undo(own)
  }
}

/** An empty directory with the given files, gone after the test. */
export async function temporaryDirectory(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'loads-test-')))
  cleanUpAfterTest(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  await writeFiles(directory, files)
  return directory
}

// A hook of mocha's root suite: it serves every test of every file that imports this module.
afterEach(async function () {
  this.timeout(60_000)
  await undo(steps)
})

async function undo(list: Steps): Promise<void> {
  const errors: unknown[] = []
  for (const step of list.splice(0).toReversed()) {
    try {
      await step()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} things could not be cleaned up`)
}
