import assert from 'node:assert/strict'
import { controlledUsers, scenarioOf } from '@loads-runner/protocol/testing'
import { World } from '../../broker/test/support/world.ts'
import { DashboardServer } from '../src/dashboard-server.ts'
import type { RunListRow, RunModel } from '../src/model.ts'
import { BrokerSource } from './support/broker-source.ts'
import { ask, EventStream, post } from './support/http-client.ts'

const token = 'a-token-of-the-tests-0123456789'
const controlled = scenarioOf({
  stages: [controlledUsers()],
})

describe('a dashboard of a broker', () => {
  let world: World
  let server: DashboardServer

  beforeEach(async () => {
    world = await new World().open()
    server = await DashboardServer.start({
      host: '127.0.0.1',
      port: 0,
      source: await BrokerSource.open(world.inside),
      past: null,
      token,
      hostNames: [],
      version: '1',
    })
  })

  afterEach(async () => {
    await server.close()
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  /** A request is answered while the broker's clock goes on. */
  async function meanwhile<T>(work: Promise<T>): Promise<T> {
    let done = false
    const ended = work.finally(() => (done = true))
    await world.until('the request is answered', () => done)
    return ended
  }

  it('shows a run as it goes on, changes and stops it, and ends with its summary', async () => {
    const agents = await world.agents(2)
    const run = await world.began(agents, { profile: { scenarios: [controlled] } })
    const { runId } = agents[0]!.session()
    const list = (await meanwhile(ask(server, '/api/runs'))).json() as RunListRow[]
    assert.deepEqual(
      list.map((row) => [row.runId, row.state]),
      [[runId, 'running']],
    )
    const stream = await EventStream.open(server, `/api/runs/${runId}/events`)
    for (let second = 0; second < 6; second++) {
      for (const agent of agents) {
        const session = agent.session()
        session.hit('GET /', 10 + second)
        session.activeUsers = 3
        session.send(agent.connection)
      }
      await world.pass(1_000)
    }
    await meanwhile(stream.until(({ events }) => events.length > 0))
    const path = `/api/runs/${runId}`
    assert.equal((await meanwhile(post(server, `${path}/control`, token, { target: 7 }))).json().target, 7)
    assert.equal((await meanwhile(post(server, `${path}/annotate`, token, { text: 'deploy' }))).status, 200)
    const refused = await meanwhile(post(server, `${path}/control`, token, { target: 7_000 }))
    assert.equal(refused.status, 409)
    assert.ok(refused.json().message.length > 10)

    for (const agent of agents) agent.onStop = (session) => session.send(agent.connection, true)
    assert.equal((await meanwhile(post(server, `${path}/stop`, token, { mode: 'drain' }))).status, 200)
    const summary = await world.finished(run)
    // Pages are told by a real clock, the broker's stands still meanwhile.
    await stream.until(({ events }) => events.some(({ data }) => data.summary))
    const model: RunModel = stream.model()
    stream.close()
    assert.deepEqual(model.summary, JSON.parse(JSON.stringify(summary)))
    assert.equal(model.totals.hits, 2 * (10 + 11 + 12 + 13 + 14 + 15))
    assert.equal(model.totals.hits, summary.hits.count)
    assert.deepEqual(model.totals.serviceTime, summary.serviceTime)
    const cells = model.heatmap.columns.flatMap((column) =>
      column.cells.filter((_, place) => place % 2 === 1),
    )
    assert.equal(
      cells.reduce((sum, count) => sum + count, 0),
      summary.hits.count,
    )
    assert.deepEqual(
      model.marks
        .filter(({ kind }) => kind === 'control' || kind === 'note')
        .map(({ label, source }) => [label, source]),
      [
        ['set to 7 users', 'page@desk'],
        ['deploy', 'page@desk'],
      ],
    )
    assert.equal(model.head.scenarios[0]?.target, 7)
    assert.equal(model.agents.length, 2)
    assert.ok(model.agents.every(({ share }) => share === 0.5))
    const fresh = (await meanwhile(ask(server, path))).json() as RunModel
    assert.deepEqual({ ...model, marks: [] }, { ...fresh, marks: [] })
  })
})
