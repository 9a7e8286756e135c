import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DeltaDecoder } from '../src/delta-decoder.ts'
import { DeltaEncoder } from '../src/delta-encoder.ts'
import { Delta, emptySeriesDelta } from '../src/delta.ts'
import type { SeriesKey } from '../src/series.ts'
import { anyDeltas } from './arbitraries.ts'

const key: SeriesKey = { kind: 'http', test: 'T.a', name: 'GET /', method: 'GET', status: '200', tags: {} }

describe('DeltaEncoder', () => {
  it('carries a stream of deltas unchanged', () => {
    fc.assert(
      fc.property(fc.array(anyDeltas, { maxLength: 5 }), (deltas) => {
        const encoder = new DeltaEncoder()
        const decoder = new DeltaDecoder()
        for (const delta of deltas)
          assert.deepEqual(decoder.decode(encoder.encode(delta)).series, delta.series)
      }),
    )
  })

  it('lets a late reader begin with a full delta and go on with the stream', () => {
    fc.assert(
      fc.property(
        fc.array(anyDeltas, { maxLength: 4 }),
        anyDeltas,
        fc.array(anyDeltas),
        (before, full, after) => {
          const encoder = new DeltaEncoder()
          const early = new DeltaDecoder()
          const late = new DeltaDecoder()
          for (const delta of before) early.decode(encoder.encode(delta))
          const snapshot = encoder.encodeFull(full)
          assert.deepEqual(late.decode(snapshot).series, full.series)
          assert.deepEqual(early.decode(snapshot).series, full.series)
          // Also series that the snapshot has no figures of are known by their numbers.
          for (const delta of [...before, ...after]) {
            const bytes = encoder.encode(delta)
            assert.deepEqual(late.decode(bytes).series, delta.series)
            assert.deepEqual(early.decode(bytes).series, delta.series)
          }
        },
      ),
    )
  })

  it('sends a definition once', () => {
    const encoder = new DeltaEncoder()
    const delta = new Delta()
    delta.add({
      ...emptySeriesDelta(key, null),
      count: 1,
      sum: 900,
      min: 900,
      max: 900,
      buckets: new Map([[300, 1]]),
    })
    const first = encoder.encode(delta).length
    const second = encoder.encode(delta).length
    assert.ok(second < first - 20, `${first} bytes, then ${second}`)
    assert.ok(second <= 16, `${second} bytes for one hit`)
  })

  it('sends a definition again when the detail of an error changes', () => {
    const encoder = new DeltaEncoder()
    const decoder = new DeltaDecoder()
    const errorOf = (message: string) => {
      const delta = new Delta()
      const detail = { type: 'E', message, sample: 'stack', firstSeen: 5 }
      delta.add({ ...emptySeriesDelta({ ...key, kind: 'error' }, detail), count: 1 })
      return delta
    }
    for (const message of ['a', 'a', 'b', 'b', 'a']) {
      const delta = errorOf(message)
      assert.deepEqual(decoder.decode(encoder.encode(delta)).series, delta.series)
    }
  })

  it('leaves empty buckets out and sorts the others', () => {
    const delta = new Delta()
    const buckets = new Map([
      [9, 1],
      [3, 2],
      [5, 0],
    ])
    delta.add({ ...emptySeriesDelta(key, null), count: 3, buckets })
    const [series] = new DeltaDecoder().decode(new DeltaEncoder().encode(delta)).series.values()
    assert.deepEqual(
      [...series!.buckets!],
      [
        [3, 2],
        [9, 1],
      ],
    )
  })

  it('is compact: a window of ten thousand samples stays below a kilobyte', () => {
    const buckets = new Map<number, number>()
    for (let bucket = 600; bucket < 950; bucket++) buckets.set(bucket, 1 + (bucket % 60))
    const count = [...buckets.values()].reduce((sum, each) => sum + each, 0)
    assert.ok(count > 10_000)
    const delta = new Delta()
    delta.add({ ...emptySeriesDelta(key, null), count, sum: 50_000_000, min: 400, max: 90_000, buckets })
    assert.ok(new DeltaEncoder().encode(delta).length < 1024)
  })
})
