import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Delta, emptySeriesDelta, type SeriesKey } from '@loads-runner/metrics'
import type { OutputRecord, OutputRun } from '../../src/output.ts'
import { longestPacket } from '../../src/statsd/packets.ts'
import { createStatsd } from '../../src/statsd/statsd-output.ts'
import { fixtureSummary, outputConformance } from '../../src/testing.ts'
import { playInto } from '../files/directory.ts'
import { environmentOf } from '../recording-output.ts'
import { countersOf, gaugesOf, UdpRecorder } from './udp-recorder.ts'

const grammar = /^[\w.-]+:-?[\d.]+\|[cg](\|#[\w-]+:[\w-]+(,[\w-]+:[\w-]+)*)?$/

describe('statsd', () => {
  let recorder: UdpRecorder
  let port: number
  beforeEach(async () => {
    recorder = new UdpRecorder()
    port = await recorder.start()
  })
  afterEach(() => recorder.close())

  for (const tags of ['', '?tags=datadog'])
    outputConformance(`statsd${tags}`, {
      troubles: [],
      countsWarmUp: false,
      start: async () => ({
        output: createStatsd(`127.0.0.1:${port}${tags}`, environmentOf()),
        arrived: async () => {
          const lines = await recorder.lines()
          for (const line of lines) assert.match(line, grammar)
          const counters = [...countersOf(lines)]
          const sumOf = (name: string) =>
            counters.filter(([id]) => id.split(' ')[0] === name).reduce((sum, [, value]) => sum + value, 0)
          return {
            hits: sumOf('loads.hits'),
            failed: sumOf('loads.failed'),
            times: null,
            text: lines.join('\n'),
          }
        },
      }),
    })

  it('sends totals, names, custom figures, and quantiles of the last seconds', async () => {
    await playInto([createStatsd(`127.0.0.1:${port}`, environmentOf())])
    const lines = await recorder.lines()
    const { hits, tests, warmUp } = fixtureSummary()
    const counters = countersOf(lines)
    assert.equal(counters.get('loads.hits'), hits.count)
    assert.equal(counters.get('loads.executions'), tests.finished)
    assert.equal(counters.get('loads.errors'), tests.failures + tests.errors)
    assert.equal(counters.get('loads.warm_up.hits'), warmUp!.hits)
    assert.equal(counters.get('loads.name.shop_TestShop_test_buy.POST__login.hits'), 220)
    assert.equal(counters.get('loads.name.shop_TestShop_test_buy.POST__login.failed'), 66)
    assert.equal(counters.get('loads.counter.orders'), 660)
    assert.equal(counters.get('loads.check.has_a_title.ok'), 176)
    const gauges = gaugesOf(lines)
    assert.equal(gauges.get('loads.users'), 10)
    assert.equal(gauges.get('loads.gauge.queue'), 12.5)
    for (const name of ['loads.p50', 'loads.p95', 'loads.p99', 'loads.max', 'loads.timing.render.p95'])
      assert.ok(gauges.get(name)! > 1, name)
    assert.ok(gauges.get('loads.max')! >= gauges.get('loads.p99')!)
  })

  it('has short names and tags for Datadog, whose sums are the totals', async () => {
    await playInto([createStatsd(`127.0.0.1:${port}?tags=datadog&prefix=my.load`, environmentOf())])
    const lines = await recorder.lines()
    const refused =
      'my.load.failed run:fixture-run,project:shop,kind:http,test:shop_TestShop_test_buy,name:POST__login,method:POST,status:refused,region:eu'
    assert.equal(countersOf(lines).get(refused), 22)
    assert.ok([...gaugesOf(lines).keys()].some((id) => id.startsWith('my.load.name.p95 run:fixture-run')))
  })

  it('keeps names apart that would be the same there, and says so', async () => {
    const here = environmentOf()
    const output = createStatsd(`127.0.0.1:${port}`, here)
    const { run, figures } = handMade(['a:b', 'a|b', 'x'.repeat(500)])
    await output.open(run)
    await output.write([figures], new AbortController().signal)
    await output.write([figures], new AbortController().signal)
    await output.close()
    const names = [...countersOf(await recorder.lines())].filter(([name]) => name.startsWith('loads.name.T.'))
    assert.equal(names.length, 3)
    assert.ok(names.every(([, value]) => value === 2))
    assert.match(names[1]![0], /^loads\.name\.T\.a_b_[0-9a-f]{8}\.hits$/)
    assert.ok(names[2]![0].length < 200)
    assert.deepEqual(here.lines.filter((line) => line.includes('apart')).length, 1)
  })

  it('sets a negative gauge, which is a change to statsd', async () => {
    const output = createStatsd(`127.0.0.1:${port}`, environmentOf())
    const { run, figures } = handMade([])
    const key: SeriesKey = { kind: 'gauge', test: '', name: 'balance', method: '', status: '', tags: {} }
    figures.delta.add({ ...emptySeriesDelta(key, null), value: -7.5, lastAt: 1 })
    await output.open(run)
    await output.write([figures], new AbortController().signal)
    await output.write([figures], new AbortController().signal)
    await output.close()
    assert.equal(gaugesOf(await recorder.lines()).get('loads.gauge.balance'), -7.5)
  })

  it('loses nothing at 100 series per second, in packets that networks carry whole', async () => {
    const output = createStatsd(`127.0.0.1:${port}`, environmentOf())
    const names = Array.from({ length: 100 }, (_, index) => `GET /some/path/of/the/shop/${index}`)
    const { run, figures } = handMade(names)
    await output.open(run)
    const signal = new AbortController().signal
    for (let second = 1; second <= 60; second++) {
      await output.write([{ ...figures, elapsedMs: second * 1_000 }], signal)
      // The recorder lives in this process: it reads when it is our turn to wait.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await output.close()
    const counters = countersOf(await recorder.lines())
    assert.equal(counters.get('loads.hits'), 6_000)
    const perName = [...counters].filter(([name]) => name.endsWith('.hits') && name.startsWith('loads.name.'))
    assert.equal(perName.length, 100)
    assert.ok(perName.every(([, value]) => value === 60))
    assert.ok(recorder.packets.every((packet) => Buffer.byteLength(packet) <= longestPacket))
    // 400 lines of about 65 bytes.
    assert.ok(recorder.packets.length / 60 < 30, `${recorder.packets.length / 60} packets per second`)
  })

  it('says once that nobody listens, and goes on', async () => {
    const other = createSocket('udp4')
    other.bind(0, '127.0.0.1')
    await once(other, 'listening')
    const closed = other.address().port
    other.close()
    await once(other, 'close')
    const here = environmentOf()
    const output = createStatsd(`127.0.0.1:${closed}`, here)
    const { run, figures } = handMade(Array.from({ length: 200 }, (_, index) => `name ${index}`))
    await output.open(run)
    for (let second = 0; second < 5; second++) {
      await output.write([figures], new AbortController().signal)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await output.close()
    assert.deepEqual(here.lines, [
      `output statsd: nobody listens on UDP 127.0.0.1:${closed}; figures are lost until somebody does`,
    ])
  })

  it('cannot open where its host has no address, and may be asked again', async () => {
    // Too long to be a name: no server is asked for it, which may take long to answer.
    const host = `${'x'.repeat(300)}.invalid`
    const output = createStatsd(host, environmentOf())
    const { run } = handMade([])
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(output.open(run), {
        code: 'OUTPUT_UNAVAILABLE',
        message: new RegExp(`no address of ${host}`),
      })
    await output.close()
  })

  it('refuses arguments that mean nothing', () => {
    const bad: [string, RegExp][] = [
      ['', /needs a host/],
      ['host:99999', /no HOST/],
      ['host?prefix=a b', /words with dots/],
      ['host?tags=influx', /tags can be datadog/],
      ['host?colour=red', /no option "colour"/],
    ]
    for (const [args, message] of bad)
      assert.throws(() => createStatsd(args, environmentOf()), { code: 'OUTPUT_ARGUMENTS', message })
    for (const args of ['localhost', 'localhost:1', '[::1]', '[::1]:8125?prefix=a.b'])
      assert.equal(createStatsd(args, environmentOf()).name, 'statsd')
  })
})

/** A run, and one hit of 1 ms for each of these names. */
function handMade(names: string[]): { run: OutputRun; figures: Extract<OutputRecord, { type: 'figures' }> } {
  const delta = new Delta()
  for (const name of names) {
    const key: SeriesKey = { kind: 'http', test: 'T', name, method: '', status: '200', tags: {} }
    const timed = { ...emptySeriesDelta(key, null), count: 1, sum: 1_000, min: 1_000, max: 1_000 }
    delta.add({ ...timed, buckets: new Map([[300, 1]]) })
  }
  const run = { runId: 'r', spec: { project: null }, view: { activeUsers: 1 } } as unknown as OutputRun
  return { run, figures: { type: 'figures', at: 0, elapsedMs: 1_000, warmUp: false, delta } }
}
