import assert from 'node:assert/strict'
import type { FeedSource } from '../src/context.ts'
import { setStandaloneFeeds } from '../src/standalone-feeds.ts'
import { TestCase } from '../src/test-case.ts'

describe('feeds of standalone tests', () => {
  afterEach(() => setStandaloneFeeds(null))

  it('say what to do while nothing reads data files', async () => {
    await assert.rejects(
      new TestCase().feed('users.csv'),
      /this\.feed\('users\.csv'\): nothing reads data files here/,
    )
  })

  it('come from whoever reads data files, one source for each test', async () => {
    const test = new TestCase()
    let made = 0
    setStandaloneFeeds((): FeedSource => {
      made++
      return { row: (file, _mode, user) => Promise.resolve({ file, id: user.executionId }) }
    })
    assert.deepEqual(await test.feed('a.csv'), { file: 'a.csv', id: 'local/0/0' })
    await test.feed('b.csv')
    assert.equal(made, 1)
    await new TestCase().feed('b.csv')
    assert.equal(made, 2)
  })
})
