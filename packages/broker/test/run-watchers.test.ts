import assert from 'node:assert/strict'
import { specOf } from '@loads-runner/protocol/testing'
import type { FakeConsole } from './support/fake-console.ts'
import { World } from './support/world.ts'

describe('watched runs', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  const statesOf = ({ rows }: FakeConsole, runId: string) =>
    rows.filter((row) => row.runId === runId).map(({ state }) => state)

  it('begin with all that are known; then each new one and each change of a state is told, the end with its verdict', async () => {
    await world.agents(1)
    const maker = await world.console()
    const first = await maker.ask({ type: 'submit', spec: specOf({ labels: { branch: 'main' } }) })
    await world.until('finished', () => maker.run(first.runId).summary !== null)
    const watcher = await world.console('tarek')
    const { runs } = await watcher.ask({ type: 'watch-runs' })
    assert.deepEqual(
      runs.map(({ runId, state, verdict, labels }) => [runId, state, verdict, labels]),
      [[first.runId, 'done', 'passed', { branch: 'main' }]],
    )
    assert.ok(runs[0]!.endedAt! > runs[0]!.startedAt!)
    assert.equal(watcher.rows.length, 0)

    const second = await maker.ask({ type: 'submit', spec: specOf({ names: ['second'] }) })
    await world.until('finished', () => maker.run(second.runId).summary !== null)
    await world.settle()
    assert.deepEqual(statesOf(watcher, second.runId), ['queued', 'preparing', 'ready', 'running', 'done'])
    const [begin, , , running, end] = watcher.rows
    assert.deepEqual([begin!.endedAt, begin!.verdict, begin!.names], [null, null, ['second']])
    assert.deepEqual([running!.agents, running!.endedAt, running!.startedAt !== null], [['a1'], null, true])
    assert.deepEqual(
      [end!.verdict, end!.hits, end!.endedAt],
      ['passed', 30, Date.parse(endOf(maker, second.runId))],
    )
    assert.deepEqual(maker.rows, [], 'who did not ask is not told')
  })

  function endOf(console: FakeConsole, runId: string): string {
    const { started, durationSeconds } = console.run(runId).summary!
    const [finished] = console.run(runId).ofType('finished')
    assert.ok(Date.parse(started!) + durationSeconds * 1000 <= finished!.at + 1)
    return new Date(finished!.at).toISOString()
  }

  it('are told to every watcher once, however often it asks, and to none that has gone', async () => {
    await world.agents(1)
    const [one, two] = [await world.console(), await world.console('tarek', world.inside)]
    await one.ask({ type: 'watch-runs' })
    await one.ask({ type: 'watch-runs' })
    await two.ask({ type: 'watch-runs' })
    await one.connection.close()
    await world.settle()
    one.rows.length = 0
    const maker = await world.console()
    const { runId } = await maker.ask({ type: 'submit', spec: specOf() })
    await world.until('finished', () => maker.run(runId).summary !== null)
    await world.settle()
    assert.deepEqual(one.rows, [])
    assert.deepEqual(statesOf(two, runId), ['queued', 'preparing', 'ready', 'running', 'done'])
  })

  it('that are stopped before they begin are told to have ended', async () => {
    const watcher = await world.console()
    await watcher.ask({ type: 'watch-runs' })
    const { runId } = await watcher.ask({ type: 'submit', spec: specOf({ waitForAgentsMs: 60_000 }) })
    await watcher.ask({ type: 'stop', runId, mode: 'cancel', reason: 'operator' })
    await world.settle()
    assert.deepEqual(statesOf(watcher, runId), ['queued', 'aborted'])
    assert.deepEqual([watcher.rows.at(-1)!.verdict, watcher.rows.at(-1)!.startedAt], ['aborted', null])
    const { note } = watcher.run(runId).ofType('state').at(-1)!
    assert.match(note, /stopped before load began, by ann/)
  })
})
