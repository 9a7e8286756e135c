import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HistoryError } from '../src/errors.ts'
import { openRecording } from '../src/recording.ts'
import { RunStore } from '../src/run-store.ts'
import { totalsOf } from '../src/totals.ts'
import { trend } from '../src/trend.ts'
import { parseTrendMetric } from '../src/trend-metric.ts'
import { withDirectory, writeRun, type Samples } from './run-maker.ts'

const start = Date.parse('2026-11-01T12:00:00Z')

/** Ten seconds of hits of two names, with steps, executions and a counter. */
function secondsOf(micros: number): Samples[][] {
  return Array.from({ length: 10 }, () => [
    { micros, count: 100, key: { name: '/a' } },
    { micros: micros * 2, count: 50, failed: 5, key: { name: '/b' } },
    { micros: micros * 3, count: 50, failed: 50, key: { name: '/b', status: '500' } },
    { micros: micros * 4, count: 30, key: { kind: 'step', name: 'log in', method: '', status: '' } },
    { micros: micros * 5, count: 30, key: { kind: 'timing', name: 'render', method: '', status: '' } },
    {
      micros: micros * 6,
      count: 18,
      key: { kind: 'execution', name: 'T.test_a', method: '', status: 'success' },
    },
    {
      micros: micros * 6,
      count: 2,
      key: { kind: 'execution', name: 'T.test_a', method: '', status: 'error' },
    },
  ])
}

async function fill(root: string): Promise<void> {
  for (const [index, micros] of [10_000, 20_000, 40_000].entries())
    await writeRun(join(root, `2026-11-0${index + 1}--1`), {
      runId: `r${index}`,
      startedAt: start + index * 86_400_000,
      seconds: secondsOf(micros),
      verdict: index === 1 ? 'failed' : 'passed',
    })
}

async function valuesOf(root: string, metric: string): Promise<(number | null)[]> {
  const points = await trend(await new RunStore([root]).list(), metric)
  return points.map(({ value }) => (value === null ? null : Math.round(value * 100) / 100))
}

function near(values: readonly (number | null)[], expected: readonly number[]): void {
  assert.equal(values.length, expected.length)
  for (const [index, value] of values.entries())
    assert.ok(Math.abs(value! / expected[index]! - 1) < 0.009, `${values.join()} are not ${expected.join()}`)
}

describe('trend', () => {
  it('gives a metric of each run, oldest first', () =>
    withDirectory(async (root) => {
      await fill(root)
      const points = await trend(await new RunStore([root]).list(), 'p95')
      assert.deepEqual(
        points.map(({ runId, startedAt, verdict }) => [runId, startedAt, verdict]),
        [
          ['r0', start, 'passed'],
          ['r1', start + 86_400_000, 'failed'],
          ['r2', start + 2 * 86_400_000, 'passed'],
        ],
      )
      near(
        points.map(({ value }) => value),
        [30, 60, 120],
      )
    }))

  it('knows durations, shares, rates and the left sides of thresholds', () =>
    withDirectory(async (root) => {
      await fill(root)
      near(await valuesOf(root, 'p95 of /a'), [10, 20, 40])
      near(await valuesOf(root, 'med of /b'), [20, 40, 80])
      near(await valuesOf(root, 'p(98.5) of /b'), [30, 60, 120])
      near(await valuesOf(root, 'mean'), [17.5, 35, 70])
      near(await valuesOf(root, 'max of log in'), [40, 80, 160])
      near(await valuesOf(root, 'p50 of render'), [50, 100, 200])
      near(await valuesOf(root, 'iteration_duration: p(50)'), [60, 120, 240])
      near(await valuesOf(root, 'http_req_duration{name:/b,status:500}: p(95)'), [30, 60, 120])
      assert.deepEqual(await valuesOf(root, 'errors'), [0.1, 0.1, 0.1])
      assert.deepEqual(await valuesOf(root, 'hits/s'), [200, 200, 200])
      assert.deepEqual(await valuesOf(root, 'iterations/s'), [20, 20, 20])
      assert.deepEqual(await valuesOf(root, 'http_req_failed'), [0.28, 0.28, 0.28])
      assert.deepEqual(await valuesOf(root, 'http_req_failed{name:/a}'), [0, 0, 0])
      assert.deepEqual(await valuesOf(root, 'p95 of /nothing'), [null, null, null])
    }))

  it('tells the same by the summary as by the events', () =>
    withDirectory(async (root) => {
      await fill(root)
      const directory = join(root, '2026-11-01--1')
      for (const metric of [
        'p95',
        'p95 of /a',
        'mean',
        'min',
        'max of /a',
        'errors',
        'hits/s',
        'hit_failed',
        'iterations',
      ]) {
        const recording = await openRecording(directory)
        const [known] = await trend([recording], metric)
        const events = () => recording.events()
        const { runId, path, kind, spec, source, unknownRecords } = recording
        const bare = { runId, path, kind, spec, source, unknownRecords, events, summary: null }
        const [rebuilt] = await trend([bare], metric)
        assert.ok(known!.value !== null && rebuilt!.value !== null, metric)
        assert.ok(
          Math.abs(known!.value / rebuilt!.value - 1) < 1e-9,
          `${metric}: ${known!.value}, ${rebuilt!.value}`,
        )
      }
    }))

  it('rebuilds a run that was killed', () =>
    withDirectory(async (root) => {
      const directory = join(root, '2026-11-09--1')
      await writeRun(directory, { startedAt: start, seconds: secondsOf(10_000), isTorn: true })
      const [point] = await trend([await openRecording(directory)], 'p95 of /a')
      near([point!.value], [10])
      assert.equal(point!.startedAt, start)
      assert.equal(point!.verdict, null)
      const { isTorn } = await totalsOf(await openRecording(directory))
      assert.equal(isTorn, true)
    }))

  it('has no value where events would be needed and were not kept', () =>
    withDirectory(async (root) => {
      await fill(root)
      await rm(join(root, '2026-11-02--1', 'events'))
      const values = await valuesOf(root, 'p95 of /b')
      assert.equal(values[1], null)
      near([values[0]!, values[2]!], [30, 120])
    }))

  it('says nothing about a quantile with too few samples beyond it', () =>
    withDirectory(async (root) => {
      const directory = join(root, '2026-11-01--1')
      await writeRun(directory, { seconds: [[{ micros: 1000, count: 150 }]] })
      const value = async (metric: string) =>
        (await trend([await openRecording(directory)], metric))[0]!.value
      assert.equal(await value('p95'), null)
      assert.ok((await value('p90'))! > 0.9)
    }))
})

describe('parseTrendMetric', () => {
  it('says what values are', () => {
    assert.equal(parseTrendMetric('p95').dimension, 'time')
    assert.equal(parseTrendMetric('errors').dimension, 'share')
    assert.equal(parseTrendMetric('hits/s').dimension, 'per-second')
    assert.equal(parseTrendMetric('data_received/s').dimension, 'bytes-per-second')
    assert.equal(parseTrendMetric('hits: count').dimension, 'number')
  })

  for (const [text, why] of [
    ['', /is no metric/],
    ['p101', /no percentile/],
    ['p95 <', /is no metric/],
    ['p(95), p(99)', /more than one|is no metric/],
    ['http_req_durations: p(95)', /did you mean http_req_duration/],
    ['http_req_duration', /say what of/],
    ['errors/s', /errors is a share/],
  ] as const)
    it(`refuses ${JSON.stringify(text)} and says why`, () => {
      assert.throws(
        () => parseTrendMetric(text),
        (error: unknown) => {
          assert.ok(error instanceof HistoryError)
          assert.equal(error.code, 'HISTORY_METRIC')
          assert.match(error.message, why)
          return true
        },
      )
    })
})
