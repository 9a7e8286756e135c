import assert from 'node:assert/strict'
import fc from 'fast-check'
import { overflowOf, seriesId, type SeriesKey } from '../src/series.ts'
import { keys } from './arbitraries.ts'

const key: SeriesKey = {
  kind: 'http',
  test: 'T.a',
  name: 'GET /',
  method: 'GET',
  status: '200',
  tags: { a: '1', b: '2' },
}

describe('series', () => {
  it('has one id whatever the order of its tags', () => {
    assert.equal(seriesId(key), seriesId({ ...key, tags: { b: '2', a: '1' } }))
  })

  it('has another id when anything differs', () => {
    const sorted = (each: SeriesKey) => ({
      ...each,
      tags: Object.entries(each.tags).sort(([one], [other]) => (one < other ? -1 : 1)),
    })
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        let equal = true
        try {
          assert.deepEqual(sorted(one), sorted(other))
        } catch {
          equal = false
        }
        assert.equal(seriesId(one) === seriesId(other), equal)
      }),
    )
    assert.notEqual(seriesId(key), seriesId({ ...key, tags: { a: '1' } }))
    assert.notEqual(seriesId(key), seriesId({ ...key, status: '201' }))
  })

  it('overflows per kind and test, with interrupted hits apart', () => {
    const overflow = { kind: 'http', test: 'T.a', name: '(other)', method: '', status: '', tags: {} }
    assert.deepEqual(overflowOf(key), overflow)
    assert.deepEqual(overflowOf({ ...key, status: 'interrupted' }), { ...overflow, status: 'interrupted' })
  })
})
