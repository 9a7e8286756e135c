import assert from 'node:assert/strict'
import type { OutputEnvironment } from '../../src/environment.ts'
import { createInflux1 } from '../../src/influx/index.ts'
import { storable } from '../../src/influx/line-protocol.ts'
import { fixtureRun, fixtureSummary, namesOf } from '../../src/testing.ts'
import { recordsOf, writeAll } from './support/feed.ts'
import { Influxd, needInfluxd } from './support/influxd.ts'

describe('influx (v1), into a real InfluxDB', () => {
  let influxd: Influxd
  const logged: string[] = []
  const environment: OutputEnvironment = {
    cwd: process.cwd(),
    env: {},
    log: (_level, text) => logged.push(text),
  }

  before(async function () {
    needInfluxd(this)
    influxd = await Influxd.start()
  })
  after(() => influxd?.stop())
  beforeEach(() => logged.splice(0))

  for (const names of ['plain', 'hostile'] as const)
    it(`writes a run with ${names} names: what is read back is what the summary says`, async () => {
      const db = `run-${names}`
      const options = { runId: `run ${names}`, names, startedAt: Date.now() - 60_000 }
      const summary = fixtureSummary(options)
      await writeAll(createInflux1(`${influxd.url}/${db}`, environment), recordsOf(fixtureRun(options)))
      assert.deepEqual(logged, [])

      const [total] = await influxd.query(`SELECT * FROM loads_summary`, { db })
      assert.equal(total!['hits'], summary.hits.count)
      assert.equal(total!['failed'], summary.hits.failed)
      assert.equal(total!['p95'], summary.serviceTime.p95)
      assert.equal(total!['verdict'], summary.verdict)

      const [whole] = await influxd.query(`SELECT * FROM loads_run WHERE span = 'run'`, { db })
      assert.equal(whole!['hits'], summary.hits.count)
      assert.equal(whole!['executions'], summary.tests.finished)
      assert.equal(whole!['p99'], summary.serviceTime.p99)
      assert.equal(whole!['response_p95'], summary.responseTime!.p95)

      for (const span of ['1s', '10s', '60s']) {
        const [sums] = await influxd.query(
          `SELECT sum(hits) AS hits, sum(failed) AS failed FROM loads_run WHERE span = '${span}' AND warm_up = false`,
          { db },
        )
        assert.equal(sums!['hits'], summary.hits.count, span)
        assert.equal(sums!['failed'], summary.hits.failed, span)
      }

      const rows = await influxd.query(`SELECT * FROM loads_hits WHERE span = 'run'`, { db })
      assert.equal(rows.length, summary.series.length)
      const { tag } = namesOf(names)
      for (const series of summary.series) {
        const row = rows.find(
          (each) =>
            each['name'] === storable(series.name) &&
            each['method'] === series.method &&
            each['status'] === series.status,
        )
        assert.ok(row, `${series.name} ${series.status} is there`)
        assert.equal(row['test'], storable(series.test))
        assert.equal(row['hits'], series.count)
        assert.equal(row['failed'], series.failed)
        assert.equal(row['p50'], series.serviceTime.p50)
        assert.equal(row['p999'], series.serviceTime.p999)
        const value = series.tags[tag.name]
        assert.equal(
          row[`tag_${storable(tag.name)}`] ?? undefined,
          value === undefined ? undefined : storable(value),
        )
      }
    })
})
