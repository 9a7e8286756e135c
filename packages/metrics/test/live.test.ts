import assert from 'node:assert/strict'
import { Delta, emptySeriesDelta } from '../src/delta.ts'
import { bucketOf } from '../src/histogram.ts'
import { Live } from '../src/live.ts'
import { hitKinds, type SeriesKind } from '../src/series.ts'

function deltaOf(kind: SeriesKind, status: string, count: number, micros: number, failed = 0): Delta {
  const key = { kind, test: 'T.a', name: '/', method: 'GET', status, tags: {} }
  const delta = new Delta()
  delta.add({ ...emptySeriesDelta(key, null), count, failed, buckets: new Map([[bucketOf(micros), count]]) })
  return delta
}

describe('Live', () => {
  it('gives rates per second and quantiles in milliseconds', () => {
    const live = new Live()
    live.apply(deltaOf('http', '200', 100, 100), 500)
    live.apply(deltaOf('http', '500', 20, 50, 20), 500)
    live.apply(deltaOf('http', 'interrupted', 1, 50, 1), 0)
    live.apply(deltaOf('execution', 'success', 30, 1), 500)
    live.apply(deltaOf('execution', 'error', 6, 1), 500)
    live.apply(deltaOf('execution', 'interrupted', 7, 1), 0)
    live.apply(deltaOf('timing', '', 1000, 9000), 0)
    const { p50, p95, p99, ...rates } = live.rates()
    assert.deepEqual(rates, {
      spanMs: 2000,
      hitsPerSecond: 60.5,
      failedHitsPerSecond: 10,
      executionsPerSecond: 18,
      errorsPerSecond: 3,
    })
    assert.deepEqual([p50, p95, p99], [0.1, 0.1, 0.1])
  })

  it('counts hits of every kind', () => {
    const live = new Live()
    for (const kind of hitKinds) live.apply(deltaOf(kind, 'ok', 1, 100), 0)
    live.apply(deltaOf('hit-response', '200', 5, 100), 1000)
    assert.equal(live.rates().hitsPerSecond, hitKinds.size)
  })

  it('forgets what is older than the span', () => {
    const live = new Live(3000)
    for (let second = 0; second < 10; second++) live.apply(deltaOf('http', '200', 1000, 120), 1000)
    for (let second = 0; second < 3; second++) live.apply(deltaOf('http', '200', 10, 60), 1000)
    const { spanMs, hitsPerSecond, p99 } = live.rates()
    assert.deepEqual([spanMs, hitsPerSecond, p99], [3000, 10, 0.06])
  })

  it('shows a stop: rates fall to zero and quantiles are unknown', () => {
    const live = new Live(2000)
    live.apply(deltaOf('http', '200', 1000, 120), 1000)
    for (let second = 0; second < 5; second++) live.apply(new Delta(), 1000)
    const { hitsPerSecond, p50, p95, p99 } = live.rates()
    assert.deepEqual([hitsPerSecond, p50, p95, p99], [0, null, null, null])
  })

  it('has no rates before time has passed', () => {
    const live = new Live()
    assert.deepEqual([live.rates().hitsPerSecond, live.rates().p50], [0, null])
    live.apply(deltaOf('http', '200', 10, 100), 0)
    assert.deepEqual([live.rates().hitsPerSecond, live.rates().p50], [0, 0.1])
  })

  it('is right over a hundred thousand very short deltas', () => {
    const live = new Live(1000)
    const delta = deltaOf('http', '200', 1, 100)
    for (let index = 0; index < 100_000; index++) live.apply(delta, 0.5)
    const { spanMs, hitsPerSecond } = live.rates()
    assert.ok(spanMs >= 1000 && spanMs <= 1040, `${spanMs} ms`)
    assert.equal(hitsPerSecond, 2000)
  })
})
