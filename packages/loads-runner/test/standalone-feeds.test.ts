import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setStandaloneFeeds, TestCase } from '@loads-runner/testcase'
import { provideStandaloneFeeds } from '../src/standalone-feeds.ts'

describe('standalone feeds', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'standalone-feeds-'))
  })
  afterEach(async () => {
    setStandaloneFeeds(null)
    await rm(directory, { recursive: true })
  })

  it('give rows to a test that no run contains, in every mode', async () => {
    const file = join(directory, 'users.csv')
    await writeFile(file, 'id\n7\n')
    provideStandaloneFeeds()
    const test = new TestCase()
    for (const mode of ['sequential', 'random', 'unique', 'leased'] as const)
      assert.deepEqual(await test.feed(file, { mode }), { id: '7' })
    await assert.rejects(
      new TestCase().feed(join(directory, 'nowhere.csv')),
      /^UsageError: no data file \S+nowhere\.csv/,
    )
  })
})
