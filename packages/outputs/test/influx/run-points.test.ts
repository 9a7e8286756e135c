import assert from 'node:assert/strict'
import { bucketOf, Delta, Distribution, emptySeriesDelta, type SeriesDelta } from '@loads-runner/metrics'
import fc from 'fast-check'
import { FigurePoints } from '../../src/influx/figure-points.ts'
import { latencyRows, rowEnds } from '../../src/influx/latency-rows.ts'
import type { Point } from '../../src/influx/point.ts'
import { RunPoints } from '../../src/influx/run-points.ts'
import type { OutputRecord } from '../../src/output.ts'
import { fixtureRun, fixtureStart } from '../../src/testing.ts'
import { recordsOf } from './support/feed.ts'

const span = { tags: { run: 'r', span: '1s' }, at: 1_000, loadMs: 500 }

function hits(name: string, status: string, micros: readonly number[], failed = 0): SeriesDelta {
  const delta = emptySeriesDelta({ kind: 'http', test: 't', name, method: 'GET', status, tags: {} }, null)
  delta.buckets = new Map()
  for (const each of micros) {
    const bucket = bucketOf(each)
    delta.buckets.set(bucket, (delta.buckets.get(bucket) ?? 0) + 1)
    delta.sum += each
    delta.min = Math.min(delta.min, each)
    delta.max = Math.max(delta.max, each)
  }
  delta.count = micros.length
  delta.failed = failed
  return delta
}

function deltaOf(...series: SeriesDelta[]): Delta {
  const delta = new Delta()
  for (const each of series) delta.add(each)
  return delta
}

const of = (points: readonly Point[], measurement: string) =>
  points.filter((point) => point.measurement === measurement)

describe('points of figures', () => {
  it('have quantiles of a name as of one histogram of all its statuses, and leave nothing behind for the next', () => {
    const micros = fc.array(fc.integer({ min: 1, max: 60_000_000 }), { minLength: 1, maxLength: 60 })
    const figures = new FigurePoints()
    fc.assert(
      fc.property(micros, micros, micros, (ok, bad, other) => {
        const all = [hits('a', '200', ok), hits('a', '500', bad, bad.length), hits('b', '200', other)]
        const points = figures.of(deltaOf(...all), span)
        const together = new Distribution()
        for (const each of all.slice(0, 2)) together.apply(each)
        const { p50, p95, p99, max, mean } = together.stats()
        const [a, b] = of(points, 'loads_names')
        assert.deepEqual(
          [a!.fields['p50'], a!.fields['p95'], a!.fields['p99'], a!.fields['max'], a!.fields['mean']],
          [p50, p95, p99, max, mean],
        )
        assert.equal(a!.fields['hits'], ok.length + bad.length)
        assert.equal(a!.fields['failed'], bad.length)
        assert.equal(b!.fields['hits'], other.length)
        assert.equal(b!.fields['per_second'], other.length * 2)
      }),
      { numRuns: 50 },
    )
  })

  it('have no field that was not measured', () => {
    const counted = hits('a', '200', [])
    const [name] = of(new FigurePoints().of(deltaOf(counted), { ...span, loadMs: 0 }), 'loads_names')
    assert.deepEqual(name!.fields, { hits: 0, failed: 0 })
  })

  it('do not count a hit that was cut by the end as failed', () => {
    const cut = hits('a', 'interrupted', [1_000], 1)
    const [name] = of(new FigurePoints().of(deltaOf(cut, hits('a', '200', [1_000])), span), 'loads_names')
    assert.equal(name!.fields['hits'], 2)
    assert.equal(name!.fields['failed'], 0)
  })

  it("keep users' tags apart from our own", () => {
    const tagged = hits('a', '200', [1_000])
    tagged.key = { ...tagged.key, tags: { run: 'mine', time: 'now', scenario: 'buyers' } }
    const [hit] = of(new FigurePoints().of(deltaOf(tagged), span), 'loads_hits')
    assert.equal(hit!.tags['run'], 'r')
    assert.equal(hit!.tags['tag_run'], 'mine')
    assert.equal(hit!.tags['tag_time'], 'now')
    assert.equal(hit!.tags['scenario'], 'buyers')
  })

  it('put every hit into one row of the heatmap, never into one that ends before it', () => {
    assert.deepEqual(
      rowEnds,
      rowEnds.toSorted((one, other) => one - other),
    )
    assert.equal(new Set(rowEnds).size, rowEnds.length)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_600_000_000 }), { minLength: 1 }), (micros) => {
        const rows = latencyRows(deltaOf(hits('a', '200', micros)), span)
        assert.equal(
          rows.reduce((sum, { fields }) => sum + Number(fields['hits']), 0),
          micros.length,
        )
        const slowest = Math.min(60_000, Math.max(...micros) / 1000)
        assert.ok(Math.max(...rows.map(({ tags }) => Number(tags['le']))) >= slowest * 0.99)
      }),
    )
  })
})

describe('points of a run', () => {
  const { run, records } = recordsOf(fixtureRun())
  const event = (type: string) =>
    records.filter(
      (record): record is Extract<OutputRecord, { type: 'event' }> =>
        record.type === 'event' && record.event.type === type,
    )

  it('are the same when records come again', () => {
    const points = new RunPoints(run)
    const first = records.map((record) => points.of(record))
    assert.deepEqual(
      records.map((record) => points.of(record)),
      first,
    )
    assert.deepEqual(points.soFar(true), points.soFar(true))
  })

  it('never overwrite another one but by a revision of it', () => {
    const points = new RunPoints(run)
    const seen = new Map<string, number>()
    for (const record of records)
      for (const { measurement, tags, at } of points.of(record)) {
        const key = JSON.stringify([measurement, tags, at])
        const isAgain = record.type === 'interval' && record.interval.revision > 0
        const isEnd = measurement === 'loads_events' && tags['type'] === 'fault'
        if (!isAgain && !isEnd) assert.ok(!seen.has(key), key)
        seen.set(key, at)
      }
  })

  it('tell how many starts there were in each interval of a model with a rate', () => {
    const points = new RunPoints(run)
    const seconds = records.filter((record) => record.type === 'interval' && record.interval.spanMs === 1_000)
    for (const record of seconds) {
      const [total] = of(points.of(record), 'loads_run')
      assert.equal(total!.fields['planned'], 20)
      assert.equal(total!.fields['planned_per_second'], 20)
      assert.equal(total!.tags['project'], 'shop')
    }
    assert.equal(of(points.of(seconds[0]!), 'loads_run')[0]!.fields['warm_up'], true)
  })

  it('have the end of a fault in its beginning', () => {
    const points = new RunPoints(run)
    const [begins, ends] = event('fault').map((record) => points.of(record)[0]!)
    assert.equal(begins!.at, ends!.at)
    assert.deepEqual(begins!.tags, ends!.tags)
    assert.equal(begins!.fields['ends_at'], undefined)
    assert.ok(Number(ends!.fields['ends_at']) > ends!.at)
    assert.equal(ends!.fields['title'], 'database cut')
  })

  it('are a millisecond apart where two moments of one kind are at the same time', () => {
    const points = new RunPoints(run)
    const [note] = event('note')
    const twin: OutputRecord = { type: 'event', event: { ...note!.event } }
    const [one] = points.of(note!)
    const [other] = points.of(twin)
    assert.equal(other!.at, one!.at + 1)
    assert.equal(one!.fields['tags'], 'note,region:eu')
  })

  it('begin with the start and end with the verdict', () => {
    const points = new RunPoints(run)
    const moments = records.flatMap((record) => of(points.of(record), 'loads_events'))
    const start = moments.filter(({ tags }) => tags['type'] === 'start')
    assert.deepEqual(
      start.map(({ at }) => at),
      [fixtureStart],
    )
    const stop = moments.find(({ tags }) => tags['type'] === 'stop')
    assert.equal(stop!.tags['state'], run.view.summary!.verdict)
    assert.equal(stop!.at, fixtureStart + run.view.summary!.durationSeconds * 1000)
  })
})
