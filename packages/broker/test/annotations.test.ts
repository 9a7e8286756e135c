import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readEventLog, type Annotation, type RunEvent } from '@loads-runner/protocol'
import { specOf } from '@loads-runner/protocol/testing'
import type { FakeAgent } from './support/fake-agent.ts'
import { RefusedError, type FakeConsole, type SeenRun } from './support/fake-console.ts'
import { World } from './support/world.ts'

const note = (text: string, tags: Record<string, string> = {}): Annotation => ({ type: 'note', text, tags })
const fault = (id: string, state: 'begins' | 'ends'): Annotation => ({
  type: 'fault',
  id,
  name: 'kill a node',
  state,
  detail: 'SIGKILL to db-2',
})
const observation = (values: Record<string, number>): Annotation => ({ type: 'observation', values })

describe('annotations of a run', () => {
  let world: World
  let console: FakeConsole
  let agents: FakeAgent[]
  let run: SeenRun
  let runId: string

  beforeEach(async () => {
    world = await new World().open()
    console = await world.console()
    agents = await world.agents(2)
    run = await world.began(agents)
    runId = agents[0]!.session().runId
    await console.ask({ type: 'subscribe', runId })
    run = console.run(runId)
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  const say = (agent: number, annotation: Annotation) =>
    agents[agent]!.say({ type: 'annotate', runId, annotation })
  const annotate = (annotation: Annotation, by = console) => by.ask({ type: 'annotate', runId, annotation })
  const texts = () => run.ofType('note').map(({ text }) => text)

  function refusal(code: string, text: RegExp): (error: Error) => true {
    return (error) => {
      assert.ok(error instanceof RefusedError, error.stack)
      assert.equal(error.code, code)
      assert.match(error.message, text)
      return true
    }
  }

  it('reach everybody who watches with their time and who made them, whoever that was', async () => {
    await world.pass(2000)
    const startedAt = run.snapshot.startedAt!
    say(1, note('cache emptied', { node: 'db-2' }))
    await annotate(fault('f1', 'begins'))
    await annotate(observation({ cpu: 0.5, missing: NaN }))
    await world.settle()
    const seen = run.events.filter((event) =>
      ['note', 'fault', 'observation'].includes(event.type),
    ) as Extract<RunEvent, { type: 'note' | 'fault' | 'observation' }>[]
    const expected = [
      { type: 'note', text: 'cache emptied', tags: { node: 'db-2' }, source: 'a2' },
      { ...fault('f1', 'begins'), source: 'ann' },
      { type: 'observation', values: { cpu: 0.5 }, source: 'ann' },
    ]
    assert.deepEqual(
      seen,
      expected.map((each, index) => ({ ...each, at: seen[index]!.at, elapsedMs: seen[index]!.elapsedMs })),
    )
    for (const { at, elapsedMs } of seen) {
      assert.ok(elapsedMs >= 2000 && elapsedMs < 3000, `${elapsedMs}`)
      assert.equal(at, startedAt + elapsedMs)
    }
  })

  it('that are notes and faults are in the snapshot of who comes later, the latest 1,000', async () => {
    await annotate(fault('open', 'begins'))
    for (let index = 0; index < 1000; index++) {
      await annotate(note(`note ${index}`))
      if (index % 50 === 49) await world.pass(1000)
    }
    await annotate(observation({ cpu: 1 }))
    const late = await world.console()
    await late.ask({ type: 'subscribe', runId })
    await world.settle()
    const { annotations } = late.run(runId).snapshot
    assert.equal(annotations.length, 1000)
    assert.deepEqual(
      [annotations[0], annotations.at(-1)].map((each) => each?.type === 'note' && each.text),
      ['note 0', 'note 999'],
    )
  })

  it('before the load begins are at its beginning', async () => {
    const early = await world.console()
    const { runId: second } = await early.ask({
      type: 'submit',
      spec: specOf({ agents: 2, waitForAgentsMs: 60_000 }),
    })
    await early.ask({ type: 'annotate', runId: second, annotation: note('waits') })
    await world.settle()
    assert.equal(early.run(second).state, 'queued')
    assert.deepEqual(
      early
        .run(second)
        .ofType('note')
        .map(({ elapsedMs, text }) => [elapsedMs, text]),
      [[0, 'waits']],
    )
  })

  it('of the console that runs setUpRun are of the conductor', async () => {
    for (const agent of agents) agent.onStage = () => {}
    const conductor = await world.console('tarek')
    await world.agent('b1').dial()
    const { runId: second } = await conductor.ask({ type: 'submit', spec: specOf({ conducted: true }) })
    await conductor.ask({ type: 'annotate', runId: second, annotation: note('filled') })
    await console.ask({ type: 'annotate', runId: second, annotation: note('seen') })
    await world.settle()
    assert.deepEqual(
      conductor
        .run(second)
        .ofType('note')
        .map(({ source, text }) => [source, text]),
      [
        ['conductor', 'filled'],
        ['ann', 'seen'],
      ],
    )
  })

  it('of agents cannot flood: 20 notes and faults a second over all of them, the rest is counted and said once', async () => {
    for (let index = 0; index < 500; index++) {
      say(0, note(`a ${index}`))
      say(1, fault(`b ${index}`, 'begins'))
    }
    await world.settle()
    assert.equal(run.ofType('note').length + run.ofType('fault').length, 20)
    await world.pass(3000)
    const said = run.logs().filter((text) => /left out/.test(text))
    assert.deepEqual(said, [
      '980 annotations of agents were left out: 20 notes and faults and 100 observations per second, of 500 values ' +
        'each, are the most',
    ])
    say(0, note('later'))
    await world.settle()
    assert.equal(texts().at(-1), 'later')
  })

  it('of agents that flood at the very end are counted, too', async () => {
    for (let index = 0; index < 30; index++) say(0, note(`a ${index}`))
    for (const agent of agents) {
      agent.onFinish = (session) => session.send(agent.connection, true)
      agent.endStage(agent.session(), 0)
    }
    await world.until('finished', () => run.summary !== null)
    assert.match(run.logs().join(), /^.*10 annotations of agents were left out/)
  })

  it('are 100 observations per second at most, of 500 values each', async () => {
    const many = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`v${index}`, index]))
    await assert.rejects(
      annotate(observation(many)),
      refusal('TOO_MANY_VALUES', /has 500 values at most, this one 501; choose/),
    )
    const { v500: _, ...enough } = many
    await annotate(observation(enough))
    for (let index = 0; index < 150; index++) say(0, observation({ index }))
    await world.settle()
    assert.equal(run.ofType('observation').length, 100)
    await assert.rejects(
      annotate(observation({ one: 1 })),
      refusal('TOO_MANY_ANNOTATIONS', /takes 100 observations per second at most/),
    )
    await world.pass(1500)
    await annotate(observation({ one: 1 }))
    await world.settle()
    assert.equal(run.ofType('observation').length, 101)
    assert.match(run.logs().join(), /51 annotations of agents were left out/)
  })

  it('of an operator that are too many, or no annotations, are refused, and cost it nothing else', async () => {
    const wrong: [unknown, RegExp][] = [
      [note('x'.repeat(2001)), /^the annotation cannot be taken: text: /],
      [note('x', { name: 'y'.repeat(201) }), /tags/],
      [{ type: 'note', text: 'x' }, /tags: /],
      [{ type: 'fault', id: 'x', name: 'x', state: 'breaks', detail: '' }, /state: /],
      [{ type: 'observation', values: { a: 'high' } }, /values\.a: a number is needed/],
      [{ type: 'song' }, /type: /],
    ]
    for (const [annotation, text] of wrong)
      await assert.rejects(annotate(annotation as Annotation), refusal('BAD_ANNOTATION', text))
    await assert.rejects(
      console.ask({ type: 'annotate', runId: 'r0', annotation: note('x') }),
      refusal('UNKNOWN_RUN', /no run r0/),
    )
    const all = Array.from({ length: 101 }, (_, index) => annotate(note(`note ${index}`)))
    const results = await Promise.allSettled(all)
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 1)
    await assert.rejects(all.at(-1)!, refusal('TOO_MANY_ANNOTATIONS', /100 notes and faults per second/))
    await world.settle()
    assert.equal(texts().length, 100)
  })

  it('are refused once the run has ended', async () => {
    await console.ask({ type: 'stop', runId, mode: 'kill', reason: 'operator' })
    await world.until('ended', () => run.summary !== null)
    await assert.rejects(annotate(note('late')), refusal('RUN_ENDED', /has ended/))
    say(0, note('late'))
    await world.settle()
    assert.deepEqual(texts(), [])
  })

  it('are in the journal', async () => {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'loads-annotations-'))
    const other = await new World(stateDir).open()
    try {
      const [agent] = await other.agents(1)
      await other.began([agent!])
      const { runId: id } = agent!.session()
      agent!.say({ type: 'annotate', runId: id, annotation: note('here') })
      const { connection } = await other.console()
      connection.send({ type: 'annotate', requestId: 1, runId: id, annotation: observation({ cpu: 1 }) })
      await other.settle()
      await other.close()
      const types: string[] = []
      for await (const record of readEventLog(path.join(stateDir, 'runs', id, 'journal'))) {
        const { type, text, values } = record as Record<string, unknown>
        if (type === 'note' || type === 'observation') types.push(JSON.stringify([type, text ?? values]))
      }
      assert.deepEqual(types, ['["note","here"]', '["observation",{"cpu":1}]'])
    } finally {
      await other.close()
      await rm(stateDir, { recursive: true, force: true })
    }
  })
})
