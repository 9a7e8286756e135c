import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { specOf } from '@loads-runner/protocol/testing'
import { RefusedError } from './support/fake-console.ts'
import { World } from './support/world.ts'

describe('operator desk', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  const code = (expected: string) => (error: Error) =>
    error instanceof RefusedError && error.code === expected

  it('answers ping with the broker and its agents', async () => {
    await world.agent('a1', { slots: 3, labels: { zone: 'north' }, host: 'h1', pid: 77 }).dial()
    const console = await world.console()
    const { broker, ...rest } = await console.ask({ type: 'ping' })
    assert.ok(broker.length > 0)
    assert.deepEqual(rest, {
      version: '1.2.3',
      pid: process.pid,
      address: 'in-process',
      activeRuns: 0,
      agents: [
        {
          id: 'a1',
          host: 'h1',
          pid: 77,
          version: '0',
          slots: 3,
          busy: 0,
          labels: { zone: 'north' },
          runs: [],
        },
      ],
    })
  })

  it('takes bundles in parts, and knows them afterwards', async () => {
    const bytes = new Uint8Array(randomBytes(5000))
    const hash = createHash('sha256').update(bytes).digest('hex')
    const console = await world.console()
    assert.deepEqual(await console.ask({ type: 'has-bundle', hash }), { known: false })
    await Promise.all([
      console.ask({ type: 'put-bundle', hash, last: false, bytes: bytes.subarray(0, 2000) }),
      console.ask({ type: 'put-bundle', hash, last: true, bytes: bytes.subarray(2000) }),
    ])
    assert.deepEqual(await console.ask({ type: 'has-bundle', hash }), { known: true })
  })

  it('refuses a bundle that was damaged on its way, and takes it when it is sent again', async () => {
    const bytes = new Uint8Array(randomBytes(500))
    const hash = createHash('sha256').update(bytes).digest('hex')
    const console = await world.console()
    const damaged = bytes.slice()
    damaged[7]! ^= 1
    await assert.rejects(
      console.ask({ type: 'put-bundle', hash, last: true, bytes: damaged }),
      code('BUNDLE_MISMATCH'),
    )
    await console.ask({ type: 'put-bundle', hash, last: true, bytes })
    assert.deepEqual(await console.ask({ type: 'has-bundle', hash }), { known: true })
  })

  it('serves the requests of a console in order: a run sees the bundle that was sent just before it', async () => {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'loads-desk-'))
    const onDisk = await new World(stateDir).open()
    try {
      const [agent] = await onDisk.agents(1)
      const bytes = new Uint8Array(randomBytes(500))
      const hash = createHash('sha256').update(bytes).digest('hex')
      const console = await onDisk.console()
      const [, { runId }] = await Promise.all([
        console.ask({ type: 'put-bundle', hash, last: true, bytes }),
        console.ask({ type: 'submit', spec: specOf({ bundle: hash }) }),
      ])
      await onDisk.until('prepared', () => agent!.sessions.has(runId))
    } finally {
      await onDisk.close()
      await rm(stateDir, { recursive: true })
    }
  })

  it('ends a conducted run whose console was gone before the run was taken on', async () => {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'loads-desk-'))
    const onDisk = await new World(stateDir).open()
    try {
      await onDisk.agents(1)
      const bytes = new Uint8Array(randomBytes(500))
      const hash = createHash('sha256').update(bytes).digest('hex')
      const console = await onDisk.console()
      await console.ask({ type: 'put-bundle', hash, last: true, bytes })
      // Looking for the bundle on disk takes longer than the goodbye.
      void console.ask({ type: 'submit', spec: specOf({ bundle: hash, conducted: true }) })
      await console.connection.close()
      const other = await onDisk.console()
      let states: string[] = []
      await onDisk.until('failed', () => {
        void other.ask({ type: 'list-runs' }).then(({ runs }) => (states = runs.map(({ state }) => state)))
        return states.join() === 'failed'
      })
    } finally {
      await onDisk.close()
      await rm(stateDir, { recursive: true })
    }
  })

  it('answers a submit before the first event of its run', async () => {
    await world.agents(1)
    const console = await world.console()
    await console.ask({ type: 'submit', spec: specOf() })
    await world.until('events', () => console.heard.length > 3)
    assert.deepEqual(
      console.heard.slice(0, 2).map(({ type }) => type),
      ['reply', 'event'],
    )
  })

  it('refuses what needs a run when there is no such run', async () => {
    const console = await world.console()
    const runId = 'none'
    await assert.rejects(
      console.ask({ type: 'stop', runId, mode: 'drain', reason: 'operator' }),
      code('UNKNOWN_RUN'),
    )
    await assert.rejects(
      console.ask({ type: 'set-up-done', runId, data: '{}', error: null }),
      code('UNKNOWN_RUN'),
    )
    await assert.rejects(console.ask({ type: 'tear-down-done', runId, error: null }), code('UNKNOWN_RUN'))
    console.connection.send({ type: 'received', runId, sequence: 3 })
    assert.deepEqual(await console.ask({ type: 'list-runs' }), { runs: [] })
  })

  it('has an agent lost at once when a console says that it has exited', async () => {
    const agents = await world.agents(2)
    for (const agent of agents) agent.onStage = () => {}
    const console = await world.console()
    const { runId } = await console.ask({ type: 'submit', spec: specOf({ agents: 2 }) })
    const run = console.run(runId)
    await world.until('running', () => agents.every((agent) => agent.sessions.get(runId)?.stage === 0))
    const startMs = world.clock.monotonic()
    await console.ask({ type: 'agent-exited', agent: 'a2', note: 'killed by SIGKILL' })
    await console.ask({ type: 'agent-exited', agent: 'unknown', note: '' })
    await world.until('lost', () => run.agentStates('a2').at(-1) === 'lost')
    assert.ok(world.clock.monotonic() - startMs < 250)
    assert.match(run.ofType('agent').at(-1)!.note, /it has exited: killed by SIGKILL/)
    const { agents: rows } = await console.ask({ type: 'ping' })
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['a1'],
    )
  })

  it('shows consoles that the broker lives', async () => {
    const console = await world.console()
    await world.pass(4500)
    assert.equal(console.heard.filter(({ type }) => type === 'heartbeat').length, 2)
  })
})
