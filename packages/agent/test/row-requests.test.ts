import assert from 'node:assert/strict'
import { RowRequests } from '../src/row-requests.ts'

describe('row requests', () => {
  it('are open until they have their answer, the oldest of a feed first', () => {
    const requests = new RowRequests()
    const [one, two, three] = [
      { feed: 'a', size: 10, count: 1 },
      { feed: 'b', size: 20, count: 2 },
      { feed: 'a', size: 10, count: 3 },
    ] as const
    for (const each of [one, two, three]) requests.add(each)
    requests.answered('a')
    assert.deepEqual(requests.open(), [two, three])
    requests.answered('a')
    // An answer that came twice, as its request was said twice, changes nothing.
    requests.answered('a')
    assert.deepEqual(requests.open(), [two])
  })
})
