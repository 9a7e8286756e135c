import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Summary } from '@loads-runner/metrics'
import { readCsv } from './helpers/figure-files.ts'
import { freePort, needInfluxd, startInfluxd, startOtlpReceiver } from './helpers/output-servers.ts'
import { startServer } from './helpers/own-server.ts'
import { runCli, startCli } from './helpers/run-cli.ts'
import { oneHit } from './helpers/shop.ts'
import { sideBySide } from './helpers/side-by-side.ts'
import { cleanUpAfterTest } from './helpers/temporary.ts'

type Influxd = Awaited<ReturnType<typeof startInfluxd>>

/** Two users of a target that takes 50 ms: a run that takes so many seconds at least, of 40 hits each. */
const load = (seconds: number) => ['--users', '2', '--iterations', String(20 * seconds)]
const startSlow = () => startServer((_request, response) => void setTimeout(() => response.end('{}'), 50))

/** What runs of one second each are told of an output, a line each. */
const linesOf = (stderrAndOut: string, name: string) =>
  stderrAndOut.split('\n').filter((line) => line.includes(`output ${name}`))

/** Every second of the run is there, and the run as a whole. */
async function assertWhole(influxd: Influxd, { hits, serviceTime, runId }: Summary): Promise<void> {
  const ask = (query: string) => influxd.query(`${query} AND run='${runId}'`, { db: 'loads' })
  for (const span of ['1s', '10s', 'run']) {
    const [row] = await ask(`SELECT sum(hits) AS hits FROM loads_run WHERE span='${span}'`)
    assert.equal(row?.['hits'], hits.count, span)
  }
  const [end] = await ask('SELECT * FROM loads_summary WHERE hits>=0')
  assert.deepEqual([end?.['hits'], end?.['p95']], [hits.count, serviceTime.p95])
  const marks = await ask('SELECT * FROM loads_events WHERE title=~/./')
  assert.ok(marks.some(({ type }) => type === 'start'))
  assert.ok(marks.some(({ type }) => type === 'stop'))
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Takes connections and says nothing, ever. */
async function startSilent(): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => void sockets.add(socket.on('error', () => {})))
  cleanUpAfterTest(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return listening(server)
}

async function startBroken(): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(500).end('out of order'))
  cleanUpAfterTest(() => {
    server.closeAllConnections()
    server.close()
  })
  return listening(server)
}

describe('outputs whose database is in trouble', function () {
  this.timeout(300_000)
  before(function () {
    needInfluxd(this)
  })

  sideBySide({
    'lose nothing of a run that begins before the database does': async () => {
      const [target, influxd] = await Promise.all([startSlow(), startInfluxd()])
      await influxd.pause()
      const otlp = await startOtlpReceiver()
      otlp.answer = { status: 500, text: 'not yet' }
      const outputs = ['-o', `influx:${influxd.url}/loads`, '-o', `otlp:${otlp.url}?every=1s`]
      const run = await startCli(['hit', ...load(6), ...outputs], {
        files: oneHit(target),
        timeoutMs: 90_000,
      })
      for (const name of ['influx', 'otlp']) await run.waitForLine(new RegExp(`output ${name} does not work`))
      otlp.answer = { status: 200 }
      await influxd.resume()
      const { exitCode, summary, stdout, stderr } = await run.result
      assert.equal(exitCode, 0, stdout + stderr)
      assert.equal(summary!.hits.count, 240)
      await assertWhole(influxd, summary!)
      const [sum] = otlp.latest('loads_hits_total')
      assert.equal(sum?.value, 240)
      for (const [name, problem] of [
        ['influx', /ECONNREFUSED/],
        ['otlp', /status 500: not yet/],
      ] as const) {
        const [down, up, ...more] = linesOf(stdout + stderr, name)
        assert.match(down!, /does not work: .*; what it misses is kept and tried again$/)
        assert.match(down!, problem)
        assert.match(up!, /works again after [\d.]+ s and \d+ (?:retry|retries); nothing was lost$/)
        assert.deepEqual(more, [])
      }
    },

    'lose nothing when it goes down in the middle and comes back': async () => {
      const [target, influxd] = await Promise.all([startSlow(), startInfluxd()])
      const args = ['hit', ...load(8), '-o', `influx:${influxd.url}/loads`]
      const run = await startCli(args, { files: oneHit(target), timeoutMs: 90_000 })
      // What is written by then must still be there.
      await target.sawRequests(120)
      await influxd.pause()
      await run.waitForLine(/output influx does not work/)
      await target.sawRequests(240)
      await influxd.resume()
      const { exitCode, summary, stdout, stderr } = await run.result
      assert.equal(exitCode, 0, stdout + stderr)
      assert.equal(summary!.hits.count, 320)
      await assertWhole(influxd, summary!)
      const [, up, ...more] = linesOf(stdout + stderr, 'influx')
      assert.match(up!, /works again after .*; nothing was lost$/)
      assert.deepEqual(more, [])
    },

    'cost the run nothing when it never comes, hangs, or is broken': async () => {
      const target = await startSlow()
      const [nobody, silent, broken] = await Promise.all([freePort(), startSilent(), startBroken()])
      const dead = `http://127.0.0.1:${nobody}`
      const servers = [dead, silent, broken].flatMap((url) => [
        `influx:${url}/loads`,
        `prometheus:${url}/api/v1/write?every=1s`,
        `otlp:${url}?every=1s`,
        `webhook:${url}/hook`,
      ])
      const outputs = ['csv:good.csv', ...servers].flatMap((output) => ['-o', output])
      const startedAt = performance.now()
      const run = await runCli(['hit', ...load(3), ...outputs], {
        files: oneHit(target),
        timeoutMs: 90_000,
      })
      const seconds = (performance.now() - startedAt) / 1000
      const said = run.stdout + run.stderr
      assert.equal(run.exitCode, 0, said)
      // Neither the load nor the good output knows of it.
      assert.deepEqual([run.summary!.hits.count, run.summary!.tests.successes], [120, 120])
      assert.equal(target.seen.length, 120)
      assert.ok(run.summary!.durationSeconds < 15, `${run.summary!.durationSeconds} s`)
      const rows = await readCsv(`${run.directory}/good.csv`)
      const inCsv = rows
        .filter(({ kind }) => kind === 'all')
        .reduce((sum, { count }) => sum + Number(count), 0)
      assert.equal(inCsv, 120)
      // 3 s of load, 15 s to write what is left: together; one after the other that were 180.
      assert.ok(seconds < 80, `${seconds} s`)
      for (const [name, kinds] of [
        ['influx', 3],
        ['prometheus', 3],
        ['otlp', 3],
        ['webhook', 3],
      ] as const) {
        const lost = linesOf(said, name).filter((line) => /: [1-9]\d* of \d+ records lost \(.+\)$/.test(line))
        assert.equal(lost.length, kinds, linesOf(said, name).join('\n'))
        assert.ok(
          lost.some((line) => line.includes(String(nobody)) && line.includes('ECONNREFUSED')),
          name,
        )
      }
      // Trouble is said once when it begins and once at the end, not every second.
      assert.ok(linesOf(said, '').length <= 24, said)
    },

    'are told whom the database lets in, in one line, and the run goes on': async () => {
      const [target, influxd] = await Promise.all([startSlow(), startInfluxd({ auth: true })])
      await influxd.query(`CREATE USER boss WITH PASSWORD 'pa55' WITH ALL PRIVILEGES`)
      const at = (user: string) => `influx:http://${user}@${influxd.host}/loads`
      const args = ['hit', ...load(2)]
      const wrong = await runCli([...args, '-o', at('boss:wr0ngpass')], { files: oneHit(target) })
      assert.equal(wrong.exitCode, 0, wrong.stderr)
      assert.equal(wrong.summary!.hits.count, 80)
      const [refused, lost, ...more] = linesOf(wrong.stdout + wrong.stderr, 'influx')
      assert.match(refused!, /was refused: .* check the password of boss.*; the run goes on without it$/)
      assert.match(lost!, /records lost/)
      assert.deepEqual(more, [])
      assert.doesNotMatch(wrong.stdout + wrong.stderr, /wr0ngpass/)
      assert.ok(wrong.summary!.durationSeconds < 15)

      const right = await runCli([...args, '-o', at('boss:pa55')], { files: oneHit(target) })
      assert.doesNotMatch(right.stdout + right.stderr, /output influx/)
      const asBoss = { db: 'loads', user: 'boss', password: 'pa55' }
      const rows = await influxd.query('SELECT hits FROM loads_summary', asBoss)
      assert.deepEqual(
        rows.map(({ hits }) => hits),
        [80],
      )
      // The password may stand in the environment.
      const env = await runCli([...args, '-o', at('boss')], {
        files: oneHit(target),
        env: { LOADS_INFLUX_PASSWORD: 'pa55' },
      })
      assert.doesNotMatch(env.stdout + env.stderr, /output influx/)
      assert.equal((await influxd.query('SELECT hits FROM loads_summary', asBoss)).length, 2)
    },
  })
})
