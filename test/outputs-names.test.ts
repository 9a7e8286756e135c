import assert from 'node:assert/strict'
import { join } from 'node:path'
import { parseXml } from '../packages/outputs/test/files/xml.ts'
import { readFile } from 'node:fs/promises'
import { lastRevisions, readCsv, readNdjson, readReport, sumBy } from './helpers/figure-files.ts'
import {
  freePort,
  needInfluxd,
  needPrometheus,
  startInfluxd,
  startOtlpReceiver,
  startPrometheus,
  startStatsd,
} from './helpers/output-servers.ts'
import { startServer } from './helpers/own-server.ts'
import { startCli } from './helpers/run-cli.ts'
import { temporaryDirectory } from './helpers/temporary.ts'

const names = [
  '<script>alert(1)</script>',
  '</script><img src=x onerror=alert(2)>',
  'a:b|c@0.1#d,e=f g',
  'new\nline\r\nand\ttab',
  `"double" 'single' \`back\` \\slash\\`,
  'ends with a backslash\\',
  '=cmd|calc!A1',
  '🛒 Straße 日本 ‮rtl',
  '${process.exit()} %s {{x}} $1',
  '__proto__',
  'x'.repeat(500),
]

const tags = { 'a,b': 'c d,e=f', 'line\nbreak': 'x\ny', zone: '<b>"west"</b>', constructor: '\\' }

/** Each name is hit three times, and counted by a counter of the same name; each third execution fails by it. */
const hostile = (url: string) => ({
  'hostile.ts': `
    import { TestCase } from 'loads-runner'
    const names = ${JSON.stringify(names)}
    export class TestHostile extends TestCase {
      async test_hostile() {
        const name = names[this.iteration % names.length]
        await this.session.get('${url}/', { name, tags: ${JSON.stringify(tags)} })
        this.incrCounter(name)
        this.check(name, { [name]: () => true })
        if (this.iteration >= 2 * names.length) throw new Error(name)
      }
    }`,
})

describe('names that mean something to those who read them', function () {
  this.timeout(300_000)
  before(function () {
    needInfluxd(this)
    needPrometheus(this)
  })

  it('come out as they went in, or as near as a format can hold, and do no harm', async () => {
    const target = await startServer((_request, response) => void setTimeout(() => response.end('{}'), 100))
    const scrape = `127.0.0.1:${await freePort()}`
    const [influxd, prometheus, statsd, otlp] = await Promise.all([
      startInfluxd(),
      startPrometheus({ scrape }),
      startStatsd(),
      startOtlpReceiver(),
    ])
    const outputs = [
      'csv:f.csv',
      'ndjson:f.ndjson',
      'junit:f.xml',
      'html:f.html',
      `influx:${influxd.url}/loads`,
      `statsd:127.0.0.1:${statsd.port}`,
      `prometheus:${scrape}`,
      `otlp:${otlp.url}?every=1s`,
    ].flatMap((output) => ['-o', output])
    const load = ['--users', '1', '--iterations', String(3 * names.length)]
    const cwd = await temporaryDirectory(hostile(target.url))
    const run = await startCli(['hostile', ...load, ...outputs], { cwd, timeoutMs: 90_000 })
    const { exitCode, summary, stdout, stderr } = await run.result
    assert.equal(exitCode, 1, stdout + stderr)
    assert.equal(summary!.hits.count, 3 * names.length)
    assert.doesNotMatch(stdout + stderr, /^warning: output (?!statsd)/m)
    const at = (name: string) => join(cwd, name)

    // What the run itself calls them; the rest is compared with that.
    const known = summary!.series.filter(({ kind }) => kind === 'http')
    assert.equal(known.length, names.length)
    const wanted = new Map(known.map(({ name }) => [name, 3]))
    for (const name of names.filter((each) => each.length < 200 && !/[\n\r\t]/.test(each)))
      assert.ok(wanted.has(name), `${name} of ${[...wanted.keys()].join()}`)
    const recorded = known[0]!.tags

    // Files.
    for (const [rows, isCsv] of [
      [await readCsv(at('f.csv')), true],
      [(await readNdjson(at('f.ndjson'))).filter(({ type }) => type === 'series'), false],
    ] as const) {
      const hits = lastRevisions(rows).filter(({ kind }) => kind === 'http')
      // A text that a spreadsheet would calculate has a ' before it.
      const nameOf = ({ name }: Record<string, unknown>) => String(name).replace(isCsv ? /^'(?==)/ : /^$/, '')
      assert.deepEqual(sumBy(hits, nameOf, 'count'), wanted)
      for (const { tags: found } of hits)
        assert.deepEqual(isCsv ? JSON.parse(String(found)) : found, recorded)
    }
    const csv = await readFile(at('f.csv'), 'utf8')
    assert.doesNotMatch(csv, /(?:^|,)"?=cmd/m)
    parseXml(await readFile(at('f.xml'), 'utf8'))
    for (const file of ['f.html', 'results/latest/report.html']) {
      const { html, model } = await readReport(at(file))
      assert.doesNotMatch(html, /<script>alert|<img src=x|<\/script><img/i)
      const scripts = html.match(/<script\b/gi)!.length
      assert.equal(scripts, html.match(/<\/script>/gi)!.length)
      assert.equal(scripts, 2, 'the model and our own one')
      assert.deepEqual(
        new Set(model.series.filter(({ kind }) => kind === 'http').map(({ name }) => name)),
        new Set(wanted.keys()),
      )
    }

    // InfluxDB: exact, but for what its line protocol cannot hold.
    const inInflux = (text: string) =>
      text
        .replaceAll(/\p{Cc}/gu, (sign) => String.fromCharCode(0x2400 + sign.charCodeAt(0)))
        .replace(/\\$/, '⧵')
    const stored = await influxd.query(
      `SELECT * FROM loads_hits WHERE span='run' AND run='${summary!.runId}'`,
      { db: 'loads' },
    )
    assert.deepEqual(
      new Map(stored.map(({ name, hits }) => [name, hits])),
      new Map([...wanted].map(([name, count]) => [inInflux(name), count])),
    )
    for (const row of stored)
      for (const [name, value] of Object.entries(recorded))
        assert.equal(row[inInflux(`tag_${name}`)], inInflux(value), `tag ${name}`)
    const custom = await influxd.query(`SELECT * FROM loads_custom WHERE span='run' AND kind='counter'`, {
      db: 'loads',
    })
    assert.deepEqual(
      new Set(custom.map(({ name }) => name)),
      new Set(Object.keys(summary!.counters).map(inInflux)),
    )

    // statsd understands every line.
    assert.equal(await statsd.sumOf('loads.hits', 3 * names.length), 3 * names.length)
    assert.equal(statsd.counted('statsd.bad_lines_seen'), 0)
    const perName = statsd.counters().filter((name) => /^loads\.name\..*\.hits$/.test(name))
    assert.equal(perName.length, names.length)
    for (const name of perName) assert.equal(await statsd.sumOf(name, 3), 3, name)

    // Prometheus has scraped all of it, to the end, and goes on.
    const [up] = await prometheus.until('max_over_time(up[5m]) == 1')
    assert.equal(up!.value, 1)
    const scraped = await prometheus.query(
      `sum by (name) (max_over_time(loads_hits_total{run="${summary!.runId}"}[5m]))`,
    )
    assert.deepEqual(new Map(scraped.map(({ metric, value }) => [metric['name'], value])), wanted)
    const tagged = await prometheus.query(`count by (tag_a_b) (max_over_time(loads_hits_total[5m]))`)
    assert.deepEqual(
      tagged.map(({ metric, value }) => [metric['tag_a_b'], value]),
      [[recorded['a,b'], names.length]],
    )
    assert.equal(otlp.problem, null)
    assert.deepEqual(
      new Map(otlp.latest('loads_hits_total').map(({ attributes, value }) => [attributes['name'], value])),
      wanted,
    )
  })
})
