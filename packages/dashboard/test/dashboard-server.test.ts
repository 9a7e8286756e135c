import assert from 'node:assert/strict'
import type { Comparison } from '@loads-runner/history'
import type { RunEvent } from '@loads-runner/protocol'
import { DashboardServer, type DashboardOptions } from '../src/dashboard-server.ts'
import { DashboardError } from '../src/errors.ts'
import type { RunListRow, RunModel } from '../src/model.ts'
import type { PastRuns } from '../src/run-source.ts'
import { ask, EventStream, post } from './support/http-client.ts'
import { runRow, ScriptedSource } from './support/scripted-source.ts'
import { ScriptedRun } from './support/scripted-run.ts'

const token = 'a-token-of-the-tests-0123456789'

class ScriptedPast implements PastRuns {
  readonly runs = new Map<string, { row: RunListRow; events: RunEvent[] }>()
  reads = 0

  async list(): Promise<RunListRow[]> {
    return [...this.runs.values()].map(({ row }) => row)
  }

  async events(runId: string): Promise<AsyncIterable<RunEvent> | null> {
    const run = this.runs.get(runId)
    if (run === undefined) return null
    this.reads++
    return (async function* () {
      yield* run.events
    })()
  }

  async compare(before: string, after: string): Promise<Comparison | null> {
    return this.runs.has(before) && this.runs.has(after)
      ? ({ all: { change: 'slower' } } as Comparison)
      : null
  }
}

function pastRow(runId: string, submittedAt: number): RunListRow {
  const { agents, ...row } = runRow(runId, {
    submittedAt,
    state: 'done',
    endedAt: submittedAt + 1,
    verdict: 'passed',
  })
  return { ...row, agents: agents.length, hits: 7, p95: 12, errorRate: 0 }
}

describe('DashboardServer', () => {
  let source: ScriptedSource
  let past: ScriptedPast
  const open: DashboardServer[] = []
  const streams: EventStream[] = []

  beforeEach(() => {
    source = new ScriptedSource()
    past = new ScriptedPast()
  })

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close()
    await Promise.all(open.splice(0).map((server) => server.close()))
  })

  async function start(changes: Partial<DashboardOptions> = {}): Promise<DashboardServer> {
    const server = await DashboardServer.start({
      host: '127.0.0.1',
      port: 0,
      source,
      past,
      token,
      hostNames: [],
      version: '1.2.3',
      ...changes,
    })
    open.push(server)
    return server
  }

  async function stream(server: DashboardServer, path: string): Promise<EventStream> {
    const opened = await EventStream.open(server, path)
    streams.push(opened)
    return opened
  }

  function play(run: ScriptedRun, seconds: number): void {
    source.say(run.runId, ...run.begin())
    source.see(runRow(run.runId))
    for (let second = 0; second < seconds; second++) source.say(run.runId, run.second())
  }

  it('serves one page that may run its own script only', async () => {
    const server = await start()
    const { status, headers, text } = await ask(server, '/')
    assert.equal(status, 200)
    assert.match(headers['content-type']!, /^text\/html/)
    const policy = headers['content-security-policy'] as string
    assert.match(
      policy,
      /default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'/,
    )
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(text.match(/<script/g)?.length, 1)
    assert.doesNotMatch(text, /<(script|link)[^>]+(src|href)="(?!data:)/)
  })

  it('lists runs of the broker and past ones, newest first, each once', async () => {
    source.see(runRow('live', { submittedAt: 50 }))
    source.see(runRow('both', { submittedAt: 30, state: 'done', endedAt: 31 }))
    for (const [runId, at] of [
      ['both', 30],
      ['old', 10],
      ['newer', 40],
    ] as const)
      past.runs.set(runId, { row: pastRow(runId, at), events: [] })
    const server = await start()
    const rows = (await ask(server, '/api/runs')).json() as RunListRow[]
    assert.deepEqual(
      rows.map(({ runId, p95 }) => [runId, p95]),
      [
        ['live', null],
        ['newer', 12],
        ['both', 12],
        ['old', 12],
      ],
    )
  })

  it('follows a run from its start, so that who comes later sees all of it', async () => {
    const server = await start()
    const run = new ScriptedRun()
    play(run, 20)
    const { status, headers, json } = await ask(server, '/api/runs/run-1')
    assert.equal(status, 200)
    assert.equal(headers['cache-control'], 'no-store')
    const model = json() as RunModel
    assert.equal(model.head.runId, 'run-1')
    assert.ok(model.points.fromMs.length >= 17)
    assert.equal(model.points.fromMs[0], 0)
    assert.deepEqual(model.totals.serviceTime, JSON.parse(JSON.stringify(run.summary().serviceTime)))
  })

  it('streams a model and then what changes, to everybody the same', async () => {
    const server = await start()
    const run = new ScriptedRun()
    play(run, 5)
    const one = await stream(server, '/api/runs/run-1/events')
    await one.until(({ events }) => events.length > 0)
    assert.equal(one.events[0]?.event, 'model')
    for (let second = 0; second < 4; second++) source.say('run-1', run.second())
    await one.until(({ events }) => events.length > 1)
    const other = await stream(server, '/api/runs/run-1/events')
    for (let second = 0; second < 4; second++) source.say('run-1', run.second())
    source.say('run-1', run.finished())
    const isOver = ({ events }: EventStream) =>
      events.some(({ data }) => data.summary !== undefined && data.summary !== null)
    await Promise.all([one.until(isOver), other.until(isOver)])
    const fresh = (await ask(server, '/api/runs/run-1')).json() as RunModel
    assert.deepEqual(one.model(), fresh)
    assert.deepEqual(other.model(), fresh)
    assert.deepEqual(fresh.totals.serviceTime, JSON.parse(JSON.stringify(run.summary().serviceTime)))
    // Numbers grow by one: a page sees when it has missed something.
    for (const { events } of [one, other])
      assert.deepEqual(
        events.map(({ id }) => id - events[0]!.id),
        events.map((_, place) => place),
      )
    assert.equal(one.events.at(-1)!.id, other.events.at(-1)!.id)
  })

  it('streams the list of runs', async () => {
    source.see(runRow('first'))
    const server = await start()
    const list = await stream(server, '/api/events')
    await list.until(({ events }) => events.length >= 1)
    assert.equal(list.events[0]?.event, 'runs')
    assert.deepEqual(
      list.events[0]?.data.map(({ runId }: RunListRow) => runId),
      ['first'],
    )
    source.see(runRow('second', { state: 'queued' }))
    await list.until(({ events }) => events.length >= 2)
    assert.equal(list.events[1]?.event, 'run')
    assert.equal(list.events[1]?.data.runId, 'second')
    assert.equal(list.events[1]?.data.state, 'queued')
  })

  it('tells the figures of a run at its end, and the hits so far while it goes on', async () => {
    const server = await start()
    const run = new ScriptedRun()
    const list = await stream(server, '/api/events')
    await list.until(({ events }) => events.length >= 1)
    play(run, 5)
    const [row] = (await ask(server, '/api/runs')).json() as RunListRow[]
    assert.equal(row?.hits, run.summary().hits.count)
    assert.equal(row?.p95, null)
    source.see(runRow('run-1', { state: 'done', endedAt: 9_000, verdict: 'passed' }))
    source.say('run-1', run.finished())
    await list.until(({ events }) => events.at(-1)?.data.p95 > 0)
    const { hits, serviceTime } = run.summary()
    const last = list.events.at(-1)!.data as RunListRow
    assert.deepEqual(
      [last.state, last.verdict, last.hits, last.p95, last.errorRate],
      ['done', 'passed', hits.count, serviceTime.p95, hits.failed / hits.count],
    )
  })

  it('shows past runs when the broker is gone, and the broker when past runs cannot be read', async () => {
    const said: string[] = []
    past.runs.set('old', { row: pastRow('old', 1), events: [...new ScriptedRun({ runId: 'old' }).events(3)] })
    source.runs = () => Promise.reject(new Error('no broker'))
    const server = await start({ log: (text) => said.push(text) })
    const rows = (await ask(server, '/api/runs')).json() as RunListRow[]
    assert.deepEqual(
      rows.map(({ runId }) => runId),
      ['old'],
    )
    assert.equal((await ask(server, '/api/runs/old')).status, 200)
    assert.match(said[0]!, /no broker/)
    past.list = () => Promise.reject(new Error('disk gone'))
    source.runs = async () => [runRow('live')]
    assert.equal(((await ask(server, '/api/runs')).json() as RunListRow[])[0]?.runId, 'live')
    assert.match(said.at(-1)!, /disk gone/)
  })

  it('makes reports of past runs second by second', async () => {
    const run = new ScriptedRun({ runId: 'old', series: 1 })
    past.runs.set('old', { row: pastRow('old', 1), events: [...run.events(900)] })
    const server = await start()
    const page = (await ask(server, '/api/runs/old')).json() as RunModel
    assert.ok(page.points.fromMs.length < 800)
    const { text } = await ask(server, '/api/runs/old/report')
    const [, json = ''] = /<script type="application\/json" id="model">([^<]*)</.exec(text) ?? []
    assert.equal((JSON.parse(json) as RunModel).points.fromMs.length, 900)
    assert.equal((await ask(server, '/api/runs/nobody/report')).status, 404)
  })

  it('reads past runs from their events when somebody asks, and keeps them at hand', async () => {
    const run = new ScriptedRun({ runId: 'old' })
    past.runs.set('old', { row: pastRow('old', 1), events: [...run.events(15)] })
    const server = await start()
    assert.equal(past.reads, 0)
    const model = (await ask(server, '/api/runs/old')).json() as RunModel
    assert.equal(model.points.fromMs.length, 15)
    assert.deepEqual(model.summary, JSON.parse(JSON.stringify(run.summary())))
    const events = await stream(server, '/api/runs/old/events')
    await events.until(({ events: [first] }) => first !== undefined)
    assert.deepEqual(events.model(), model)
    assert.equal(past.reads, 1)
  })

  it('gives the report of a run to keep', async () => {
    const server = await start()
    play(new ScriptedRun({ runId: 'run-1', names: ['</script><script>alert(1)</script>'] }), 3)
    const { status, headers, text } = await ask(server, '/api/runs/run-1/report')
    assert.equal(status, 200)
    assert.equal(headers['content-disposition'], 'attachment; filename="loads-run-1.html"')
    assert.match(text, /^<!doctype html>/)
    assert.ok(!text.includes('<script>alert'))
  })

  it('passes on what is asked of a run', async () => {
    source.see(runRow('run-1'))
    const server = await start()
    assert.deepEqual((await post(server, '/api/runs/run-1/stop', token, {})).json(), {})
    assert.equal((await post(server, '/api/runs/run-1/stop', token, { mode: 'kill' })).status, 200)
    const answer = await post(server, '/api/runs/run-1/control', token, { target: 20 })
    assert.deepEqual(answer.json(), { scenario: 'main', target: 20, paused: false })
    await post(server, '/api/runs/a%2Fb%20c/annotate', token, { text: 'deploy', tags: { version: '2' } })
    await post(server, '/api/runs/run-1/annotate', token, { type: 'fault', id: 'f', state: 'begins' })
    assert.deepEqual(source.asked, [
      ['stop', 'run-1', 'drain'],
      ['stop', 'run-1', 'kill'],
      ['control', 'run-1', { scenario: null, target: 20, paused: null }],
      ['annotate', 'a/b c', { type: 'note', text: 'deploy', tags: { version: '2' } }],
      ['annotate', 'run-1', { type: 'fault', id: 'f', name: 'f', state: 'begins', detail: '' }],
    ])
    source.refusal = Object.assign(new Error('run-1 is over'), { code: 'RUN_OVER' })
    const refused = await post(server, '/api/runs/run-1/stop', token, {})
    assert.equal(refused.status, 409)
    assert.deepEqual(refused.json(), { code: 'RUN_OVER', message: 'run-1 is over' })
  })

  it('keeps the last 20 runs in memory, and lets go of the rest', async () => {
    const server = await start()
    for (let index = 0; index < 30; index++) {
      const run = new ScriptedRun({ runId: `run-${index}`, series: 1 })
      play(run, 1)
      source.say(run.runId, run.finished())
    }
    // Followers are registered in a later turn.
    await ask(server, '/api/runs')
    assert.equal(source.following.length, 20)
    assert.ok(source.following.includes('run-29') && !source.following.includes('run-3'))
    assert.equal((await ask(server, '/api/runs/run-3')).status, 200)
    assert.equal(source.following.length, 20)
  })

  it('shows what it knows of a run whose figures are garbage from some point on', async () => {
    const said: string[] = []
    const server = await start({ log: (text) => said.push(text) })
    const run = new ScriptedRun()
    play(run, 5)
    source.say('run-1', { ...run.second(), delta: Uint8Array.of(9, 9, 9) })
    source.say('run-1', run.second())
    assert.equal((await ask(server, '/api/runs/run-1')).status, 200)
    assert.equal(said.length, 1)
    assert.match(said[0]!, /run-1 cannot be shown any further: not a metrics delta/)
  })

  it('goes on with a run when its source is back', async () => {
    const server = await start()
    const run = new ScriptedRun()
    play(run, 10)
    const events = await stream(server, '/api/runs/run-1/events')
    await events.until(({ events: [first] }) => first !== undefined)
    source.lose('run-1')
    for (let second = 0; second < 10; second++) run.second()
    source.events.set('run-1', [run.snapshotNow()])
    source.see(runRow('run-1'))
    for (let second = 0; second < 3; second++) source.say('run-1', run.second())
    source.say('run-1', run.finished())
    await events.until(({ events: all }) => all.some(({ data }) => data.summary))
    const model = events.model()
    assert.deepEqual(model.totals.serviceTime, JSON.parse(JSON.stringify(run.summary().serviceTime)))
    assert.equal(model.points.fromMs[0], 0)
    assert.deepEqual(model.points.fromMs.slice(-3), [20_000, 21_000, 22_000])
    assert.ok(!model.points.fromMs.includes(15_000))
  })

  it('says what to do when the port is in use', async () => {
    const { port } = await start()
    await assert.rejects(start({ port }), (error: unknown) => {
      assert.ok(error instanceof DashboardError)
      assert.equal(error.code, 'DASHBOARD_PORT')
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use: give another one`))
      return true
    })
    await assert.rejects(start({ host: '203.0.113.7' }), { code: 'DASHBOARD_PORT' })
    assert.equal(source.watchers, 1)
  })

  it('lets go of everything when it is closed', async () => {
    const server = await start()
    play(new ScriptedRun(), 3)
    const events = await stream(server, '/api/runs/run-1/events')
    await events.until(({ events: [first] }) => first !== undefined)
    await server.close()
    await events.untilClosed()
    assert.deepEqual(source.following, [])
    assert.equal(source.watchers, 0)
    await assert.rejects(ask(server, '/'), { code: 'ECONNREFUSED' })
  })

  it('compares two runs that are stored', async () => {
    for (const runId of ['one', 'two']) past.runs.set(runId, { row: pastRow(runId, 1), events: [] })
    const server = await start()
    const compared = await ask(server, '/api/compare?before=one&after=two')
    assert.deepEqual([compared.status, compared.json()], [200, { all: { change: 'slower' } }])
    assert.equal((await ask(server, '/api/compare?before=one')).status, 400)
    assert.equal((await ask(server, '/api/compare?before=one&after=three')).status, 404)
  })
})
