import assert from 'node:assert/strict'
import { join } from 'node:path'
import { runPrometheus } from '../grafana/source/dashboards/run-prometheus.ts'
import type { PromAnnotation, PromQuery } from '../grafana/source/promql.ts'
import { all, promQuery, type Substitution } from '../grafana/source/substitute.ts'
import { annotationsOf, panelsOf, targetsOf, variablesOf } from '../grafana/source/walk.ts'
import { needPrometheus, Prometheus } from '../packages/outputs/test/prometheus/support/prometheus.ts'
import { assertQuantile } from './helpers/rank.ts'
import { runCli } from './helpers/run-cli.ts'
import { startTarget } from './helpers/target.ts'

/** What it gives over a time, one point per second: how many series, and the points of all. */
async function overTime(
  prometheus: Prometheus,
  query: string,
  { fromMs, toMs }: Substitution,
): Promise<number[]> {
  const body = new URLSearchParams({ query, start: `${fromMs / 1000}`, end: `${toMs / 1000}`, step: '1' })
  const response = await fetch(`${prometheus.url}/api/v1/query_range`, { method: 'POST', body })
  const answer = (await response.json()) as {
    error?: string
    data: { result: { values?: [number, string][]; histograms?: [number, { count: string }][] }[] }
  }
  assert.equal(answer.error, undefined, query)
  return answer.data.result.flatMap(({ values = [], histograms = [] }) => [
    ...values.map(([, value]) => Number(value)),
    ...histograms.map(([, { count }]) => Number(count)),
  ])
}

describe("Grafana's queries to Prometheus", function () {
  this.timeout(120_000)
  let prometheus: Prometheus

  before(async function () {
    needPrometheus(this)
    prometheus = await Prometheus.start()
  })
  after(() => prometheus?.stop())

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
    const more = ['--threshold', 'http_req_duration: p(95)<10s']
    const output = ['--output', `prometheus:${prometheus.url}/api/v1/write?every=1s`]
    const run = await runCli([...args, ...more, ...output], {
      files: {
        'shop.ts': `
          import assert from 'node:assert/strict'
          import { TestCase } from 'loads-runner'
          export class TestShop extends TestCase {
            async test_buy() {
              await this.session.get('${target.httpUrl}/')
              await this.session.get('${target.httpUrl}/status/404?a=1')
              assert.ok(Math.random() < 0.5, 'sold out')
            }
          }`,
      },
    })
    const { summary } = run
    assert.ok(summary !== null, run.stdout + run.stderr)
    assert.doesNotMatch(run.stdout + run.stderr, /output prometheus/)
    const fromMs = Date.parse(summary.started!) - 5_000
    // What ends is written a few seconds later than it was, so that the last values can still be asked for.
    const substitution: Substitution = {
      fromMs,
      toMs: Date.now() + 20_000,
      intervalMs: 1_000,
      variables: { run: summary.runId, project: all, test: all, name: all },
    }
    const filled = (query: string) => promQuery(query, substitution)

    const shown = new Map<string, number[]>()
    for (const panel of panelsOf(runPrometheus))
      for (const target of targetsOf(panel)) {
        const { expr, instant, legendFormat } = target as PromQuery
        const values = instant
          ? (await prometheus.query(filled(expr), substitution.toMs)).map(({ value }) => value)
          : await overTime(prometheus, filled(expr), substitution)
        if (panel.title !== 'The target itself')
          assert.ok(values.length > 0, `${panel.title} ${legendFormat}: ${filled(expr)} gives nothing`)
        shown.set(`${panel.title} ${legendFormat}`, values)
      }
    const { hits } = summary
    assert.deepEqual(shown.get('Hits value'), [hits.count])
    assert.deepEqual(shown.get('Failed value'), [hits.failed / hits.count])
    for (const [name, share] of Object.entries({ p50: 0.5, p95: 0.95, p99: 0.99 }))
      await assertQuantile(join(run.directory, 'results/latest'), share, shown.get(`${name} value`)![0]!)
    const byName = shown.get('By name, whole run hits')!
    assert.equal(
      byName.reduce((sum, count) => sum + count, 0),
      hits.count,
    )

    for (const annotation of annotationsOf(runPrometheus)) {
      const { name, expr } = annotation as PromAnnotation
      const values = await overTime(prometheus, filled(expr), substitution)
      if (name === 'State of the run') assert.ok(values.length > 0, name)
    }
    for (const { name, type, query } of variablesOf(runPrometheus)) {
      if (type !== 'query') continue
      const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec((query as { query: string }).query)!
      const url = new URL(`${prometheus.url}/api/v1/label/${label}/values`)
      url.searchParams.set('match[]', filled(series!))
      const { data } = (await (await fetch(url)).json()) as { data: string[] }
      assert.ok(data.length > 0, `$${name} has values`)
      if (name === 'run') assert.ok(data.includes(summary.runId))
    }
  })
})
