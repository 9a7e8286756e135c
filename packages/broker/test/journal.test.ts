import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Aggregate, DeltaDecoder } from '@loads-runner/metrics'
import { readEventLog } from '@loads-runner/protocol'
import { specOf } from '@loads-runner/protocol/testing'
import { noJournal, openJournal } from '../src/journal.ts'
import { World } from './support/world.ts'

describe('journal', () => {
  let stateDir: string
  beforeEach(async () => {
    stateDir = await mkdtemp(path.join(tmpdir(), 'loads-journal-'))
  })
  afterEach(() => rm(stateDir, { recursive: true, force: true }))

  async function read(runId: string): Promise<Record<string, any>[]> {
    const records: Record<string, any>[] = []
    for await (const record of readEventLog(path.join(stateDir, 'runs', runId, 'journal')))
      records.push(record as any)
    return records
  }

  it('is none without a state directory', async () => {
    const journal = openJournal(null, 'r1', () => assert.fail())
    assert.equal(journal, noJournal)
    assert.equal(journal.active, false)
    await journal.write({ type: 'state' })
  })

  it('keeps records in order, readable by the owner only', async () => {
    const journal = openJournal(stateDir, 'r1', (reason) => assert.fail(reason))
    const writes = Array.from({ length: 50 }, (_, index) => journal.write({ index }))
    await Promise.all(writes)
    await journal.close()
    assert.deepEqual(
      (await read('r1')).map(({ index }) => index),
      Array.from({ length: 50 }, (_, index) => index),
    )
    const { mode } = await stat(path.join(stateDir, 'runs', 'r1'))
    assert.equal(mode & 0o077, 0)
  })

  it('says once that it cannot be written, and never rejects', async () => {
    const file = path.join(stateDir, 'runs')
    await writeFile(file, 'a file where a directory should be')
    const failures: string[] = []
    const journal = openJournal(stateDir, 'r1', (reason) => failures.push(reason))
    for (let index = 0; index < 5; index++) await journal.write({ index })
    await journal.close()
    assert.equal(failures.length, 1)
    assert.match(failures[0]!, /the journal .*journal cannot be written \(.*\); the run goes on/)
    assert.equal(journal.active, false)
  })

  it('holds everything that happened to a run: enough to rebuild it, and no secret', async () => {
    const world = await new World(stateDir).open()
    const agents = await world.agents(2)
    const console = await world.console()
    const spec = specOf({
      agents: 2,
      secrets: { KEY: 'hush-hush' },
      target: { ...specOf().target, key: 'hush-hush' },
    })
    const { runId } = await console.ask({ type: 'submit', spec })
    await world.until('finished', () => console.run(runId).summary !== null)
    const { aggregate } = console.run(runId)
    await world.until('released', () => agents.every((agent) => agent.types().includes('release')))
    await world.close()

    const records = await read(runId)
    const types = records.map(({ type }) => type)
    assert.equal(types[0], 'submitted')
    assert.equal(types.at(-1), 'finished')
    assert.ok(!JSON.stringify(records).includes('hush'))
    assert.deepEqual(
      records.flatMap((record) => (record.type === 'state' ? [record.state] : [])),
      ['preparing', 'ready', 'running', 'done'],
    )
    const members = records.find(({ type }) => type === 'members')!
    assert.deepEqual(
      members.members.map(({ id, share }: any) => [id, share.ranges[0].count]),
      [
        ['a1', 5],
        ['a2', 5],
      ],
    )

    const decoder = new DeltaDecoder()
    const totals = new Aggregate()
    const numbers: Record<string, number[]> = {}
    const progress: number[] = []
    for (const record of records) {
      if (record.type !== 'commit') continue
      totals.apply(decoder.decode(record.delta))
      for (const { agent, number } of record.windows) (numbers[agent] ??= []).push(number)
      for (const details of record.details) progress.push(...details.progress)
    }
    assert.deepEqual(numbers, { a1: [0, 1], a2: [0, 1] })
    assert.equal(totals.hits().count, 30)
    assert.deepEqual(totals.hits(), aggregate.hits())
    assert.equal(progress.length, 20)
  })

  it('is a recording of the run: every event that somebody saw who was there from the start', async () => {
    const world = await new World(stateDir).open()
    const agents = await world.agents(2)
    const run = await world.began(agents)
    const { runId } = agents[0]!.session()
    const console = await world.console()
    for (const agent of agents) {
      agent.session().execute(agent.session().share.ranges[0]!.first, 0, 3)
      agent.session().send(agent.connection)
      agent.say({ type: 'annotate', runId, annotation: { type: 'note', text: agent.id, tags: {} } })
      agent.say({ type: 'log', runId, level: 'info', text: `I am ${agent.id}` })
    }
    const annotation = { type: 'observation', values: { cpu: 0.5 } } as const
    await console.ask({ type: 'annotate', runId, annotation })
    await world.pass(300)
    await agents[1]!.leave()
    await world.pass(300)
    agents[0]!.onStop = (session) => session.send(agents[0]!.connection, true)
    await console.ask({ type: 'stop', runId, mode: 'drain', reason: 'operator' })
    await world.finished(run)
    await world.close()

    const [submitted, ...records] = await read(runId)
    assert.deepEqual([submitted!.type, submitted!.runId], ['submitted', runId])
    assert.deepEqual(submitted!.spec, run.snapshot.spec)
    const ofJournal = new Set(['members', 'moved'])
    const kept = records.filter(({ type }) => !ofJournal.has(type))
    for (const record of kept) delete record['details']
    const seen = run.events.filter(({ type }) => type !== 'snapshot')
    // A commit is told when it is on disk; what was said meanwhile has been heard already.
    for (const isCommit of [true, false]) {
      assert.deepEqual(
        kept.filter(({ type }) => (type === 'commit') === isCommit),
        seen.filter(({ type }) => (type === 'commit') === isCommit),
      )
    }
    const types = new Set(seen.map(({ type }) => type))
    for (const type of ['state', 'agent', 'commit', 'log', 'note', 'observation', 'finished'] as const)
      assert.ok(types.has(type), type)
    assert.deepEqual(records.at(-1), run.events.at(-1))
  })

  it('acknowledges a window only once it is in the journal', async () => {
    const world = await new World(stateDir).open()
    const [agent] = await world.agents(1)
    agent!.onStage = () => {}
    const console = await world.console()
    const { runId } = await console.ask({ type: 'submit', spec: specOf() })
    await world.until('running', () => agent!.sessions.get(runId)?.stage === 0)
    agent!.session().execute(0, 0, 3)
    agent!.session().send(agent!.connection)
    await world.until('acknowledged', () => agent!.session().acked === 0)
    const commits = (await read(runId)).filter(({ type }) => type === 'commit')
    assert.equal(commits.length, 1)
    await world.close()
  })

  it('that fails does not stop the run, and watchers are told', async () => {
    await writeFile(path.join(stateDir, 'runs'), '')
    const world = await new World(stateDir).open()
    await world.agents(1)
    const console = await world.console()
    const { runId } = await console.ask({ type: 'submit', spec: specOf() })
    await world.until('finished', () => console.run(runId).summary !== null)
    assert.equal(console.run(runId).summary!.exitCode, 0)
    assert.match(console.run(runId).logs().join(), /cannot be written/)
    await world.close()
  })
})
