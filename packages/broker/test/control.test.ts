import assert from 'node:assert/strict'
import type { RunSpec } from '@loads-runner/protocol'
import { hitsPerUser, scenarioOf, specOf } from '@loads-runner/protocol/testing'
import type { ExternallyControlled } from '@loads-runner/testcase/load'
import type { FakeAgent } from './support/fake-agent.ts'
import { RefusedError, type FakeConsole, type SeenRun } from './support/fake-console.ts'
import { World } from './support/world.ts'

const controlled: ExternallyControlled = {
  type: 'externally-controlled',
  controls: 'rate',
  start: 10,
  durationMs: null,
  spacing: 'uniform',
  users: 20,
  maxLateMs: 1000,
}

describe('control of a run', () => {
  let world: World
  let console: FakeConsole
  beforeEach(async () => {
    world = await new World().open()
    console = await world.console()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  async function began(
    agents: FakeAgent[],
    changes: Partial<RunSpec> = {},
  ): Promise<{ run: SeenRun; runId: string }> {
    const profile = { scenarios: [scenarioOf({ stages: [controlled] })] }
    const run = await world.began(agents, { profile, ...changes })
    return { run, runId: agents[0]!.session().runId }
  }

  function control(
    runId: string,
    changes: { scenario?: string; target?: number; paused?: boolean },
  ): Promise<{ scenario: string; target: number; paused: boolean }> {
    return console.ask({ type: 'control', runId, scenario: null, target: null, paused: null, ...changes })
  }

  function refusal(code: string, text: RegExp): (error: Error) => true {
    return (error) => {
      assert.ok(error instanceof RefusedError)
      assert.equal(error.code, code)
      assert.equal(error.exitCode, 2)
      assert.match(error.message, text)
      return true
    }
  }

  it('tells every agent all changes so far, a little before they take effect, and everybody who watches', async () => {
    const agents = await world.agents(2)
    const { run, runId } = await began(agents)
    const startMs = world.clock.monotonic()
    await world.pass(1000)
    assert.deepEqual(await control(runId, { target: 25.5 }), {
      scenario: 'main',
      target: 25.5,
      paused: false,
    })
    await world.pass(1000)
    assert.deepEqual(await control(runId, { paused: true }), { scenario: 'main', target: 25.5, paused: true })
    await world.until('heard', () => agents.every((agent) => agent.session().changes.get(0)?.length === 2))
    const [one, two] = agents.map((agent) => agent.session().changes.get(0)!)
    assert.deepEqual(one, two)
    const [first, second] = one!
    assert.deepEqual([first!.target, first!.paused], [25.5, false])
    assert.deepEqual([second!.target, second!.paused], [25.5, true])
    // Load began a moment before we knew of it.
    assert.ok(first!.atMs >= 1300 && first!.atMs < 1500, `at ${first!.atMs} ms`)
    assert.ok(second!.atMs - first!.atMs >= 1000 && second!.atMs - first!.atMs < 1200)
    assert.ok(first!.atMs > world.clock.monotonic() - startMs - 2000)
    assert.deepEqual(
      run.ofType('control').map(({ scenario, target, paused, by }) => ({ scenario, target, paused, by })),
      [
        { scenario: 'main', target: 25.5, paused: false, by: 'ann' },
        { scenario: 'main', target: 25.5, paused: true, by: 'ann' },
      ],
    )
    const [event] = run.ofType('control')
    assert.ok(event!.elapsedMs >= 1000 && event!.elapsedMs < 1200)
  })

  it('answers what holds without a word to anybody when nothing changes', async () => {
    const [agent] = await world.agents(1)
    const { run, runId } = await began([agent!])
    assert.deepEqual(await control(runId, {}), { scenario: 'main', target: 10, paused: false })
    assert.deepEqual(await control(runId, { target: 10 }), { scenario: 'main', target: 10, paused: false })
    await world.settle()
    assert.deepEqual(run.ofType('control'), [])
    assert.ok(!agent!.types().includes('control'))
  })

  it('reaches an agent whose link was broken when it is back, whatever it had missed', async () => {
    const agents = (await world.agents(2)) as [FakeAgent, FakeAgent]
    const { runId } = await began(agents)
    const two = agents[1]
    await control(runId, { target: 20 })
    await world.until('heard', () => two.session().changes.get(0)?.length === 1)
    // The first change was lost with the link, for all that the broker knows.
    two.session().changes.clear()
    two.breakLink()
    await world.until('closed', () => two.closed)
    await control(runId, { target: 30 })
    await two.dial()
    await world.until('heard again', () => two.session().changes.get(0)?.length === 2)
    assert.deepEqual(two.session().changes.get(0), agents[0].session().changes.get(0))
  })

  it('is of the stage that is under way, and over with it', async () => {
    const agents = await world.agents(1)
    const stages = [{ ...controlled, durationMs: 1000 }, { ...controlled, start: 5 }, hitsPerUser(1, 1)]
    const { runId } = await began(agents, { profile: { scenarios: [scenarioOf({ stages })] } })
    const [agent] = agents as [FakeAgent]
    await control(runId, { target: 50 })
    await world.until('heard', () => agent.session().changes.has(0))
    agent.endStage(agent.session(), 0)
    await world.until('stage 1', () => agent.session().stage === 1)
    assert.deepEqual(await control(runId, {}), { scenario: 'main', target: 5, paused: false })
    await control(runId, { target: 6 })
    await world.until('heard', () => agent.session().changes.has(1))
    assert.equal(agent.session().changes.get(1)!.length, 1)
    agent.endStage(agent.session(), 1)
    await world.until('stage 2', () => agent.session().stage === 2)
    await assert.rejects(control(runId, { target: 7 }), refusal('NOT_CONTROLLED', /no scenario of run/))
  })

  it('is refused where there is nothing to control', async () => {
    await assert.rejects(control('never', { target: 1 }), refusal('UNKNOWN_RUN', /never/))
    const queued = await console.ask({ type: 'submit', spec: specOf({ agents: 2, waitForAgentsMs: 60_000 }) })
    await assert.rejects(
      control(queued.runId, { target: 1 }),
      refusal('NOT_RUNNING', /is queued; only a running one can be controlled/),
    )
    await console.ask({ type: 'stop', runId: queued.runId, mode: 'cancel', reason: 'operator' })

    const agents = await world.agents(1)
    const scenarios = [
      scenarioOf({ name: 'users', stages: [{ ...controlled, controls: 'users' }] }),
      scenarioOf({ name: 'rate', stages: [controlled] }),
      scenarioOf({ name: 'fixed', stages: [hitsPerUser(1, 1)] }),
    ]
    const { runId } = await began(agents, { profile: { scenarios } })
    await assert.rejects(control(runId, { target: 1 }), refusal('SEVERAL_SCENARIOS', /name one: users, rate/))
    await assert.rejects(control(runId, { scenario: 'fixed' }), refusal('NOT_CONTROLLED', /users, rate/))
    await assert.rejects(
      control(runId, { scenario: 'users', target: 21 }),
      refusal('BAD_TARGET', /21 users: the scenario has 20 users at most/),
    )
    assert.equal((await control(runId, { scenario: 'rate', target: 21 })).target, 21)
    await console.ask({ type: 'stop', runId, mode: 'drain', reason: 'operator' })
    await assert.rejects(control(runId, { scenario: 'rate', target: 1 }), refusal('NOT_RUNNING', /draining/))
  })

  it('does not change that only a stop ends a run without a duration', async () => {
    const [agent] = (await world.agents(1)) as [FakeAgent]
    const { run, runId } = await began([agent])
    agent.onStop = (session) => session.send(agent.connection, true)
    await control(runId, { target: 0 })
    await world.pass(120_000)
    assert.equal(run.state, 'running')
    await console.ask({ type: 'stop', runId, mode: 'drain', reason: 'operator' })
    const summary = await world.finished(run)
    assert.equal(summary.exitCode, 7)
  })
})
