import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import protobuf from 'protobufjs'
import type { OutputError } from '../../src/errors.ts'
import { createPrometheus } from '../../src/prometheus/index.ts'
import { LastScrape } from '../../src/prometheus/last-scrape.ts'
import { createScrape } from '../../src/prometheus/scrape.ts'
import { samplesOf } from '../../src/observe/page.ts'
import { fixtureRun, fixtureSummary, namesOf, outputConformance } from '../../src/testing.ts'
import { freePort, needPrometheus, Prometheus } from './support/prometheus.ts'
import { environmentWith, runOf } from './support/run.ts'

const end = { type: 'end', summary: null } as const

const accepts = {
  native:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,' +
    'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  open: 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,*/*;q=0.1',
}

/** The output closes when it has been scraped: what it shows at the end is kept. */
outputConformance('prometheus scrape', {
  troubles: [],
  countsWarmUp: false,
  start: async () => {
    const output = createScrape('127.0.0.1:0?linger=15s', environmentWith())
    let page = Promise.resolve('')
    const write = output.write.bind(output)
    // The lane closes the output after its last write, and closing waits for this scrape.
    output.write = async (records) => {
      await write(records)
      if (records.at(-1)?.type !== 'end') return
      page = fetch(`http://127.0.0.1:${output.address!.port}/metrics`).then((response) => response.text())
    }
    return {
      output,
      arrived: async () => {
        const text = await page
        const sum = (name: string) =>
          [...samplesOf(text)].reduce((total, each) => total + (each.name === name ? each.value : 0), 0)
        return {
          hits: sum('loads_hits_total'),
          failed: sum('loads_hits_failed_total'),
          times: null,
          text,
        }
      },
    }
  },
})

/** Over a connection of its own. */
function pageOf(url: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers }, (response) => resolve(text(response))).once('error', reject)
  })
}

async function opened(options: { args?: string; names?: 'plain' | 'hostile' } = {}) {
  const environment = environmentWith()
  const output = createScrape(options.args ?? '127.0.0.1:0?linger=0', environment)
  await output.open(runOf(fixtureRun({ names: options.names ?? 'plain' })))
  const { port } = output.address!
  return { output, environment, port, url: `http://127.0.0.1:${port}/metrics` }
}

describe('prometheus scrape', () => {
  it('answers in the format that is asked for', async () => {
    const { output, url } = await opened()
    const type = async (accept: string) =>
      (await fetch(url, { headers: { accept } })).headers.get('content-type')
    assert.match((await type(accepts.native))!, /^application\/vnd\.google\.protobuf; proto=io\.prometheus/)
    assert.match((await type(accepts.open))!, /^application\/openmetrics-text; version=1\.0\.0/)
    for (const accept of ['', '*/*', 'text/html', 'application/openmetrics-text;q=0.1,text/plain', 'x;q=y'])
      assert.equal(await type(accept), 'text/plain; version=0.0.4; charset=utf-8', accept)
    assert.equal((await fetch(url.replace('/metrics', '/'))).status, 404)
    assert.equal((await fetch(url, { method: 'POST' })).status, 405)
    await output.close()
    assert.equal(output.address, null)
  })

  for (const names of ['plain', 'hostile'] as const)
    it(`is right by the rules of both text formats, with ${names} names`, async () => {
      const { output, url } = await opened({ names })
      const summary = fixtureSummary({ names })
      for (const accept of ['text/plain', accepts.open]) {
        const page = await (await fetch(url, { headers: { accept } })).text()
        const samples = [...samplesOf(page)]
        const hits = samples.filter(({ name }) => name === 'loads_hits_total')
        assert.equal(hits.length, summary.series.length)
        assert.deepEqual(new Set(hits.map(({ labels }) => labels.test)), new Set([namesOf(names).test]))
        assert.equal(page.endsWith('# EOF\n'), accept === accepts.open)
        assert.match(page, accept === accepts.open ? /_bucket\{.*le="1\.0"/ : /_bucket\{.*le="1"/)
      }
      await output.close()
    })

  it('is found right by promtool', async function () {
    needPrometheus(this)
    const { output, url } = await opened({ names: 'hostile' })
    const input = await (await fetch(url)).text()
    const { stderr, stdout, status } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    })
    // Advice on names is advice; an error is one.
    assert.doesNotMatch(stderr + stdout, /error while linting|parsing/i)
    assert.ok(status === 0 || status === 3, stderr)
    await output.close()
  })

  it('has native histograms by a second reading of the protocol', async () => {
    const { root } = protobuf.parse(`
      syntax = "proto2";
      message LabelPair { optional string name = 1; optional string value = 2; }
      message Value { optional double value = 1; }
      message Bucket { optional uint64 cumulative_count = 1; optional double upper_bound = 2; }
      message BucketSpan { optional sint32 offset = 1; optional uint32 length = 2; }
      message Histogram {
        optional uint64 sample_count = 1; optional double sample_sum = 2; repeated Bucket bucket = 3;
        optional sint32 schema = 5; optional double zero_threshold = 6; optional uint64 zero_count = 7;
        repeated BucketSpan positive_span = 12; repeated sint64 positive_delta = 13;
      }
      message Metric {
        repeated LabelPair label = 1; optional Value gauge = 2; optional Value counter = 3; optional Histogram histogram = 7;
      }
      message MetricFamily {
        optional string name = 1; optional string help = 2; optional int32 type = 3; repeated Metric metric = 4;
      }`)
    const { output, url } = await opened()
    const response = await fetch(url, { headers: { accept: accepts.native } })
    const reader = protobuf.Reader.create(new Uint8Array(await response.arrayBuffer()))
    const families = new Map<string, any>()
    while (reader.pos < reader.len) {
      const family = root.lookupType('MetricFamily').decodeDelimited(reader)
      const plain = root.lookupType('MetricFamily').toObject(family, { longs: Number })
      families.set(plain.name as string, plain)
    }
    let hits = 0
    for (const { histogram } of families.get('loads_hit_duration_seconds').metric) {
      hits += histogram.sampleCount
      let count = 0
      let total = 0
      for (const delta of histogram.positiveDelta) total += count += delta
      assert.equal(total + histogram.zeroCount, histogram.sampleCount)
      assert.equal(histogram.schema, 8)
      assert.equal(histogram.bucket.length, 13)
    }
    assert.equal(hits, fixtureSummary().hits.count)
    // A value of 0 is said, not left out.
    assert.ok(
      families.get('loads_run_state').metric.every(({ gauge }: any) => typeof gauge.value === 'number'),
    )
    await output.close()
  })

  it('refuses a port that is in use, and says what to do', async () => {
    const { output, port } = await opened()
    const other = createPrometheus(`127.0.0.1:${port}`, environmentWith())
    await assert.rejects(other.open(runOf(fixtureRun())), (error: OutputError) => {
      assert.equal(error.code, 'OUTPUT_REFUSED')
      assert.match(error.message, /cannot listen on 127\.0\.0\.1:\d+: the port is in use, by another run/)
      return true
    })
    await other.close()
    await output.close()
  })

  it('is shared by runs of one process: both are served, one after the other leaves', async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/metrics`
    const open = async (runId: string) => {
      const output = createPrometheus(`127.0.0.1:${port}?linger=0`, environmentWith())
      await output.open(runOf(fixtureRun({ runId })))
      return output
    }
    const hitsByRun = async (headers: Record<string, string> = {}) => {
      const page = await pageOf(url, headers)
      const hits = new Map<string, number>()
      for (const { name, labels, value } of samplesOf(page))
        if (name === 'loads_hits_total') {
          const run = labels['run']!
          hits.set(run, (hits.get(run) ?? 0) + value)
        }
      assert.equal(page.match(/^# TYPE loads_hits(_total)? /gm)?.length, 1, 'each family once')
      return Object.fromEntries(hits)
    }
    const { count } = fixtureSummary().hits
    const [one, two] = await Promise.all([open('one'), open('two')])
    assert.deepEqual(await hitsByRun(), { one: count, two: count })
    assert.deepEqual(await hitsByRun({ accept: accepts.open }), { one: count, two: count })
    await one.close()
    assert.deepEqual(await hitsByRun(), { two: count })
    // The next one comes while the last one leaves.
    const [, three] = await Promise.all([two.close(), open('three')])
    assert.deepEqual(await hitsByRun(), { three: count })
    await three.close()
    await assert.rejects(fetch(url))
  })

  it('stays up at the end until the last figures have been scraped', async () => {
    const { output, url, environment } = await opened({ args: '127.0.0.1:0?linger=40s' })
    await output.write([end])
    let closed = false
    const closing = output.close().then(() => (closed = true))
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(closed, false)
    const page = await (await fetch(url)).text()
    assert.match(page, /loads_run_state\{.*state="draining"\} 1|loads_run_state\{.*state="done"\} 1/)
    await closing
    assert.match(environment.lines.at(-1)!, /waits 40 s at most for a last scrape/)
    await assert.rejects(fetch(url))
  })

  it('is not kept by a connection that says nothing', async () => {
    const { output, port } = await opened()
    const request = get({ host: '127.0.0.1', port, path: '/metrics', agent: false })
    request.on('error', () => {})
    const silent = await fetch(`http://127.0.0.1:${port}/metrics`)
    await silent.text()
    await output.close()
    request.destroy()
  })

  it('names what is wrong with its arguments', () => {
    const make = (args: string) => () => createPrometheus(args, environmentWith())
    assert.throws(make(''), /an address is missing; write prometheus:HOST:PORT/)
    assert.throws(make('localhost'), /"localhost" is no address/)
    assert.throws(make('localhost:99999'), /is no address/)
    assert.throws(make('localhost:9000/other'), /is no address/)
    assert.throws(make('localhost:9000?linger=x'), /linger=x is no time/)
    assert.throws(make('localhost:9000?every=1s'), /no option "every"/)
    for (const fine of ['localhost:9000', ':9000', '[::1]:9000/metrics', '0.0.0.0:1?linger=1m']) make(fine)()
  })
})

describe('the last scrape', () => {
  it('is waited for until it is due, and where nobody scraped, for the whole time', () => {
    let now = 0
    const scrapes = new LastScrape(5_000, () => now)
    assert.equal(scrapes.waitMs(), 0)
    scrapes.runEnded()
    assert.equal(scrapes.waitMs(), 5_000)
    const known = new LastScrape(5_000, () => now)
    for (now of [0, 1_000, 2_000]) known.end(known.begin())
    now = 2_400
    known.runEnded()
    assert.equal(known.waitMs(), 1_000)
    now = 10_000
    assert.equal(known.waitMs(), 0)
    known.end(known.begin())
    assert.equal(known.waitMs(), 0)
  })

  it('is not one that began before the end', async () => {
    const scrapes = new LastScrape(5_000, () => 0)
    const early = scrapes.begin()
    scrapes.runEnded()
    scrapes.end(early)
    assert.equal(scrapes.waitMs(), 5_000)
    const waiting = scrapes.last(60_000)
    scrapes.end(scrapes.begin())
    await waiting
    assert.equal(scrapes.waitMs(), 0)
  })
})

describe('prometheus scrape, by a real Prometheus', function () {
  this.timeout(180_000)
  before(function () {
    needPrometheus(this)
  })

  for (const native of [true, false])
    it(`has the totals of the summary, ${native ? 'with native histograms' : 'in OpenMetrics'}`, async () => {
      const { output, port } = await opened({ names: 'hostile' })
      const prometheus = await Prometheus.start({ native, scrape: `127.0.0.1:${port}` })
      try {
        const at = await prometheus.scraped('loads_hits_total')
        const summary = fixtureSummary({ names: 'hostile' })
        assert.equal(await prometheus.number('sum(loads_hits_total)', at), summary.hits.count)
        assert.equal(await prometheus.number('up', at), 1)
        if (!native) {
          const count = await prometheus.number('sum(loads_hit_duration_seconds_count)', at)
          assert.equal(count, summary.hits.count)
          return
        }
        for (const [share, exact] of [
          [0.5, summary.serviceTime.p50],
          [0.95, summary.serviceTime.p95],
          [0.99, summary.serviceTime.p99],
        ] as const) {
          const query = `histogram_quantile(${share}, sum(loads_hit_duration_seconds))`
          const seconds = await prometheus.number(query, at)
          assert.ok(Math.abs(seconds * 1000 - exact!) <= exact! * 0.0103, `${seconds} for ${exact} ms`)
        }
      } finally {
        await prometheus.stop()
        await output.close()
      }
    })
})
