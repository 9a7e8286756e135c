import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OperatorResults } from '@loads-runner/protocol'
import {
  freePort,
  needInfluxd,
  needPrometheus,
  samplesOf,
  startInfluxd,
  startPrometheus,
  startStatsd,
} from './helpers/output-servers.ts'
import { startHeldServer, startServer } from './helpers/own-server.ts'
import type { OwnServer } from './helpers/own-server.ts'
import { startCli } from './helpers/run-cli.ts'
import { oneHit } from './helpers/shop.ts'
import { StandingCluster } from './helpers/standing-cluster.ts'

type Influxd = Awaited<ReturnType<typeof startInfluxd>>

const startSlow = () => startServer((_request, response) => void setTimeout(() => response.end('{}'), 50))

/** Two users of a target that takes 50 ms: so many seconds at least, of 40 hits each. */
const load = (seconds: number) => ['--agents', '2', '--users', '2', '--iterations', String(20 * seconds)]

/** Tests `hit` and `other`, each with a target of its own. */
const twoHits = (target: OwnServer, other: OwnServer) => ({
  ...oneHit(target),
  'other.ts': oneHit(other)['hit.ts'].replace('TestHit', 'TestOther'),
})

async function runsOf(cluster: StandingCluster): Promise<OperatorResults['list-runs']['runs']> {
  return (await cluster.ask('list-runs')).runs
}

/** Until this is so, or 30 s are over. */
async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const found = await look()
    if (found !== null) return found
    assert.ok(performance.now() < deadline, `there is no ${what}`)
    await sleep(100)
  }
}

/** What a run has left in a database, once its end is there. */
async function storedOf(influxd: Influxd, runId: string, who = {}) {
  const ask = (query: string) => influxd.query(`${query} AND run='${runId}'`, { db: 'loads', ...who })
  const end = await until(`summary of ${runId} in InfluxDB`, async () => {
    const rows = await ask('SELECT * FROM loads_summary WHERE hits>=0').catch(() => [])
    return rows[0] ?? null
  })
  const [seconds] = await ask(`SELECT sum(hits) AS hits FROM loads_run WHERE span='1s'`)
  const marks = await ask('SELECT * FROM loads_events WHERE title=~/./')
  const counted = (type: string) => marks.filter((mark) => mark['type'] === type).length
  return { hits: end['hits'], inSeconds: seconds!['hits'], starts: counted('start'), stops: counted('stop') }
}

/** Every file below a directory and what is in it, base64 opened. */
async function textsBelow(directory: string): Promise<[file: string, text: string][]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
  return Promise.all(
    files.map(async (entry) => {
      const file = join(entry.parentPath, entry.name)
      const text = await readFile(file, 'latin1')
      const opened = text.match(/[\w+/]{20,}={0,2}/g) ?? []
      return [
        file,
        [text, ...opened.map((each) => Buffer.from(each, 'base64').toString('latin1'))].join('\n'),
      ]
    }),
  )
}

describe('outputs of a standing cluster', function () {
  this.timeout(300_000)
  before(function () {
    needInfluxd(this)
    needPrometheus(this)
  })

  it('are written by the broker: for consoles that have gone, and once for many', async () => {
    const [target, influxd, statsd] = await Promise.all([
      startHeldServer(50, 100),
      startInfluxd(),
      startStatsd(),
    ])
    const cluster = await StandingCluster.start({
      agents: ['a1', 'a2'],
      brokerArgs: ['-o', `statsd:127.0.0.1:${statsd.port}`],
      files: oneHit(target),
    })
    const output = ['-o', `influx:${influxd.url}/loads`]
    const gone = await cluster.run(['hit', ...load(2), ...output, '--detach', '--quiet'], { json: false })
    assert.equal(gone.exitCode, 0, gone.stderr)
    const detached = gone.stdout.trim()
    const wanted = { hits: 80, inSeconds: 80, starts: 1, stops: 1 }
    assert.deepEqual(await storedOf(influxd, detached), wanted)

    const console = await cluster.start(['hit', ...load(3), ...output])
    await target.sawRequests(90)
    const [running] = (await runsOf(cluster)).filter(({ state }) => state === 'running')
    const others = await Promise.all([1, 2].map(() => cluster.start(['--attach', running!.runId])))
    for (const other of others) await other.waitForLine(/2 agents/)
    target.release()
    const ends = await Promise.all([console, ...others].map(({ result }) => result))
    for (const { exitCode, summary, stderr } of ends) {
      assert.equal(exitCode, 0, stderr)
      assert.equal(summary!.hits.count, 120)
    }
    assert.deepEqual(await storedOf(influxd, running!.runId), { ...wanted, hits: 120, inSeconds: 120 })
    assert.equal(target.seen.length, 200)
    // What the broker itself was told of takes all runs, each once.
    assert.equal(await statsd.sumOf('loads.hits', 200), 200)
    assert.equal(await statsd.sumOf('loads.executions', 200), 200)
    assert.equal(statsd.counted('loads.hits'), 200)
  })

  it('are written to the end when the broker is told to stop', async () => {
    const [target, other, influxd] = await Promise.all([startHeldServer(50, 40), startSlow(), startInfluxd()])
    const cluster = await StandingCluster.start({
      agents: ['a1', 'a2'],
      brokerArgs: ['-o', `influx:${influxd.url}/loads`],
      files: twoHits(target, other),
    })
    const one = ['--agents', '1', '--users', '2', '--iterations']
    const [short, long] = await Promise.all([
      cluster.start(['hit', ...one, '60']),
      cluster.start(['other', ...one, '6000', '--max-orphan-time', '1s']),
    ])
    await Promise.all([target.sawRequests(40), other.sawRequests(60)])
    await influxd.pause()
    target.release()
    const { summary, exitCode, stderr } = await short.result
    assert.equal(exitCode, 0, stderr)
    await cluster.broker.waitForLine(/output influx does not work/)
    const going = (await runsOf(cluster)).find(({ state }) => state === 'running')!
    cluster.broker.kill('SIGTERM')
    await sleep(500)
    await influxd.resume()
    assert.equal((await cluster.broker.result).exitCode, 0, cluster.broker.stderr)
    assert.equal(summary!.hits.count, 120)
    const ended = await storedOf(influxd, summary!.runId)
    assert.deepEqual(ended, { hits: 120, inSeconds: 120, starts: 1, stops: 1 })
    // Of the one that went on as far as the broker has seen it.
    const [seen] = await influxd.query(
      `SELECT sum(hits) AS hits FROM loads_run WHERE span='1s' AND run='${going.runId}'`,
      { db: 'loads' },
    )
    assert.ok(Number(seen?.['hits']) >= 40, JSON.stringify(seen))
    assert.doesNotMatch(cluster.broker.stderr, /records? lost/)
    await long.result
  })

  it('that are files cannot be written for a console that goes', async () => {
    const target = await startSlow()
    const cluster = await StandingCluster.start({ agents: ['a1'], files: oneHit(target) })
    const gone = await cluster.run(['hit', '--detach', '-o', 'csv:f.csv'], { json: false })
    assert.equal(gone.exitCode, 2, gone.stdout)
    assert.match(gone.stderr, /csv:f\.csv.*--detach/)
    assert.equal(target.seen.length, 0)
    const files = await startCli(['--bind', '127.0.0.1:0', '--state-dir', 'state', '-o', 'csv:f.csv'], {
      binary: 'loads-broker',
    })
    assert.equal((await files.result).exitCode, 2)
    assert.match(files.stderr, /a broker writes to servers only/)
  })

  it('keep the password of an address to themselves', async () => {
    const secret = 'tell-nobody-1'
    const [target, influxd] = await Promise.all([startHeldServer(50, 60), startInfluxd({ auth: true })])
    await influxd.query(`CREATE USER boss WITH PASSWORD '${secret}' WITH ALL PRIVILEGES`)
    const http = `127.0.0.1:${await freePort()}`
    const cluster = await StandingCluster.start({
      agents: ['a1', 'a2'],
      agentArgs: ['--log-level', 'debug'],
      brokerArgs: ['--http', http, '--log-level', 'debug'],
      files: oneHit(target),
    })
    const output = ['-o', `influx:http://boss:${secret}@${influxd.host}/loads`]
    const dry = await cluster.run(['hit', ...load(2), ...output, '--dry-run'], { json: false })
    assert.equal(dry.exitCode, 0, dry.stderr)
    const console = await cluster.start(['hit', ...load(3), ...output, '--debug'])
    await target.sawRequests(40)
    const { runId } = (await runsOf(cluster))[0]!
    const pids = [cluster.broker.pid, ...[...cluster.agents.values()].map(({ pid }) => pid)]
    const processes = execFileSync('ps', ['eww', '-o', 'args=', '-p', pids.join()], { encoding: 'utf8' })
    assert.match(processes, /loads-broker/)
    const attached = await cluster.start(['--attach', runId, '--debug'])
    const live = new AbortController()
    const page = async (path: string) => {
      const response = await fetch(`http://${http}${path}`, { signal: live.signal })
      assert.equal(response.status, 200, path)
      return response
    }
    const early = await (await page('/api/runs')).text()
    const stream = await page(`/api/runs/${runId}/events`)
    let streamed = ''
    const reading = (async () => {
      for await (const part of stream.body!) streamed += Buffer.from(part as Uint8Array).toString()
    })().catch(() => {})
    await attached.waitForLine(/2 agents/)
    target.release()
    const [end, watched] = await Promise.all([console.result, attached.result])
    assert.equal(end.exitCode, 0, end.stdout + end.stderr)
    // It was of use, so it was known where it had to be.
    const stored = await storedOf(influxd, runId, { user: 'boss', password: secret })
    assert.deepEqual(stored, { hits: 120, inSeconds: 120, starts: 1, stops: 1 })
    const past = await Promise.all(
      ['/api/runs', `/api/runs/${runId}`, `/api/runs/${runId}/report`].map(async (path) =>
        (await page(path)).text(),
      ),
    )
    live.abort()
    await reading
    assert.match(streamed, /"hits"/)
    const files = await textsBelow(cluster.directory)
    const names = files.map(([file]) => file)
    assert.ok(
      names.some((file) => file.includes('/state/')) && names.some((file) => file.endsWith('run.json')),
    )
    for (const [where, text] of [
      ...files,
      ['ps', processes],
      ['the console', end.stdout + end.stderr],
      ['another console', watched.stdout + watched.stderr],
      ['the summary', JSON.stringify([end.summary, watched.summary])],
      ['the plan', dry.stdout + dry.stderr],
      ['the broker', cluster.broker.stdout + cluster.broker.stderr],
      ...[...cluster.agents].map(([name, agent]) => [name, agent.stdout + agent.stderr] as const),
      ['the list of runs', early + past.join()],
      ['the page', streamed],
    ] as const) {
      assert.ok(!text.includes(secret), `the password is in ${where}`)
    }
  })

  it('have one address to scrape, for runs at the same time and one after the other', async () => {
    const [target, other] = await Promise.all([startHeldServer(50, 40), startHeldServer(50, 40)])
    const scrape = `127.0.0.1:${await freePort()}`
    const [prometheus, cluster] = await Promise.all([
      startPrometheus({ scrape }),
      StandingCluster.start({
        agents: ['a1', 'a2'],
        brokerArgs: ['-o', `prometheus:${scrape}`],
        files: twoHits(target, other),
      }),
    ])
    const one = (seconds: number, name = 'hit') => [
      name,
      '--agents',
      '1',
      '--users',
      '2',
      '--iterations',
      String(20 * seconds),
    ]
    const both = await Promise.all([cluster.start(one(6)), cluster.start(one(4, 'other'))])
    // Two runs on one page.
    const page = await until('page of both runs', async () => {
      const text = await fetch(`http://${scrape}/metrics`).then(
        (response) => response.text(),
        () => '',
      )
      const runs = new Set(
        [...samplesOf(text)]
          .filter(({ name }) => name === 'loads_hits_total')
          .map(({ labels }) => labels['run']),
      )
      return runs.size === 2 ? text : null
    })
    assert.equal(page.match(/^# TYPE loads_hits_total /gm)?.length, 1)
    target.release()
    other.release()
    const ends = await Promise.all(both.map(({ result }) => result))
    ends.push(await cluster.run(one(2)))
    for (const [index, seconds] of [6, 4, 2].entries()) {
      const { exitCode, summary, stdout, stderr } = ends[index]!
      assert.equal(exitCode, 0, stdout + stderr)
      assert.equal(summary!.hits.count, 40 * seconds)
      const counted = await until(`last figures of ${summary!.runId}`, async () => {
        const [found] = await prometheus.query(
          `sum(max_over_time(loads_hits_total{run="${summary!.runId}"}[5m]))`,
        )
        return found?.value === 40 * seconds ? found.value : null
      })
      assert.equal(counted, 40 * seconds)
    }
    assert.doesNotMatch(cluster.broker.stderr, / (?:warning|error) /)
  })
})
