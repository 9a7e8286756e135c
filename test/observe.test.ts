import assert from 'node:assert/strict'
import { join } from 'node:path'
import { readNdjson, readReport } from './helpers/figure-files.ts'
import { needInfluxd, startInfluxd } from './helpers/output-servers.ts'
import { startServer } from './helpers/own-server.ts'
import { runCli } from './helpers/run-cli.ts'
import { oneHit } from './helpers/shop.ts'

/** A target that takes 50 ms, counts its requests, and says so. */
async function startObserved() {
  let hits = 0
  let looks = 0
  let looked = () => {}
  const enoughLooks = new Promise<void>((resolve) => (looked = resolve))
  const target = await startServer((request, response) => {
    if (request.url !== '/metrics') {
      // A run is not over before it was looked at a few times, however slow those are who look.
      if (++hits > 100) return void enoughLooks.then(() => setTimeout(() => response.end('{}'), 50))
      return void setTimeout(() => response.end('{}'), 50)
    }
    if (hits > 0 && ++looks === 4) looked()
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(
      [
        '# TYPE shop_hits_total counter',
        `shop_hits_total{path="/hit"} ${hits}`,
        '# TYPE shop_queue gauge',
        `shop_queue ${hits}`,
        '# TYPE shop_memory_bytes gauge',
        'shop_memory_bytes{kind="heap, \\"old\\""} 1.5e6',
        '',
      ].join('\n'),
    )
  })
  return target
}

describe('--observe', function () {
  this.timeout(120_000)
  before(function () {
    needInfluxd(this)
  })

  it("puts the target's own figures on the time axis of the run", async () => {
    const [target, influxd] = await Promise.all([startObserved(), startInfluxd()])
    const outputs = ['-o', 'ndjson:f.ndjson', '-o', `influx:${influxd.url}/loads`]
    const observe = ['--observe', `prometheus:${target.url}/metrics?every=1s`]
    const load = ['--agents', '2', '--users', '2', '--iterations', '80']
    const run = await runCli(['hit', ...load, ...observe, ...outputs], { files: oneHit(target) })
    const { summary } = run
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(summary!.hits.count, 160)
    assert.doesNotMatch(run.stdout + run.stderr, /--observe/)
    const gauges = ['shop_queue', 'shop_memory_bytes{kind="heap, \\"old\\""}']
    const rate = 'shop_hits_total{path="/hit"}/s'

    const lines = (await readNdjson(join(run.directory, 'f.ndjson'))).filter(
      ({ event }) => event === 'observation',
    )
    assert.ok(lines.length >= 3, `${lines.length} observations`)
    const started = Date.parse(summary!.started!)
    const ended = started + summary!.durationSeconds * 1000
    const during = lines.filter(
      ({ at }) => Date.parse(String(at)) >= started && Date.parse(String(at)) <= ended + 1_000,
    )
    assert.ok(during.length >= 2, 'they are of the time of the run')
    const valuesOf = (name: string) =>
      lines
        .map(({ values }) => (values as unknown as Record<string, number>)[name])
        .filter((value) => value !== undefined)
    const queue = valuesOf(gauges[0]!)
    assert.deepEqual(
      queue,
      queue.toSorted((one, other) => one - other),
    )
    assert.ok(queue.at(-1)! > 0 && queue.at(-1)! <= 160)
    assert.deepEqual([...new Set(valuesOf(gauges[1]!))], [1.5e6])
    const rates = valuesOf(rate)
    // Twenty in a second by each of two; when the answer to one look was late, the next rate is higher.
    assert.ok(
      rates.some((each) => each > 0 && each <= 160),
      `${rates.join()} per second`,
    )

    const stored = await influxd.query('SELECT * FROM loads_observed', { db: 'loads' })
    assert.deepEqual(new Set(stored.map(({ name }) => name)), new Set([...gauges, rate]))
    assert.deepEqual(
      stored.filter(({ name }) => name === gauges[0]).map(({ time, value }) => [time, value]),
      lines.map(({ at, values }) => [
        Date.parse(String(at)),
        (values as unknown as Record<string, number>)[gauges[0]!],
      ]),
    )
    for (const { run: of } of stored) assert.equal(of, summary!.runId)

    const { model } = await readReport(join(run.directory, 'results/latest/report.html'))
    assert.deepEqual(new Set(Object.keys(model.observed)), new Set([...gauges, rate]))
    for (const { fromMs } of Object.values(model.observed))
      for (const at of fromMs) assert.ok(at <= summary!.durationSeconds * 1000 + 10_000, `${at}`)
  })

  it('says once that the figures cannot be had, and the run goes on', async () => {
    let asked = 0
    let askedAgain = () => {}
    const twice = new Promise<void>((resolve) => (askedAgain = resolve))
    const target = await startServer((request, response) => {
      // The run is not over before it has been asked twice.
      if (request.url !== '/metrics') return void twice.then(() => setTimeout(() => response.end('{}'), 5))
      if (++asked === 2) askedAgain()
      response.writeHead(500).end('no figures today')
    })
    const observe = ['--observe', `prometheus:${target.url}/metrics?every=1s`]
    const run = await runCli(['hit', '--users', '2', '--iterations', '60', ...observe], {
      files: oneHit(target),
    })
    assert.equal(run.exitCode, 0, run.stdout + run.stderr)
    assert.equal(run.summary!.hits.count, 120)
    const said = `${run.stdout}\n${run.stderr}`.split('\n').filter((line) => line.includes('--observe'))
    assert.equal(said.length, 1, said.join('\n'))
    assert.match(said[0]!, /^warning: --observe .* does not work: .*500.*; it is asked again every 1 s$/)
    assert.ok(asked >= 2, `asked ${asked} times`)
  })

  it('refuses what cannot be meant, before any load', async () => {
    const target = await startServer()
    const files = oneHit(target)
    for (const [text, message] of [
      ['prometheus:nowhere', /--observe prometheus: .*nowhere/],
      ['prometheus:ftp://host/metrics', /--observe prometheus: /],
      ['prometheus:http://host/metrics?evry=1s', /--observe prometheus: .*evry/],
      ['prometheus:http://host/metrics?every=soon', /--observe prometheus: .*soon/],
      ['graphite:http://host', /--observe: nothing observes "graphite"/],
      ['', /--observe/],
    ] as const) {
      const run = await runCli(['hit', '--observe', text], { files, json: false })
      assert.equal(run.exitCode, 2, `${text}: ${run.stdout}${run.stderr}`)
      assert.match(run.stderr, message)
      assert.doesNotMatch(run.stderr, /--observe.*--observe/)
    }
    assert.equal(target.seen.length, 0)
  })
})
