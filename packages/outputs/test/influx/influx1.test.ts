import assert from 'node:assert/strict'
import type { OutputEnvironment } from '../../src/environment.ts'
import { createInflux1 } from '../../src/influx/index.ts'
import { storable } from '../../src/influx/line-protocol.ts'
import type { OutputError } from '../../src/errors.ts'
import { fixtureRun, fixtureStart, fixtureSummary, namesOf, outputConformance } from '../../src/testing.ts'
import { recordsOf, writeAll } from './support/feed.ts'
import { Influxd, needInfluxd } from './support/influxd.ts'

describe('influx (v1)', function () {
  before(function () {
    needInfluxd(this)
  })

  outputConformance('influx into a real InfluxDB', {
    troubles: ['broken', 'hanging'],
    countsWarmUp: true,
    start: async () => {
      const influxd = await Influxd.start()
      const environment = { cwd: process.cwd(), env: {}, log: () => {} }
      return {
        output: createInflux1(`${influxd.url}/runs`, environment),
        make: async (trouble) => {
          influxd.freeze(trouble === 'hanging')
          if (trouble === 'broken') await influxd.pause()
          else if (trouble === null) await influxd.resume()
        },
        arrived: async () => {
          const rows = await influxd.query(`SELECT hits, failed FROM loads_run WHERE span = '1s'`, {
            db: 'runs',
          })
          const sum = (field: string) => rows.reduce((total, row) => total + Number(row[field] ?? 0), 0)
          return { hits: sum('hits'), failed: sum('failed'), times: null, text: JSON.stringify(rows) }
        },
        close: () => influxd.stop(),
      }
    },
  })
})

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

  it('makes the database, and makes it again when somebody drops it', async () => {
    const { run, records } = recordsOf(fixtureRun())
    const output = createInflux1(`${influxd.url}/dropped`, environment)
    await output.open(run)
    await influxd.query('DROP DATABASE dropped')
    await output.write(records, AbortSignal.timeout(20_000))
    await output.close()
    const [total] = await influxd.query('SELECT hits FROM loads_summary', { db: 'dropped' })
    assert.equal(total!['hits'], fixtureSummary().hits.count)
  })

  it('writes into the retention policy that is asked for, and says which there are', async () => {
    await influxd.query('CREATE DATABASE kept')
    await influxd.query('CREATE RETENTION POLICY "ever" ON "kept" DURATION INF REPLICATION 1')
    const fed = recordsOf(fixtureRun())
    await writeAll(createInflux1(`${influxd.url}/kept?rp=ever`, environment), fed)
    assert.equal((await influxd.query('SELECT hits FROM "ever"."loads_summary"', { db: 'kept' })).length, 1)
    await assert.rejects(createInflux1(`${influxd.url}/kept?rp=never`, environment).open(fed.run), {
      code: 'OUTPUT_REFUSED',
      message: /no retention policy "never" \(it has autogen, ever\); make it there: CREATE RETENTION POLICY/,
    })
  })

  it('goes on after a conflict of types, and tells it once in the words of InfluxDB', async () => {
    await influxd.query('CREATE DATABASE conflict')
    // Types are those of a shard, which is a week.
    const body = `loads_names,span=1s hits="many" ${fixtureStart}000000`
    await fetch(`${influxd.url}/write?db=conflict`, { method: 'POST', body })
    await writeAll(createInflux1(`${influxd.url}/conflict`, environment), recordsOf(fixtureRun()))
    assert.equal(logged.length, 1, logged.join('\n'))
    assert.match(
      logged[0]!,
      /field type conflict: input field "hits" on measurement "loads_names" is type float/,
    )
    const [total] = await influxd.query('SELECT hits FROM loads_summary', { db: 'conflict' })
    assert.equal(total!['hits'], fixtureSummary().hits.count, 'the rest is there')
  })

  it('overwrites the points of an interval when late figures change it', async () => {
    const { run, records } = recordsOf(fixtureRun())
    const revised = records.filter((record) => record.type === 'interval' && record.interval.revision > 0)
    assert.ok(revised.length > 0, 'the fixture has late figures')
    const output = createInflux1(`${influxd.url}/late`, environment)
    await output.open(run)
    await output.write(records, AbortSignal.timeout(20_000))
    // All of it once more, as after an answer that was lost.
    await output.write(records, AbortSignal.timeout(20_000))
    await output.close()
    const rows = await influxd.query(`SELECT hits FROM loads_run WHERE span = '1s'`, { db: 'late' })
    assert.deepEqual(
      rows.map((row) => row['hits']),
      Array.from({ length: 13 }, () => 40),
    )
    const events = await influxd.query('SELECT title FROM loads_events', { db: 'late' })
    const moments = events.map((row) => JSON.stringify(row))
    assert.equal(new Set(moments).size, moments.length)
  })
})

describe('influx (v1), where users have passwords', () => {
  const admin = { user: 'admin', password: 'adm:in@/pass?word#%' }
  const writer = { user: 'writer', password: 'wr iter' }
  let influxd: Influxd

  before(async function () {
    needInfluxd(this)
    influxd = await Influxd.start({ auth: true })
    await influxd.query(`CREATE USER admin WITH PASSWORD '${admin.password}' WITH ALL PRIVILEGES`)
    await influxd.query('CREATE DATABASE "mine"', admin)
    await influxd.query('CREATE DATABASE "theirs"', admin)
    await influxd.query(`CREATE USER writer WITH PASSWORD '${writer.password}'`, admin)
    await influxd.query('GRANT WRITE ON "mine" TO "writer"', admin)
  })
  after(() => influxd?.stop())

  const output = (who: { user: string; password: string } | null, database: string, env = {}) => {
    const login = who === null ? '' : `${encodeURIComponent(who.user)}:${encodeURIComponent(who.password)}@`
    const environment = { cwd: process.cwd(), env, log: (_level: string, text: string) => assert.fail(text) }
    return createInflux1(`http://${login}${influxd.host}/${database}`, environment)
  }
  const fed = () => recordsOf(fixtureRun())

  it('writes as an admin, who makes the database', async () => {
    await writeAll(output(admin, 'made'), fed())
    assert.equal((await influxd.query('SELECT hits FROM loads_summary', { db: 'made', ...admin })).length, 1)
  })

  it('writes as somebody who may do no more than that', async () => {
    await writeAll(output(writer, 'mine'), fed())
    assert.equal((await influxd.query('SELECT hits FROM loads_summary', { db: 'mine', ...admin })).length, 1)
  })

  it('takes the password out of the environment', async () => {
    const environment = { cwd: process.cwd(), env: { LOADS_INFLUX_PASSWORD: admin.password }, log: () => {} }
    await writeAll(createInflux1(`http://admin@${influxd.host}/quiet`, environment), fed())
    assert.equal((await influxd.query('SELECT hits FROM loads_summary', { db: 'quiet', ...admin })).length, 1)
  })

  const refused: [string, () => ReturnType<typeof output>, RegExp][] = [
    [
      'a wrong password',
      () => output({ ...admin, password: 'secr3t' }, 'mine'),
      /authorization failed.*check the password of admin/,
    ],
    ['nobody', () => output(null, 'mine'), /authorization failed.*it wants a user/],
    [
      'somebody who may not make the database',
      () => output(writer, 'secr3t-db'),
      /may not make it; make it there: CREATE DATABASE/,
    ],
    ['somebody whose database is another', () => output(writer, 'theirs'), /may not make it; make it there/],
  ]
  for (const [who, make, message] of refused)
    it(`refuses ${who}, and says what to do`, async () => {
      await assert.rejects(make().open(fed().run), (error: OutputError) => {
        assert.equal(error.code, 'OUTPUT_REFUSED')
        assert.match(error.message, message)
        for (const password of ['secr3t;', 'wr iter', 'adm:in']) assert.ok(!error.message.includes(password))
        return true
      })
    })
})
