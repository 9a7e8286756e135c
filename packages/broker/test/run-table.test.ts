import assert from 'node:assert/strict'
import { hitsPerUser, profileOf, scenarioOf, specOf } from '@loads-runner/protocol/testing'
import type { Scenario } from '@loads-runner/testcase/load'
import { RefusedError, type FakeConsole } from './support/fake-console.ts'
import { World } from './support/world.ts'

describe('run table', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  function refusal(code: string, exitCode: number, pattern: RegExp): (error: Error) => boolean {
    return (error) => {
      assert.ok(error instanceof RefusedError, error.stack)
      assert.equal(error.code, code)
      assert.equal(error.exitCode, exitCode)
      assert.match(error.message, pattern)
      return true
    }
  }

  describe('refuses', () => {
    it('a run for which too few agents are registered, and says which are', async () => {
      await world.agents(3)
      const console = await world.console()
      await assert.rejects(
        console.ask({ type: 'submit', spec: specOf({ agents: 5 }) }),
        refusal('NOT_ENOUGH_AGENTS', 4, /^asked for 5 agents, 3 are registered \(a1, a2, a3\); start more/),
      )
      const { runs } = await console.ask({ type: 'list-runs' })
      assert.deepEqual(runs, [])
    })

    it('a run without tests, unless an external runner brings them', async () => {
      const [agent] = await world.agents(1)
      const console = await world.console()
      const never = scenarioOf({ name: 'never', tests: [{ label: 'TestWebSite.test_es', weight: 0 }] })
      for (const changes of [{ tests: [] }, { profile: { scenarios: [scenarioOf(), never] } }]) {
        await assert.rejects(
          console.ask({ type: 'submit', spec: specOf(changes) }),
          refusal('NO_TESTS', 2, /nothing to run: scenario (main|never) has no test of a weight above 0/),
        )
      }
      const { runId } = await console.ask({
        type: 'submit',
        spec: specOf({ tests: [], testRunner: './run.sh' }),
      })
      await world.until('finished', () => console.run(runId).summary !== null)
      assert.equal(agent!.session().spec.testRunner, './run.sh')
    })

    it('scenarios of one name, and tests that are not in the run', async () => {
      const console = await world.console()
      const submit = (...scenarios: Scenario[]) =>
        console.ask({ type: 'submit', spec: specOf({ profile: { scenarios } }) })
      await assert.rejects(
        submit(scenarioOf({ name: 'buy' }), scenarioOf({ name: 'buy' })),
        refusal('BAD_SCENARIOS', 2, /two scenarios have the name buy/),
      )
      await assert.rejects(
        submit(scenarioOf({ tests: [{ label: 'T.test_x', weight: 1 }] })),
        refusal('BAD_SCENARIOS', 2, /scenario main has the test T\.test_x, which the run has not/),
      )
    })

    it('a bundle that is not in store, and more users than it has room for', async () => {
      await world.agents(1)
      const console = await world.console()
      const bundle = 'ab'.repeat(32)
      await assert.rejects(
        console.ask({ type: 'submit', spec: specOf({ bundle }) }),
        refusal('UNKNOWN_BUNDLE', 2, /abab is not in store; send it first/),
      )
      const stage = hitsPerUser(9_000_000, 1)
      const profile = profileOf(stage, stage)
      await assert.rejects(
        console.ask({ type: 'submit', spec: specOf({ profile }) }),
        refusal('TOO_MANY_USERS', 2, /10000000/),
      )
    })

    it('to guess which run is meant, and lists them', async () => {
      const console = await world.console()
      const subscribe = { type: 'subscribe', runId: null } as const
      await assert.rejects(console.ask(subscribe), refusal('NO_ACTIVE_RUN', 2, /^no run is active$/))
      const spec = specOf({ agents: 2, waitForAgentsMs: 60_000 })
      const one = await console.ask({ type: 'submit', spec })
      const watcher = await world.console()
      assert.deepEqual(await watcher.ask(subscribe), one)
      const two = await console.ask({ type: 'submit', spec })
      await assert.rejects(
        watcher.ask(subscribe),
        refusal(
          'SEVERAL_RUNS',
          2,
          new RegExp(`${one.runId} \\(queued: example.TestWebSite.test_es\\), ${two.runId}`),
        ),
      )
      await assert.rejects(
        watcher.ask({ type: 'subscribe', runId: 'nonsense' }),
        refusal(
          'UNKNOWN_RUN',
          2,
          new RegExp(`there is no run nonsense; the latest are ${one.runId}, ${two.runId}`),
        ),
      )
      assert.deepEqual(await console.ask({ type: 'purge' }), { stopped: [one.runId, two.runId] })
      await assert.rejects(
        watcher.ask(subscribe),
        refusal('NO_ACTIVE_RUN', 2, new RegExp(`the last ones were ${one.runId}`)),
      )
    })
  })

  describe('queues', () => {
    it('a run until enough agents are registered', async () => {
      await world.agents(1)
      const console = await world.console()
      const { runId } = await console.ask({
        type: 'submit',
        spec: specOf({ agents: 2, waitForAgentsMs: 10_000 }),
      })
      const run = console.run(runId)
      await world.pass(5000)
      assert.deepEqual(run.states, ['queued'])
      assert.deepEqual(
        run.ofType('state').map(({ note }) => note),
        ['waiting for 2 agents: 1 registered'],
      )
      await world.agent('late').dial()
      await world.until('finished', () => run.summary !== null)
      assert.equal(run.summary!.exitCode, 0)
      assert.deepEqual(
        run.summary!.agents.map(({ id }) => id),
        ['a1', 'late'],
      )
    })

    it('a run for as long as it may wait, and then says what was missing', async () => {
      await world.agents(1)
      const console = await world.console()
      const { runId } = await console.ask({
        type: 'submit',
        spec: specOf({ agents: 2, waitForAgentsMs: 10_000 }),
      })
      const startMs = world.clock.monotonic()
      const run = console.run(runId)
      await world.until('finished', () => run.summary !== null)
      const tookMs = world.clock.monotonic() - startMs
      assert.ok(tookMs >= 9_900 && tookMs < 11_000, `${tookMs} ms`)
      assert.equal(run.state, 'failed')
      assert.equal(run.summary!.exitCode, 4)
      assert.match(run.summary!.reasons.join(), /asked for 2 agents, 1 is registered \(a1\)/)
    })

    it('runs behind busy agents, in order, and a large one is not overtaken for ever', async () => {
      const agents = await world.agents(2)
      for (const agent of agents) agent.onStage = () => {}
      const console = await world.console()
      const submit = async (count: number) =>
        (await console.ask({ type: 'submit', spec: specOf({ agents: count }) })).runId
      const first = await submit(1)
      const large = await submit(2)
      const small = await submit(1)
      const hopeless = (
        await console.ask({ type: 'submit', spec: specOf({ agents: 9, waitForAgentsMs: 1e9 }) })
      ).runId
      const last = await submit(1)
      const stateOf = (runId: string) => console.run(runId).state
      await world.until('the first runs', () => stateOf(first) === 'running')
      await world.pass(20_000)
      assert.deepEqual([large, small, hopeless, last].map(stateOf), ['queued', 'queued', 'queued', 'queued'])

      const end = (runId: string) => {
        for (const agent of agents) {
          const session = agent.sessions.get(runId)
          if (session !== undefined) agent.runStage(session, 0)
        }
      }
      end(first)
      await world.until('the large one runs', () => stateOf(large) === 'running')
      assert.equal(stateOf(small), 'queued')
      end(large)
      await world.until(
        'the small ones run',
        () => stateOf(small) === 'running' && stateOf(last) === 'running',
      )
      assert.equal(stateOf(hopeless), 'queued')
      end(small)
      end(last)
      await world.until('all but one have ended', () =>
        [first, large, small, last].every((id) => console.run(id).summary),
      )
      for (const id of [first, large, small, last]) assert.equal(console.run(id).summary!.exitCode, 0)
    })

    it('for an agent until it has said that its slot is free', async () => {
      const [agent] = await world.agents(1)
      agent!.releases = false
      const console = await world.console()
      const one = await console.ask({ type: 'submit', spec: specOf() })
      await world.until('finished', () => console.run(one.runId).summary !== null)
      const two = await console.ask({ type: 'submit', spec: specOf() })
      await world.pass(5000)
      assert.equal(console.run(two.runId).state, 'queued')
      const { agents } = await console.ask({ type: 'ping' })
      assert.deepEqual(agents[0]!.runs, [one.runId])
      agent!.say({ type: 'released', runId: one.runId })
      await world.until('finished', () => console.run(two.runId).summary !== null)
    })
  })

  it('runs two at once, watched by two consoles each, and never mixes them', async () => {
    const agents = [
      await world.agent('a1', { slots: 2 }).dial(),
      await world.agent('a2', { slots: 2 }).dial(),
    ]
    for (const agent of agents) agent.onStage = () => {}
    const runs: { console: FakeConsole; watcher: FakeConsole; runId: string; factor: number }[] = []
    for (const factor of [1, 100]) {
      const console = await world.console()
      const { runId } = await console.ask({
        type: 'submit',
        spec: specOf({ agents: 2, names: [`times ${factor}`] }),
      })
      const watcher = await world.console()
      await watcher.ask({ type: 'subscribe', runId })
      runs.push({ console, watcher, runId, factor })
    }
    await world.until('both run', () =>
      runs.every(({ console, runId }) => console.run(runId).state === 'running'),
    )
    for (let round = 0; round < 4; round++) {
      for (const agent of agents) {
        for (const { runId, factor } of runs) {
          const session = agent.session(runId)
          session.execute(session.share.ranges[0]!.first, round * factor, factor)
          session.send(agent.connection)
        }
      }
      await world.pass(300)
    }
    // The first one is stopped; the second goes on as if nothing had been.
    const [one, two] = runs as [(typeof runs)[0], (typeof runs)[0]]
    for (const agent of agents) agent.onStop = (session) => session.send(agent.connection, true)
    await one.console.ask({ type: 'stop', runId: one.runId, mode: 'drain', reason: 'operator' })
    await world.until('the first has ended', () => one.watcher.run(one.runId).summary !== null)
    assert.equal(two.console.run(two.runId).state, 'running')
    for (const agent of agents) agent.endStage(agent.session(two.runId), 0)
    await world.until('the second has ended', () => two.watcher.run(two.runId).summary !== null)

    for (const { console, watcher, runId, factor } of runs) {
      const summary = console.run(runId).summary!
      assert.equal(summary.hits.count, 8 * factor)
      assert.equal(summary.exitCode, factor === 1 ? 7 : 0)
      assert.deepEqual(watcher.run(runId).summary, summary)
      assert.equal(console.run(runId).aggregate.hits().count, 8 * factor)
      assert.equal(watcher.run(runId).aggregate.hits().count, 8 * factor)
      assert.deepEqual([...console.runs.keys()], [runId])
    }
    const { runs: rows } = await one.console.ask({ type: 'list-runs' })
    assert.deepEqual(
      rows.map(({ state, names, hits, verdict, agents: ids }) => ({ state, names, hits, verdict, ids })),
      [
        { state: 'aborted', names: ['times 1'], hits: 8, verdict: 'aborted', ids: ['a1', 'a2'] },
        { state: 'done', names: ['times 100'], hits: 800, verdict: 'passed', ids: ['a1', 'a2'] },
      ],
    )
  })

  it('keeps the last hundred ended runs, no more', async () => {
    const console = await world.console()
    const ids: string[] = []
    for (let index = 0; index < 103; index++) {
      const { runId } = await console.ask({ type: 'submit', spec: specOf({ waitForAgentsMs: 1e9 }) })
      await console.ask({ type: 'stop', runId, mode: 'drain', reason: 'operator' })
      ids.push(runId)
    }
    const { runs } = await console.ask({ type: 'list-runs' })
    assert.deepEqual(
      runs.map(({ runId }) => runId),
      ids.slice(3),
    )
  })
})
