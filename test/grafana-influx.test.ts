import assert from 'node:assert/strict'
import type { Dashboard } from '@grafana/schema'
import type { Summary } from '@loads-runner/metrics'
import { dashboards } from '../grafana/source/dashboards.ts'
import type { InfluxQuery } from '../grafana/source/influxql.ts'
import { all, influxQuery, type Substitution } from '../grafana/source/substitute.ts'
import { annotationsOf, panelsOf, targetsOf, variablesOf } from '../grafana/source/walk.ts'
import { createInflux1 } from '../packages/outputs/src/influx/index.ts'
import { fixtureRun, fixtureSummary } from '../packages/outputs/src/testing.ts'
import { recordsOf, writeAll } from '../packages/outputs/test/influx/support/feed.ts'
import { Influxd, needInfluxd, type Row } from '../packages/outputs/test/influx/support/influxd.ts'
import { runCli } from './helpers/run-cli.ts'
import { startTarget } from './helpers/target.ts'

const db = 'loads'
const ofInflux = Object.entries(dashboards).filter(([file]) => !file.includes('prometheus'))

describe("Grafana's queries to InfluxDB", function () {
  this.timeout(120_000)
  let influxd: Influxd

  before(async function () {
    needInfluxd(this)
    influxd = await Influxd.start()
  })
  after(() => influxd?.stop())

  /** What every panel of a dashboard gets, by title; all of its queries together. */
  async function ask(dashboard: Dashboard, substitution: Substitution): Promise<Map<string, Row[]>> {
    const answers = new Map<string, Row[]>()
    for (const panel of panelsOf(dashboard)) {
      const rows: Row[] = []
      for (const target of targetsOf(panel))
        rows.push(...(await influxd.query(influxQuery((target as InfluxQuery).query, substitution), { db })))
      answers.set(panel.title!, rows)
    }
    return answers
  }

  async function askAnnotations(
    dashboard: Dashboard,
    substitution: Substitution,
  ): Promise<Map<string, Row[]>> {
    const answers = new Map<string, Row[]>()
    for (const annotation of annotationsOf(dashboard)) {
      const { query } = annotation.target as unknown as InfluxQuery
      assert.equal((annotation as unknown as { query: string }).query, query)
      answers.set(annotation.name, await influxd.query(influxQuery(query, substitution), { db }))
    }
    return answers
  }

  async function askVariables(
    dashboard: Dashboard,
    substitution: Substitution,
  ): Promise<Map<string, string[]>> {
    const answers = new Map<string, string[]>()
    for (const { name, type, query } of variablesOf(dashboard)) {
      if (type !== 'query') continue
      const rows = await influxd.query(influxQuery(query as string, substitution), { db })
      answers.set(
        name,
        rows.map((row) => String(row['value'])),
      )
    }
    return answers
  }

  function shown(run: string, summary: Summary, more: Record<string, string> = {}): Substitution {
    const fromMs = Date.parse(summary.started!) - 60_000
    return {
      fromMs,
      toMs: Date.now() + 60_000,
      intervalMs: 1_000,
      variables: { run, before: run, after: run, span: '1s', project: all, test: all, name: all, ...more },
    }
  }

  const sum = (rows: Row[], field: string) => rows.reduce((total, row) => total + Number(row[field] ?? 0), 0)
  const value = (rows: Row[] | undefined, field = 'value') => {
    assert.equal(rows?.length, 1)
    return rows[0]![field]
  }

  /** The figures of the dashboard of a run, against what the run itself says. */
  function compare(answers: Map<string, Row[]>, summary: Summary): void {
    const { hits, serviceTime } = summary
    assert.equal(value(answers.get('Verdict'), 'verdict'), summary.verdict)
    assert.equal(value(answers.get('Hits')), hits.count)
    assert.equal(value(answers.get('Failed')), hits.failed / hits.count)
    assert.equal(value(answers.get('p50')), serviceTime.p50)
    assert.equal(value(answers.get('p95')), serviceTime.p95)
    assert.equal(value(answers.get('p99')), serviceTime.p99)
    const perSecond = Number(value(answers.get('Hits per second')))
    assert.ok(Math.abs(perSecond - hits.perSecond) < 1e-6 * hits.perSecond, `${perSecond} ${hits.perSecond}`)

    const names = answers.get('By name, whole run')!
    const nameOf = ({ kind, test, name, method }: Row | Summary['series'][number]) =>
      JSON.stringify([kind, test, name, method])
    const wanted = new Map<string, { hits: number; failed: number }>()
    for (const series of summary.series) {
      const so = wanted.get(nameOf(series)) ?? { hits: 0, failed: 0 }
      wanted.set(nameOf(series), { hits: so.hits + series.count, failed: so.failed + series.failed })
    }
    assert.deepEqual(
      new Map(names.map((row) => [nameOf(row), { hits: row['hits'], failed: row['failed'] }])),
      wanted,
    )
    // Where a name has one status only, its quantile stands in the summary, too.
    for (const row of names) {
      const series = summary.series.filter((each) => nameOf(each) === nameOf(row))
      if (series.length === 1) assert.equal(row['p95'], series[0]!.serviceTime.p95)
      else assert.ok(Number(row['p95']) <= Math.max(...series.map((each) => each.serviceTime.max!)))
    }

    const errors = answers.get('Errors')!
    assert.equal(
      sum(errors, 'count'),
      summary.errorGroups.reduce((total, { count }) => total + count, 0),
    )
    assert.deepEqual(
      new Set(errors.map((row) => row['message'])),
      new Set(summary.errorGroups.map(({ message }) => message)),
    )
    const tests = answers.get('Executions')!
    assert.equal(sum(tests, 'successes'), summary.tests.successes)
    assert.equal(sum(tests, 'failures') + sum(tests, 'errors'), summary.tests.failures + summary.tests.errors)
    assert.deepEqual(
      new Map(answers.get('Thresholds now')!.map((row) => [row['expression'], row['ok']])),
      new Map(summary.thresholds.map(({ expression, ok }) => [expression, ok])),
    )
  }

  it('find everything in a run that has some of everything', async () => {
    const startedAt = Date.now() - 30_000
    const options = { runId: 'fixture-run', startedAt }
    const summary = fixtureSummary(options)
    const environment = { cwd: process.cwd(), env: {}, log: () => assert.fail('nothing to complain of') }
    await writeAll(createInflux1(`${influxd.url}/${db}`, environment), recordsOf(fixtureRun(options)))
    const substitution = shown('fixture-run', summary)

    for (const [file, dashboard] of ofInflux) {
      const answers = await ask(dashboard, substitution)
      // The fixture measures no phases, and loses no agent.
      const mayBeEmpty = new Set(['Phases'])
      for (const [title, rows] of answers)
        if (!mayBeEmpty.has(title)) assert.ok(rows.length > 0, `${file}: ${title} shows nothing`)
      if (file === 'run.json') compare(answers, summary)
      if (file === 'comparison.json') {
        const both = await ask(dashboard, shown('fixture-run', summary, { after: 'another' }))
        assert.equal(value(both.get('Both runs'), 'hits'), summary.hits.count)
        assert.deepEqual(
          both.get('p95')!.map((row) => row['elapsed_seconds']),
          Array.from({ length: 13 }, (_, second) => second),
        )
      }
      for (const [name, values] of await askVariables(dashboard, substitution))
        assert.ok(values.length > 0, `${file}: $${name} has values`)
      for (const [name, rows] of await askAnnotations(dashboard, substitution))
        if (name === 'Faults') {
          assert.equal(rows.length, 1)
          assert.ok(Number(rows[0]!['ends_at']) > Number(rows[0]!['time']), 'a fault has an end')
        } else if (name !== 'Agents lost') assert.ok(rows.length > 0, `${file}: ${name}`)
    }
  })

  it('show the figures of a real run on two agents', async () => {
    const target = await startTarget()
    const args = [
      'shop.TestShop',
      '--agents',
      '2',
      '--rate',
      '40',
      '--duration',
      '6s',
      '--project-name',
      'shop',
    ]
    const more = ['--threshold', 'http_req_duration: p(95)<10s', '--output', `influx:${influxd.url}/${db}`]
    const run = await runCli([...args, ...more], {
      files: {
        'shop.ts': `
          import assert from 'node:assert/strict'
          import { TestCase } from 'loads-runner'
          export class TestShop extends TestCase {
            async test_look() {
              await this.session.get('${target.httpUrl}/')
              await this.session.get('${target.httpUrl}/status/404?a=1')
            }
            async test_buy() {
              await this.session.get('${target.httpUrl}/')
              assert.ok(Math.random() < 0.5, 'sold out')
            }
          }`,
      },
    })
    const { summary } = run
    assert.ok(summary !== null, run.stdout + run.stderr)
    assert.doesNotMatch(run.stdout + run.stderr, /output influx/)
    assert.equal(summary.coverage.ratio, 1)
    const substitution = shown(summary.runId, summary)

    const answers = await ask(dashboards['run.json']!, substitution)
    compare(answers, summary)
    // Each second's hits, over the length of each, make the whole.
    assert.equal(sum(answers.get('Service time, every hit')!, 'sum'), summary.hits.count)
    // A busy agent tells late of some seconds: what fell due in them is told with the next ones, too.
    const planned = sum(answers.get('Rate, planned and actual')!, 'planned')
    assert.ok(planned >= 240 && planned <= 360, `${planned} of 240 starts fell due`)
    for (const row of answers.get('Service time')!) assert.ok(Number(row['p99']) >= Number(row['p50']))

    const agents = await ask(dashboards['agents.json']!, substitution)
    assert.equal(sum(agents.get('Agents')!, 'hits'), summary.hits.count)
    assert.equal(agents.get('Agents')!.length, 2)
    for (const row of agents.get('Agents')!) assert.equal(row['state'], 'done')

    const marks = (await askAnnotations(dashboards['run.json']!, substitution)).get('Start and stop')!
    assert.equal(marks.length, 2)
    assert.equal(marks[0]!['time'], Date.parse(summary.started!))
    const variables = await askVariables(dashboards['run.json']!, substitution)
    assert.ok(variables.get('project')!.includes('shop'))
    assert.ok(variables.get('run')!.includes(summary.runId))
    assert.deepEqual(variables.get('test'), ['TestShop.test_buy', 'TestShop.test_look'])
  })
})
