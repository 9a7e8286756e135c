import assert from 'node:assert/strict'
import { RowLease } from '../../src/feeds/row-lease.ts'

/** A broker with this many rows. */
function pool(size: number) {
  let next = 0
  const asked: number[] = []
  const lease = async (_feed: string, _size: number, count: number) => {
    asked.push(count)
    const first = next
    next = Math.min(size, next + count)
    return { first, count: next - first }
  }
  return { lease, asked, giveBack: (rows: number) => void (next -= rows) }
}

describe('feeds/row-lease', () => {
  it('gives each row once, to many who ask at once, and to several threads', async () => {
    const { lease } = pool(500)
    const threads = [new RowLease('f', 500, lease), new RowLease('f', 500, lease)]
    const rows = await Promise.all(Array.from({ length: 500 }, (_, each) => threads[each % 2]!.next()))
    const given = rows.filter((row) => row !== null).sort((one, other) => one - other)
    assert.deepEqual([...new Set(given)], given)
    for (const thread of threads) {
      for (let row = await thread.next(); row !== null; row = await thread.next()) given.push(row)
    }
    assert.deepEqual(
      given.sort((one, other) => one - other),
      Array.from({ length: 500 }, (_, row) => row),
    )
  })

  it('leases more at a time when rows go fast, fewer when they go slowly, one of a hundred at most', async () => {
    let now = 0
    const { lease, asked } = pool(1_000_000)
    const rows = new RowLease('f', 1_000_000, lease, () => now)
    for (let each = 0; each < 1000; each++, now += 1) await rows.next()
    assert.ok(asked.length < 25, `${asked.length} requests`)
    assert.equal(asked.at(-1), 100)
    for (let each = 0; each < 200; each++, now += 1000) await rows.next()
    assert.ok(asked.at(-1)! <= 6, `${asked.at(-1)} at a time`)

    const small = pool(300)
    const few = new RowLease('f', 300, small.lease, () => now)
    for (let each = 0; each < 300; each++) await few.next()
    assert.equal(Math.max(...small.asked), 3)
  })

  it('asks a dry pool again after a while', async () => {
    let now = 0
    const { lease, asked, giveBack } = pool(2)
    const rows = new RowLease('f', 2, lease, () => now)
    assert.deepEqual([await rows.next(), await rows.next(), await rows.next()], [0, 1, null])
    const requests = asked.length
    assert.equal(await rows.next(), null)
    assert.equal(asked.length, requests)
    giveBack(1)
    now += 1001
    assert.equal(await rows.next(), 1)
  })
})
