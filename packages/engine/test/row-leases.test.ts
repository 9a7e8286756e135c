import assert from 'node:assert/strict'
import { RowLeases } from '../src/row-leases.ts'
import { addRow } from '../src/thread-rows.ts'

describe('row leases of a session', () => {
  const open = () => {
    const asked: [string, number, number][] = []
    const leases = new RowLeases((...question) => asked.push(question))
    const given: [number, number][] = []
    const want = (count: number, feed = 'users.csv') =>
      leases.request(feed, { size: 100, count, give: (first, rows) => given.push([first, rows]) })
    return { leases, asked, given, want }
  }

  it('ask once at a time, and give what came to who waited longest', () => {
    const { leases, asked, given, want } = open()
    want(10)
    want(5)
    assert.deepEqual(asked, [['users.csv', 100, 10]])
    leases.granted('users.csv', 40, 12)
    assert.deepEqual(given, [
      [40, 10],
      [50, 2],
    ])
    want(3, 'other.csv')
    assert.deepEqual(asked.slice(1), [['other.csv', 100, 3]])
  })

  it('take an answer once, and only when they have asked', () => {
    const { leases, given, want } = open()
    leases.granted('users.csv', 0, 10)
    want(1)
    leases.granted('users.csv', 10, 2)
    leases.granted('users.csv', 10, 2)
    want(1)
    want(1)
    leases.granted('users.csv', 10, 2)
    assert.deepEqual(given, [
      [10, 1],
      [11, 1],
    ])
    leases.granted('users.csv', 30, 1)
    assert.deepEqual(given.at(-1), [30, 1])
  })

  it('tell everybody when none is left, and ask again when asked again', () => {
    const { leases, asked, given, want } = open()
    want(1)
    want(1)
    leases.granted('users.csv', 0, 0)
    assert.deepEqual(given, [
      [0, 0],
      [0, 0],
    ])
    want(1)
    assert.equal(asked.length, 2)
  })

  it('ask again when no answer came', () => {
    const { leases, asked, want } = open()
    want(1)
    leases.repeat(performance.now() + 5000)
    assert.equal(asked.length, 1)
    leases.repeat(performance.now() + 20_000)
    assert.equal(asked.length, 2)
  })

  it('collect what was used, once', () => {
    const { leases } = open()
    leases.use([{ feed: 'a', used: [0, 2] }])
    leases.use([{ feed: 'a', used: [7, 1] }])
    assert.deepEqual(leases.collect(), [{ feed: 'a', used: [0, 2, 7, 1] }])
    assert.deepEqual(leases.collect(), [])
  })

  it('write rows in order as one range', () => {
    const ranges: number[] = []
    for (const row of [3, 4, 5, 9, 10, 2]) addRow(ranges, row)
    assert.deepEqual(ranges, [3, 3, 9, 2, 2, 1])
  })
})
