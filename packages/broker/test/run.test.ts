import assert from 'node:assert/strict'
import { World, specOf } from './support/world.ts'

describe('a run from submit to finished', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  it('divides users over agents, waits for each stage, and gives totals, coverage and ledgers', async () => {
    const agents = await world.agents(3)
    const stages = [
      { users: 10, iterations: 3, durationMs: null },
      { users: 4, iterations: 5, durationMs: null },
    ]
    const console = await world.console()
    const spec = specOf({ agents: 3, profile: { stages, rampUpMs: 0, delayMs: 0 }, secrets: { KEY: 'hush' } })
    const { runId } = await console.ask({ type: 'submit', spec })
    const run = console.run(runId)
    await world.until('finished', () => run.summary !== null)

    assert.deepEqual(run.states, ['queued', 'preparing', 'ready', 'running', 'done'])
    assert.equal(run.events[0]!.type, 'snapshot')
    assert.equal(run.events.at(-1)!.type, 'finished')
    assert.deepEqual(
      agents.map((agent) => agent.session().share.ranges.map((range) => range.count)),
      [
        [4, 2],
        [3, 1],
        [3, 1],
      ],
    )
    const summary = run.summary!
    assert.equal(summary.exitCode, 0)
    assert.equal(summary.verdict, 'passed')
    assert.deepEqual(summary.reasons, [])
    assert.deepEqual(summary.tests, {
      started: 50,
      finished: 50,
      successes: 50,
      failures: 0,
      errors: 0,
      interrupted: 0,
      lost: 0,
    })
    assert.equal(summary.hits.count, 50)
    assert.deepEqual(summary.coverage, { windowsOwed: 9, windowsReceived: 9, ratio: 1, missing: [] })
    assert.equal(summary.schedule.planned, 50)
    assert.deepEqual(
      summary.agents.map(({ id, state, hits, ledger }) => ({ id, state, hits, ...ledger })),
      [
        { id: 'a1', state: 'done', hits: 22, planned: 22, started: 22, finished: 22, reported: 22, lost: 0 },
        { id: 'a2', state: 'done', hits: 14, planned: 14, started: 14, finished: 14, reported: 14, lost: 0 },
        { id: 'a3', state: 'done', hits: 14, planned: 14, started: 14, finished: 14, reported: 14, lost: 0 },
      ],
    )
    // The stream adds up to the same, and holds no secret.
    assert.equal(run.aggregate.hits().count, 50)
    assert.equal(run.snapshot.spec.secrets.KEY, '[redacted]')
    for (const agent of agents) {
      assert.equal(agent.session().acked, 2)
      assert.equal(agent.session().spec.secrets.KEY, 'hush')
      assert.deepEqual(
        agent.types().filter((type) => type !== 'ack'),
        ['prepare', 'arm', 'start-stage', 'start-stage', 'release'],
      )
    }
    await world.settle()
    const { agents: rows, version } = await console.ask({ type: 'ping' })
    assert.equal(version, '1.2.3')
    assert.deepEqual(
      rows.map(({ id, busy }) => [id, busy]),
      [
        ['a1', 0],
        ['a2', 0],
        ['a3', 0],
      ],
    )
  })
})
