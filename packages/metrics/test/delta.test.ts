import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Delta, emptySeriesDelta, type SeriesDelta } from '../src/delta.ts'
import { seriesId, type SeriesKey } from '../src/series.ts'
import { smallDeltas } from './arbitraries.ts'

const key: SeriesKey = { kind: 'http', test: 'T.a', name: '/', method: 'GET', status: '200', tags: {} }

function merged(...deltas: Delta[]): Delta {
  const sum = new Delta()
  for (const delta of deltas) sum.merge(delta)
  return sum
}

/** Comparable whatever the order of entries. */
function sorted(delta: Delta) {
  return [...delta.series]
    .map(
      ([id, series]) =>
        [
          id,
          {
            ...series,
            key: null,
            buckets: [...(series.buckets ?? [])].sort(([one], [other]) => one - other),
          },
        ] as const,
    )
    .sort(([one], [other]) => (one < other ? -1 : 1))
}

describe('Delta', () => {
  it('merges in any order and grouping to the same figures', () => {
    fc.assert(
      fc.property(smallDeltas, smallDeltas, smallDeltas, (one, two, three) => {
        const all = sorted(merged(one, two, three))
        assert.deepEqual(sorted(merged(three, one, two)), all)
        assert.deepEqual(sorted(merged(one, merged(two, three))), all)
        assert.deepEqual(sorted(merged(merged(one, two), three)), all)
      }),
    )
  })

  it('never changes or keeps what was merged into it', () => {
    const from = new Delta()
    from.add({ ...emptySeriesDelta(key, null), count: 1, buckets: new Map([[5, 1]]) })
    const into = merged(from, from)
    into.merge(from)
    assert.deepEqual(
      [...from.series.values()].map(({ count, buckets }) => [count, buckets!.get(5)]),
      [[1, 1]],
    )
    assert.deepEqual(
      [...into.series.values()].map(({ count, buckets }) => [count, buckets!.get(5)]),
      [[3, 3]],
    )
  })

  it('is empty until something is added', () => {
    const delta = new Delta()
    assert.ok(delta.isEmpty)
    delta.add(emptySeriesDelta(key, null))
    assert.ok(!delta.isEmpty)
    assert.deepEqual([...delta.series.keys()], [seriesId(key)])
  })

  it('keeps the latest value of a gauge and adds up counters', () => {
    const set = (kind: 'gauge' | 'counter', value: number, lastAt: number): SeriesDelta => ({
      ...emptySeriesDelta({ ...key, kind }, null),
      value,
      lastAt,
    })
    const delta = new Delta()
    for (const [value, at] of [[9, 100] as const, [-3, 300] as const, [5, 200] as const]) {
      delta.add(set('gauge', value, at))
      delta.add(set('counter', value, at))
    }
    assert.deepEqual(
      [...delta.series.values()].map(({ value, lastAt }) => [value, lastAt]),
      [
        [-3, 300],
        [11, 300],
      ],
    )
  })

  it('keeps the detail of the first error', () => {
    const error = (firstSeen: number, message: string): SeriesDelta => ({
      ...emptySeriesDelta({ ...key, kind: 'error' }, { type: 'E', message, sample: '', firstSeen }),
      count: 1,
    })
    const delta = new Delta()
    for (const each of [error(20, 'b'), error(10, 'a'), error(30, 'c')]) delta.add(each)
    const [group] = delta.series.values()
    assert.deepEqual([group!.detail!.message, group!.detail!.firstSeen, group!.count], ['a', 10, 3])
  })
})
