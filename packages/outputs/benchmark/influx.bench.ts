/**
 * Points per second into a real InfluxDB 1, and what making and writing them costs this process.
 *
 *     node --import tsx packages/outputs/benchmark/influx.bench.ts [names] [seconds]
 *
 * A run of so many names with three statuses each (1,000 series at most are usual) and so many seconds, written as fast as
 * InfluxDB takes it; in earnest it is one second per second.
 */
import { intervalSpansMs, RunView, type Interval } from '@loads-runner/history'
import { Delta, emptySeriesDelta } from '@loads-runner/metrics'
import { createInflux1 } from '../src/influx/index.ts'
import { linesOf } from '../src/influx/line-protocol.ts'
import { RunPoints } from '../src/influx/run-points.ts'
import type { OutputRecord, OutputRun } from '../src/output.ts'
import { fixtureRun } from '../src/testing.ts'
import { Influxd } from '../test/influx/support/influxd.ts'

const [names = 200, seconds = 120] = process.argv.slice(2).map(Number)
const run = runOf()
const records = Array.from({ length: seconds }, (_, second) => recordsOf(second)).flat()

const making = new RunPoints(run)
const beforeMaking = process.cpuUsage()
let points = 0
let bytes = 0
for (const record of records) {
  const made = making.of(record)
  points += made.length
  bytes += Buffer.byteLength(linesOf(made))
}
const made = process.cpuUsage(beforeMaking)

// What is known of the whole run is written, too: each ten seconds.
for (const record of records)
  if (record.type === 'interval' && record.interval.spanMs === 1_000)
    run.view.aggregate.apply(record.interval.delta)
const beforeWhole = performance.now()
for (let round = 0; round < 10; round++) making.soFar(true)
const wholeMs = (performance.now() - beforeWhole) / 10

const influxd = await Influxd.start()
try {
  const output = createInflux1(`${influxd.url}/bench`, {
    cwd: '.',
    env: {},
    log: (_level, text) => say(text),
  })
  await output.open(run)
  const before = process.cpuUsage()
  const began = performance.now()
  for (let at = 0; at < records.length; at += output.batch)
    await output.write(records.slice(at, at + output.batch), AbortSignal.timeout(300_000))
  const elapsed = (performance.now() - began) / 1000
  const used = process.cpuUsage(before)
  await output.close()
  const cpu = (used.user + used.system) / 1e6
  say(`${points} points, ${(bytes / points).toFixed(0)} bytes each, of ${seconds} s of ${names} names`)
  say(`made and put into lines in ${((made.user + made.system) / 1e6).toFixed(2)} s of processor time`)
  say(
    `written in ${elapsed.toFixed(2)} s: ${(points / elapsed).toFixed(0)} points/s; ${cpu.toFixed(2)} s of processor time`,
  )
  say(`the whole run so far is made in ${wholeMs.toFixed(1)} ms, every ten seconds`)
  say(`so a second of such a run costs ${((cpu / seconds) * 1000).toFixed(1)} ms of one core`)
} finally {
  await influxd.stop()
}

function recordsOf(second: number): OutputRecord[] {
  const spans = intervalSpansMs.filter((spanMs) => ((second + 1) * 1000) % spanMs === 0)
  return spans.map((spanMs) => ({ type: 'interval', interval: intervalOf(second, spanMs) }))
}

function intervalOf(second: number, spanMs: number): Interval {
  const fromMs = (second + 1) * 1000 - spanMs
  const delta = new Delta()
  for (let name = 0; name < names; name++)
    for (const status of ['200', '404', 'timeout']) {
      const key = {
        kind: 'http',
        test: 'shop.TestShop.test_buy',
        name: `GET /item/${name}`,
        method: 'GET',
        status,
        tags: {},
      } as const
      const series = emptySeriesDelta(key, null)
      // As many buckets as a second of some hundred hits fills.
      series.buckets = new Map(
        Array.from({ length: 40 }, (_, at) => [600 + ((at * 7 + name) % 200), 1 + (at % 3)]),
      )
      series.count = [...series.buckets.values()].reduce((sum, count) => sum + count, 0)
      series.sum = series.count * 20_000
      series.min = 500
      series.max = 900_000
      delta.add(series)
    }
  return {
    spanMs,
    fromMs,
    at: Date.now() - seconds * 1000 + fromMs,
    loadMs: spanMs,
    delta,
    warmUp: false,
    activeUsers: 100,
    planned: 0,
    started: second,
    finished: second,
    dropped: 0,
    agents: [],
    revision: 0,
  }
}

function runOf(): OutputRun {
  const view = new RunView()
  const first = fixtureRun()[0]!
  if (first.type !== 'snapshot') throw new Error('a run begins with a snapshot')
  view.apply(first)
  view.startedAt = Date.now() - seconds * 1000
  return { runId: 'benchmark', spec: first.spec, view }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
