import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FeedMode } from '@loads-runner/testcase'
import fc from 'fast-check'
import { createFeeds } from '../../src/feeds/feeds.ts'
import { userAt } from './user.ts'

const rowCount = 1000

describe('feeds/feeds', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'feeds-'))
    const rows = Array.from({ length: rowCount }, (_, row) => `${row},user${row}`)
    await writeFile(join(directory, 'users.csv'), ['id,name', ...rows].join('\n'))
  })
  after(() => rm(directory, { recursive: true }))

  const opened: { close(): Promise<void> }[] = []
  afterEach(() => Promise.all(opened.splice(0).map((feeds) => feeds.close())))
  let next = 0
  const used: [string, number][] = []
  beforeEach(() => {
    next = 0
    used.length = 0
  })
  const open = (seed = 1) => {
    const feeds = createFeeds({
      directory,
      seed,
      lease: async (_feed, size, count) => {
        const first = next
        next = Math.min(size, next + count)
        return { first, count: next - first }
      },
      onUsed: (feed, row) => void used.push([feed, row]),
    })
    opened.push(feeds)
    return feeds
  }
  const idOf = async (feeds: ReturnType<typeof open>, mode: FeedMode, ordinal: number) =>
    Number((await feeds.row('users.csv', mode, userAt(ordinal)))['id'])

  it('chooses the same rows for n agents as for one', async () => {
    const parts = fc.integer({ min: 1, max: 5 })
    const modes = fc.constantFrom<FeedMode>('sequential', 'random', 'unique')
    const ordinals = fc.uniqueArray(fc.integer({ min: 0, max: rowCount - 1 }), {
      minLength: 1,
      maxLength: 40,
    })
    await fc.assert(
      fc.asyncProperty(parts, modes, ordinals, async (n, mode, executions) => {
        const one = open()
        const agents = Array.from({ length: n }, () => open())
        for (const ordinal of executions) {
          assert.equal(await idOf(agents[ordinal % n]!, mode, ordinal), await idOf(one, mode, ordinal))
        }
      }),
      { numRuns: 40 },
    )
  })

  it('takes rows in order and begins again, at random by seed, or each once', async () => {
    const feeds = open()
    assert.equal(await idOf(feeds, 'sequential', 2 * rowCount + 7), 7)
    assert.equal(await idOf(feeds, 'unique', rowCount - 1), rowCount - 1)
    await assert.rejects(idOf(feeds, 'unique', rowCount), {
      name: 'UsageError',
      message:
        "no row left: 1000 rows in users.csv, this execution needs row 1001; use more rows, fewer executions, or mode 'leased'",
    })
    const drawn = await Promise.all(Array.from({ length: 500 }, (_, each) => idOf(feeds, 'random', each)))
    const other = open(2)
    const others = await Promise.all(Array.from({ length: 500 }, (_, each) => idOf(other, 'random', each)))
    assert.notDeepEqual(drawn, others)
    assert.ok(new Set(drawn).size > 300, 'random rows are spread')
    assert.ok(Math.min(...drawn) < 50 && Math.max(...drawn) > 950)
  })

  it('leases each row once, tells which were used, and says when none is left', async () => {
    const feeds = open()
    const user = userAt(0)
    const first = await feeds.row('users.csv', 'leased', user)
    // The same file under another name, and the same execution: the same row.
    assert.deepEqual(await feeds.row('./users.csv', 'leased', user), first)
    const rows = await Promise.all(
      Array.from({ length: rowCount - 1 }, (_, each) => idOf(feeds, 'leased', each + 1)),
    )
    const ids = [Number(first['id']), ...rows]
    assert.equal(new Set(ids).size, rowCount)
    assert.deepEqual(
      used.map(([, row]) => row).sort((one, two) => one - two),
      Array.from({ length: rowCount }, (_, row) => row),
    )
    assert.ok(used.every(([feed]) => feed === 'users.csv'))
    await assert.rejects(idOf(feeds, 'leased', rowCount), {
      message:
        'no row left: all 1000 rows in users.csv are used or leased to others; use more rows or fewer executions',
    })
    assert.equal(used.length, rowCount)
  })

  it('gives users rows of their own: changing one changes no other', async () => {
    const feeds = open()
    const row = (await feeds.row('users.csv', 'sequential', userAt(0))) as Record<string, string>
    row['name'] = 'changed'
    assert.equal((await feeds.row('users.csv', 'sequential', userAt(0)))['name'], 'user0')
  })

  it('says the same of a bad file to everybody, and refuses unknown modes', async () => {
    const feeds = open()
    const errors = await Promise.allSettled(
      Array.from({ length: 3 }, (_, each) => feeds.row('nowhere.csv', 'sequential', userAt(each))),
    )
    for (const error of errors) {
      assert.ok(error.status === 'rejected')
      assert.match((error.reason as Error).message, /^no data file nowhere\.csv/)
    }
    await assert.rejects(
      feeds.row('users.csv', 'shuffled' as FeedMode, userAt(0)),
      /no mode 'shuffled'; the modes are/,
    )
  })

  it('opens a bounded number of files', async () => {
    const feeds = open()
    await Promise.allSettled(
      Array.from({ length: 256 }, (_, each) => feeds.row(`${each}.csv`, 'sequential', userAt(0))),
    )
    await assert.rejects(feeds.row('users.csv', 'sequential', userAt(0)), /at most 256 data files/)
  })
})
