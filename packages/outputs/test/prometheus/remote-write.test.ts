import assert from 'node:assert/strict'
import type { OutputError } from '../../src/errors.ts'
import { createPrometheus } from '../../src/prometheus/index.ts'
import { fixtureRun, fixtureSummary, outputConformance } from '../../src/testing.ts'
import { needPrometheus, Prometheus } from './support/prometheus.ts'
import { environmentWith, runOf } from './support/run.ts'
import { WriteReceiver } from './support/write-receiver.ts'

const end = { type: 'end', summary: null } as const
const signal = () => AbortSignal.timeout(30_000)

outputConformance('prometheus remote write', {
  troubles: ['broken', 'hanging', 'refusing'],
  countsWarmUp: false,
  start: async () => {
    const receiver = await new WriteReceiver().start()
    return {
      output: createPrometheus(`${receiver.url}?every=1s`, environmentWith()),
      make: (trouble) => {
        if (trouble === 'hanging') receiver.answer = null
        else receiver.answer = { status: trouble === null ? 204 : trouble === 'broken' ? 503 : 401 }
      },
      arrived: async () => {
        const sum = (name: string) => receiver.latest(name).reduce((total, { value }) => total + value, 0)
        return {
          hits: sum('loads_hits_total'),
          failed: sum('loads_hits_failed_total'),
          times: receiver.samples
            .filter(({ labels }) => labels.__name__ === 'loads_users')
            .map(({ at }) => at),
          text: JSON.stringify(receiver.samples),
        }
      },
      close: async () => receiver.stop(),
    }
  },
})

describe('prometheus remote write', () => {
  let receiver: WriteReceiver
  beforeEach(async () => {
    receiver = await new WriteReceiver().start()
  })
  afterEach(() => receiver.stop())

  it('begins new counters and histograms with a zero and ends every series', async () => {
    const output = createPrometheus(receiver.url, environmentWith())
    const events = fixtureRun()
    const run = runOf(events.slice(0, 3))
    await output.open(run)
    assert.equal(receiver.latest('loads_hits_total').length, 0)
    for (const event of events.slice(3)) run.view.apply(event)
    await output.write([end], signal())
    const byName = (name: string) => receiver.samples.filter(({ labels }) => labels.__name__ === name)
    const names = new Set(receiver.samples.map(({ labels }) => labels.__name__!))
    for (const name of [
      'loads_hits_total',
      'loads_hit_duration_seconds',
      'loads_hit_duration_seconds_bucket',
    ]) {
      assert.ok(names.has(name), name)
      const series = new Map<string, number[]>()
      for (const { labels, value } of byName(name)) {
        const id = JSON.stringify(labels)
        series.set(id, [...(series.get(id) ?? []), value])
      }
      for (const values of series.values()) {
        assert.equal(values.length, 3)
        assert.equal(values[0], 0)
        assert.ok(Number.isNaN(values[2]), 'stale at the end')
      }
    }
    const users = byName('loads_users')
    assert.deepEqual(
      users.map(({ value }) => value),
      [0, 10, NaN],
    )
    assert.ok(
      users[2]!.at >= users[1]!.at + 10_000,
      'what is asked shortly after the end sees the last values',
    )
  })

  it('tells the text of a server that refuses, and neither password nor token', async () => {
    receiver.answer = { status: 401, text: 'no such tenant\nreally' }
    const output = createPrometheus(receiver.url.replace('http://', 'http://me:secret@'), environmentWith())
    await assert.rejects(output.open(runOf(fixtureRun())), (error: OutputError) => {
      assert.equal(error.code, 'OUTPUT_REFUSED')
      assert.match(error.message, /status 401: no such tenant really; check user and password/)
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
    assert.equal(receiver.headers[0]!.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`)
    const other = createPrometheus(receiver.url, environmentWith({ LOADS_PROMETHEUS_TOKEN: 'hush' }))
    await assert.rejects(other.open(runOf(fixtureRun())), (error: Error) => !error.message.includes('hush'))
    assert.equal(receiver.headers[1]!.authorization, 'Bearer hush')
  })

  it('leaves a server alone that asks for it', async () => {
    const output = createPrometheus(receiver.url, environmentWith())
    await output.open(runOf(fixtureRun()))
    receiver.answer = { status: 429, headers: { 'retry-after': '50' } }
    await assert.rejects(output.write([end], signal()), { code: 'OUTPUT_UNAVAILABLE' })
    const { requests } = receiver
    await assert.rejects(output.write([end], signal()), /left alone for [2-5]\d s more/)
    assert.equal(receiver.requests, requests)
  })

  it('loses the samples that a server finds bad, says so, and goes on', async () => {
    const environment = environmentWith()
    const output = createPrometheus(receiver.url, environment)
    await output.open(runOf(fixtureRun()))
    receiver.answer = { status: 400, text: 'out of order sample' }
    await output.write([end], signal())
    assert.equal(environment.lines.length, 1)
    assert.match(environment.lines[0]!, /out of order sample; these samples are lost/)
  })

  it('names what is wrong with its arguments', () => {
    const make = (args: string) => () => createPrometheus(args, environmentWith())
    assert.throws(make('http://127.0.0.1:9090'), /has no path; of Prometheus it is \/api\/v1\/write/)
    assert.throws(
      make('http://a:b@[/x'),
      (error: Error) => /is no address/.test(error.message) && !/a:b/.test(error.message),
    )
    assert.throws(make(`${receiver.url}?every=5s`), /every=5s is none of 1s, 10s and 60s/)
    assert.throws(make(`${receiver.url}?native=no`), /native=no is neither true nor false/)
    assert.throws(make(`${receiver.url}?native=false&classic=false`), /there are none/)
    assert.throws(make(`${receiver.url}?natives=true`), /no option "natives"/)
  })
})

describe('prometheus remote write, into a real Prometheus', function () {
  this.timeout(180_000)
  before(function () {
    needPrometheus(this)
  })

  for (const names of ['plain', 'hostile'] as const)
    it(`has the totals and the quantiles of the summary, with ${names} names`, async () => {
      const prometheus = await Prometheus.start()
      try {
        const environment = environmentWith()
        const output = createPrometheus(`${prometheus.url}/api/v1/write`, environment)
        const events = fixtureRun({ names })
        const summary = fixtureSummary({ names })
        const run = runOf(events.slice(0, 3))
        await output.open(run)
        for (const event of events.slice(3)) run.view.apply(event)
        await output.write([end], signal())
        await output.close()
        assert.deepEqual(environment.lines, [])
        const now = Date.now()
        assert.equal(await prometheus.number('sum(loads_hits_total)', now), summary.hits.count)
        assert.equal(await prometheus.number('sum(loads_hits_failed_total)', now), summary.hits.failed)
        assert.equal(await prometheus.number('sum(loads_executions_total)', now), summary.tests.finished)
        assert.equal(
          await prometheus.number('histogram_count(sum(loads_hit_duration_seconds))', now),
          summary.hits.count,
        )
        const stats = summary.serviceTime
        for (const [share, exact] of [
          [0.5, stats.p50],
          [0.95, stats.p95],
          [0.99, stats.p99],
        ] as const) {
          const native = await prometheus.number(
            `histogram_quantile(${share}, sum(loads_hit_duration_seconds))`,
            now,
          )
          assert.ok(Math.abs(native * 1000 - exact!) <= exact! * 0.0103, `${native} for ${exact} ms`)
        }
        const classic = await prometheus.number(
          'histogram_quantile(0.95, sum by (le) (loads_hit_duration_seconds_bucket))',
          now,
        )
        // Somewhere in the right bucket is all that it can say.
        assert.ok(classic * 1000 > stats.p95! / 2.6 && classic * 1000 < stats.p95! * 2.6, `${classic}`)
        const rows = await prometheus.query('count by (name, method, status, kind) (loads_hits_total)', now)
        assert.equal(rows.length, summary.series.length)
        // 15 s after the last samples the series have ended.
        assert.deepEqual(await prometheus.query('loads_hits_total', now + 20_000), [])
      } finally {
        await prometheus.stop()
      }
    })

  it('falls back to classic histograms where a server has native ones switched off', async () => {
    const prometheus = await Prometheus.start({ native: false })
    try {
      const environment = environmentWith()
      const output = createPrometheus(`${prometheus.url}/api/v1/write`, environment)
      await output.open(runOf(fixtureRun()))
      await output.write([end], signal())
      assert.equal(environment.lines.length, 1)
      assert.match(environment.lines[0]!, /native histograms are disabled.*written as classic ones/)
      assert.equal(
        await prometheus.number('sum(loads_hit_duration_seconds_count)', Date.now()),
        fixtureSummary().hits.count,
      )
    } finally {
      await prometheus.stop()
    }
  })
})
