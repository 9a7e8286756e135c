import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Summary } from '@loads-runner/metrics'
import { parseXml } from '../packages/outputs/test/files/xml.ts'
import type { Element } from '../packages/outputs/test/files/xml.ts'
import { lastRevisions, readCsv, readNdjson, readReport, sumBy } from './helpers/figure-files.ts'
import {
  needInfluxd,
  needPrometheus,
  startInfluxd,
  startOtlpReceiver,
  startPrometheus,
  startStatsd,
} from './helpers/output-servers.ts'
import { assertQuantile } from './helpers/rank.ts'
import { runCli } from './helpers/run-cli.ts'
import { shopOf, startShop } from './helpers/shop.ts'

/** Hits and failed ones by name, as the summary has them. */
function namesOf(summary: Summary): Map<string, { hits: number; failed: number }> {
  const names = new Map<string, { hits: number; failed: number }>()
  for (const { kind, name, count, failed } of summary.series) {
    if (kind !== 'http') continue
    const so = names.get(name) ?? { hits: 0, failed: 0 }
    names.set(name, { hits: so.hits + count, failed: so.failed + failed })
  }
  return names
}

/** Two maps of sums as one. */
function paired(hits: Map<string, number>, failed: Map<string, number>) {
  return new Map([...hits].map(([name, count]) => [name, { hits: count, failed: failed.get(name) ?? 0 }]))
}

function total(rows: readonly object[], field: string): number {
  return rows.reduce((sum, row) => sum + Number((row as Record<string, unknown>)[field] ?? 0), 0)
}

const nameOf = (row: Record<string, unknown>) => String(row['name'])

/** Executions by outcome, as the summary has them. */
const outcomesOf = ({ tests }: Summary) => ({
  success: tests.successes,
  failure: tests.failures,
  error: tests.errors,
})

describe('outputs, all at once', function () {
  this.timeout(300_000)
  before(function () {
    needInfluxd(this)
    needPrometheus(this)
  })

  it('have the same figures, which are those of the summary', async () => {
    const [shop, influxd, prometheus, statsd, otlp] = await Promise.all([
      startShop(),
      startInfluxd(),
      startPrometheus(),
      startStatsd(),
      startOtlpReceiver(),
    ])
    const files = ['csv:f.csv', 'ndjson:f.ndjson', 'json:f.json', 'junit:f.xml', 'html:f.html']
    const servers = [
      `statsd:127.0.0.1:${statsd.port}`,
      `influx:${influxd.url}/loads`,
      `prometheus:${prometheus.url}/api/v1/write?every=1s`,
      `otlp:${otlp.url}?every=1s`,
    ]
    const outputs = [...files, ...servers].flatMap((output) => ['-o', output])
    const load = ['--agents', '2', '--users', '6', '--iterations', '60']
    const run = await runCli(['shop', ...load, ...outputs], { files: shopOf(shop), timeoutMs: 90_000 })
    const { summary, directory } = run
    assert.ok(summary !== null, run.stdout + run.stderr)
    assert.equal(run.exitCode, 1)
    // A generator that is not alone on its machine may say that of itself.
    const ofGenerator = summary.generator.warnings.map((warning) => `warning: ${warning}`)
    const told = (run.stdout + run.stderr).split('\n').filter((line) => /^warning|output [a-z]+/.test(line))
    assert.deepEqual(
      told.filter((line) => !ofGenerator.includes(line)),
      [],
    )
    // The referee: the target itself.
    assert.equal(summary.hits.count, shop.seen.length)
    assert.equal(summary.hits.count, 540)
    assert.equal(summary.hits.failed, 180)
    assert.deepEqual(outcomesOf(summary), { success: 240, failure: 60, error: 60 })
    assert.ok(summary.serviceTime.p95! > 40, 'the slow basket is in the figures')
    const at = (name: string) => join(directory, name)
    const names = namesOf(summary)
    assert.equal(names.size, 3)

    await assertFiles(summary, at, names)
    await assertServers(summary, at, names, { influxd, prometheus, statsd, otlp })
  })
})

async function assertFiles(
  summary: Summary,
  at: (name: string) => string,
  names: ReturnType<typeof namesOf>,
): Promise<void> {
  assert.deepEqual(JSON.parse(await readFile(at('f.json'), 'utf8')), summary)

  const { hits, serviceTime } = summary
  for (const rows of [
    lastRevisions(await readCsv(at('f.csv'))),
    lastRevisions((await readNdjson(at('f.ndjson'))).filter(({ type }) => type === 'series')),
  ]) {
    const ofHits = rows.filter(({ kind }) => kind === 'http')
    assert.deepEqual(paired(sumBy(ofHits, nameOf, 'count'), sumBy(ofHits, nameOf, 'failed')), names)
    const executions = rows.filter(({ kind }) => kind === 'execution')
    assert.deepEqual(
      Object.fromEntries(sumBy(executions, ({ status }) => String(status), 'count')),
      outcomesOf(summary),
    )
    const looks = rows.filter(({ kind, name }) => kind === 'counter' && name === 'looks')
    assert.equal(total(looks, 'value'), summary.counters['looks'])
    assert.equal(Math.max(...ofHits.map(({ max }) => Number(max))), serviceTime.max)
    assert.equal(Math.min(...ofHits.map(({ min }) => Number(min))), serviceTime.min)
  }
  const lines = await readNdjson(at('f.ndjson'))
  const seconds = lastRevisions(lines.filter(({ type }) => type === 'interval'))
  assert.equal(total(seconds, 'hits'), hits.count)
  assert.equal(total(seconds, 'failed'), hits.failed)
  for (const { p50, p95, max } of seconds)
    if (max !== null) assert.ok(Number(p50) <= Number(p95) && Number(p95) <= Number(max))
  assert.deepEqual(lines.at(-1), { type: 'summary', summary })

  const suites = parseXml(await readFile(at('f.xml'), 'utf8'))
  const suite = suites.children.find(({ name }) => name === 'testsuite')!
  const cases = suite.children.filter(({ name }) => name === 'testcase')
  const bad = (element: Element) => element.children.filter(({ name }) => /failure|error/.test(name))
  assert.deepEqual(
    cases.map((each) => [each.attributes['name'], bad(each).map(({ name }) => name)]),
    [
      ['test_buy', ['failure', 'error']],
      ['test_look', []],
    ],
  )
  const properties = suite.children.find(({ name }) => name === 'properties')!.children
  const property = (name: string) =>
    properties.find(({ attributes }) => attributes['name'] === name)?.attributes['value']
  assert.equal(property('verdict'), summary.verdict)
  assert.equal(property('hits'), String(hits.count))
  assert.equal(property('p95 ms'), String(serviceTime.p95))

  for (const file of ['f.html', 'results/latest/report.html']) {
    const { model } = await readReport(at(file))
    assert.deepEqual(model.summary, summary)
    const { totals } = model
    assert.deepEqual([totals.hits, totals.failedHits], [hits.count, hits.failed])
    assert.deepEqual(
      [totals.executions, totals.failures, totals.errors],
      [summary.tests.finished, summary.tests.failures, summary.tests.errors],
    )
  }
  assert.equal(
    (await readFile(at('f.xml'), 'utf8')).length,
    (await readFile(at('results/latest/junit.xml'), 'utf8')).length,
  )
}

interface Servers {
  influxd: Awaited<ReturnType<typeof startInfluxd>>
  prometheus: Awaited<ReturnType<typeof startPrometheus>>
  statsd: Awaited<ReturnType<typeof startStatsd>>
  otlp: Awaited<ReturnType<typeof startOtlpReceiver>>
}

async function assertServers(
  summary: Summary,
  at: (name: string) => string,
  names: ReturnType<typeof namesOf>,
  { influxd, prometheus, statsd, otlp }: Servers,
): Promise<void> {
  const { hits, tests, serviceTime, runId } = summary

  // InfluxDB: exact, quantiles included.
  const ask = (query: string) => influxd.query(`${query} AND run='${runId}'`, { db: 'loads' })
  const [end] = await ask(`SELECT * FROM loads_summary WHERE hits>=0`)
  for (const quantile of ['min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const)
    assert.equal(end![quantile], serviceTime[quantile], quantile)
  assert.deepEqual(
    [end!['hits'], end!['failed'], end!['verdict']],
    [hits.count, hits.failed, summary.verdict],
  )
  for (const span of ['1s', 'run']) {
    const run = await ask(`SELECT * FROM loads_run WHERE span='${span}'`)
    assert.deepEqual([total(run, 'hits'), total(run, 'failed')], [hits.count, hits.failed], span)
    const found = await ask(`SELECT * FROM loads_names WHERE span='${span}'`)
    assert.deepEqual(paired(sumBy(found, nameOf, 'hits'), sumBy(found, nameOf, 'failed')), names)
    const executions = await ask(`SELECT * FROM loads_executions WHERE span='${span}'`)
    assert.deepEqual(
      ['successes', 'failures', 'errors'].map((outcome) => total(executions, outcome)),
      Object.values(outcomesOf(summary)),
    )
  }
  const [whole] = await ask(`SELECT * FROM loads_run WHERE span='run'`)
  assert.equal(whole!['p95'], serviceTime.p95)

  // Prometheus: counts are exact, quantiles within 1 % of the summary's.
  const of = `{run="${runId}"}`
  const atMs = Date.now()
  const byLabel = async (metric: string, label: string) =>
    new Map(
      (await prometheus.query(`sum by (${label}) (${metric}${of})`, atMs)).map((each) => [
        each.metric[label]!,
        each.value,
      ]),
    )
  assert.deepEqual(
    paired(await byLabel('loads_hits_total', 'name'), await byLabel('loads_hits_failed_total', 'name')),
    names,
  )
  assert.deepEqual(
    Object.fromEntries(await byLabel('loads_executions_total', 'outcome')),
    outcomesOf(summary),
  )
  for (const share of [0.5, 0.95, 0.99]) {
    const query = `histogram_quantile(${share}, sum(loads_hit_duration_seconds${of}))`
    await assertQuantile(at('results/latest'), share, await prometheus.number(query, atMs))
  }

  // statsd: counters by the second.
  assert.equal(await statsd.sumOf('loads.hits', hits.count), hits.count)
  assert.equal(await statsd.sumOf('loads.failed', hits.failed), hits.failed)
  assert.equal(await statsd.sumOf('loads.executions', tests.finished), tests.finished)
  const bad = tests.failures + tests.errors
  assert.equal(await statsd.sumOf('loads.errors', bad), bad)
  assert.equal(await statsd.sumOf('loads.counter.looks', 180), summary.counters['looks'])
  for (const [name, { hits: count, failed }] of names) {
    const [counter] = statsd.counters().filter((each) => each.endsWith(`GET_${name.replace('/', '_')}.hits`))
    assert.ok(counter !== undefined, `${name} of ${statsd.counters().join()}`)
    assert.equal(await statsd.sumOf(counter, count), count)
    const ofFailed = counter.replace(/hits$/, 'failed')
    assert.equal(await statsd.sumOf(ofFailed, failed), failed)
  }
  assert.equal(statsd.counted('statsd.bad_lines_seen'), 0)

  // OTLP: cumulative sums, and histograms of the same samples.
  assert.equal(otlp.problem, null)
  assert.equal(otlp.resource['loads.run.id'], runId)
  const sums = (metric: string, label: string) =>
    sumBy(
      otlp.latest(metric).map(({ attributes, value }) => ({ ...attributes, value })),
      (row) => String(row[label]),
      'value',
    )
  assert.deepEqual(paired(sums('loads_hits_total', 'name'), sums('loads_hits_failed_total', 'name')), names)
  assert.deepEqual(Object.fromEntries(sums('loads_executions_total', 'outcome')), outcomesOf(summary))
  const timed = otlp.latest('loads_hit_duration_seconds')
  assert.equal(total(timed, 'value'), serviceTime.count)
  const spent = timed.reduce((seconds, { histogram }) => seconds + histogram!.sum, 0)
  assert.ok(Math.abs(spent * 1000 - serviceTime.sum) < 1e-3 * serviceTime.sum, `${spent} ${serviceTime.sum}`)
}
