import assert from 'node:assert/strict'
import { bucketOf, Delta, emptySeriesDelta, seriesId, type SeriesKey } from '@loads-runner/metrics'
import type { Interval } from '@loads-runner/history'
import { SparkLines } from '../src/spark-lines.ts'

const key: SeriesKey = { kind: 'http', test: 't', name: '/', method: 'GET', status: '200', tags: {} }
const id = seriesId(key)

function interval(spanMs: number, fromMs: number, count: number, micros = 10_000): Interval {
  const delta = new Delta()
  if (count > 0) {
    const buckets = new Map([[bucketOf(micros), count]])
    delta.add({
      ...emptySeriesDelta(key, null),
      count,
      min: micros,
      max: micros,
      sum: micros * count,
      buckets,
    })
  }
  return {
    spanMs,
    fromMs,
    at: 0,
    loadMs: spanMs,
    delta,
    warmUp: false,
    activeUsers: 0,
    planned: 0,
    started: 0,
    finished: 0,
    dropped: 0,
    agents: [],
    revision: 0,
  }
}

/** Seconds of a run, with the longer intervals that they end. */
function play(lines: SparkLines, from: number, to: number, countOf: (second: number) => number): void {
  for (let second = from; second < to; second++) {
    lines.add(interval(1_000, second * 1_000, countOf(second)))
    for (const seconds of [10, 60])
      if ((second + 1) % seconds === 0) {
        let count = 0
        for (let each = second + 1 - seconds; each <= second; each++) count += countOf(each)
        lines.add(interval(seconds * 1_000, (second + 1 - seconds) * 1_000, count))
      }
  }
}

describe('SparkLines', () => {
  it('shows all of a run, in steps that grow with it, and no more than 60', () => {
    const lines = new SparkLines()
    const expected: [number, number, number][] = [
      [30, 1_000, 30],
      [60, 1_000, 60],
      [75, 10_000, 7],
      [600, 10_000, 60],
      [700, 60_000, 11],
      [3_600, 60_000, 60],
      [4_000, 60_000, 60],
    ]
    let now = 0
    for (const [seconds, spanMs, length] of expected) {
      play(lines, now, seconds, () => 2)
      now = seconds
      const spark = lines.of(id)
      assert.deepEqual(
        [spark.spanMs, spark.count.length, spark.p95.length],
        [spanMs, length, length],
        `${seconds} s`,
      )
      assert.ok(spark.count.every((count) => count === (2 * spanMs) / 1000))
      assert.ok(spark.p95.every((p95) => p95 !== null && Math.abs(p95 - 10) < 0.08))
    }
  })

  it('shows where nothing was measured', () => {
    const lines = new SparkLines()
    play(lines, 0, 6, (second) => (second % 3 === 0 ? 4 : 0))
    assert.deepEqual(lines.of(id).count, [4, 0, 0, 4, 0, 0])
    assert.deepEqual(
      lines.of(id).p95.map((p95) => p95 === null),
      [false, true, true, false, true, true],
    )
    assert.deepEqual(lines.of('unknown').count, [0, 0, 0, 0, 0, 0])
  })

  it('has a rate of the last seconds', () => {
    const lines = new SparkLines()
    assert.equal(lines.perSecond(id), 0)
    play(lines, 0, 2, () => 6)
    assert.equal(lines.perSecond(id), 6)
    play(lines, 2, 20, () => 3)
    assert.equal(lines.perSecond(id), 3)
    play(lines, 20, 30, () => 0)
    assert.equal(lines.perSecond(id), 0)
    assert.equal(lines.isActive(id), false)
  })

  it('takes late figures in, and forgets what is too old for it', () => {
    const lines = new SparkLines()
    play(lines, 0, 50, () => 1)
    const { version } = lines
    lines.add(interval(1_000, 40_000, 9))
    assert.equal(lines.of(id).count[40], 9)
    assert.ok(lines.version > version)
    play(lines, 50, 200, () => 1)
    lines.add(interval(1_000, 0, 100))
    lines.add(interval(10_000, 0, 11))
    assert.equal(lines.of(id).count[0], 11)
    assert.equal(lines.perSecond(id), 1)
  })

  it('begins where it began to look', () => {
    const lines = new SparkLines()
    play(lines, 100, 103, () => 1)
    assert.deepEqual(lines.of(id).count, [1, 1, 1])
    assert.equal(lines.perSecond(id), 1)
  })
})
