import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { tearDownNote, type RunSpec } from '@loads-runner/protocol'
import { hitsPerUser, profileOf, specOf } from '@loads-runner/protocol/testing'
import type { FakeAgent } from './support/fake-agent.ts'
import type { FakeConsole, SeenRun } from './support/fake-console.ts'
import { RefusedError } from './support/fake-console.ts'
import { World } from './support/world.ts'

describe('run', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  async function submit(
    changes: Partial<RunSpec> = {},
  ): Promise<{ console: FakeConsole; runId: string; run: SeenRun }> {
    const console = await world.console()
    const { runId } = await console.ask({ type: 'submit', spec: specOf(changes) })
    return { console, runId, run: console.run(runId) }
  }

  it('divides users over agents, waits for each stage, and gives totals, coverage and ledgers', async () => {
    const agents = await world.agents(3)
    const stages = [hitsPerUser(10, 3), hitsPerUser(4, 5)]
    const profile = profileOf(...stages)
    const { console, run } = await submit({ agents: 3, profile, secrets: { KEY: 'hush' } })
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
      summary.agents.map(({ id, state, hits, ledger }) => [id, state, hits, ledger]),
      [
        ['a1', 'done', 22, { planned: 22, started: 22, finished: 22, reported: 22, lost: 0, dropped: 0 }],
        ['a2', 'done', 14, { planned: 14, started: 14, finished: 14, reported: 14, lost: 0, dropped: 0 }],
        ['a3', 'done', 14, { planned: 14, started: 14, finished: 14, reported: 14, lost: 0, dropped: 0 }],
      ],
    )
    // The stream adds up to the same, and holds no secret.
    assert.equal(run.aggregate.hits().count, 50)
    assert.equal(run.snapshot.spec.secrets.KEY, '[redacted]')
    await world.settle()
    for (const agent of agents) {
      assert.equal(agent.session().acked, 2)
      assert.equal(agent.session().spec.secrets.KEY, 'hush')
      const others = agent.types().filter((type) => type !== 'ack')
      assert.deepEqual(others, ['prepare', 'arm', 'start-stage', 'start-stage', 'finish', 'release'])
    }
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

  it('fails with exit code 1 when an execution failed, or none finished', async () => {
    const [agent] = await world.agents(1)
    agent!.onStage = (session) => {
      session.fail(2)
      agent!.endStage(session, 0)
    }
    const failed = await submit()
    await world.until('finished', () => failed.run.summary !== null)
    assert.equal(failed.run.summary!.exitCode, 1)
    assert.deepEqual(failed.run.summary!.reasons, ['2 of 2 executions failed'])
    await world.settle()

    agent!.onStage = (session) => agent!.endStage(session, 0)
    const empty = await submit()
    await world.until('finished', () => empty.run.summary !== null)
    assert.deepEqual(empty.run.summary!.reasons, ['no execution finished'])
    assert.equal(empty.run.state, 'done')
  })

  it('warns when the generator was late, without changing the verdict of a closed model', async () => {
    const [agent] = await world.agents(1)
    agent!.onStage = (session, stage) => {
      session.lagMs = 40
      session.send(agent!.connection)
      session.send(agent!.connection)
      agent!.runStage(session, stage)
    }
    const { run } = await submit()
    await world.until('finished', () => run.summary !== null)
    assert.equal(run.summary!.exitCode, 0)
    assert.equal(run.summary!.generator.limited, false)
    assert.equal(run.summary!.generator.eventLoopLagP99, 40)
    assert.match(run.summary!.generator.warnings.join(), /a1 was late/)
  })

  describe('before load', () => {
    it('sends the bundle in parts to an agent that has not got it', async () => {
      const bytes = new Uint8Array(randomBytes(600 * 1024))
      const hash = createHash('sha256').update(bytes).digest('hex')
      const [agent] = await world.agents(1)
      agent!.onPrepare = ({ runId, spec }) => ({ type: 'need-bundle', runId, hash: spec.bundle! })
      const console = await world.console()
      await console.ask({ type: 'put-bundle', hash, last: true, bytes })
      const { runId } = await console.ask({ type: 'submit', spec: specOf({ bundle: hash }) })
      await world.until('finished', () => console.run(runId).summary !== null)
      assert.deepEqual(
        agent!.bundles.map((part) => part.length),
        [256 * 1024, 256 * 1024, 88 * 1024],
      )
      assert.equal(Buffer.compare(Buffer.concat(agent!.bundles), bytes), 0)
    })

    it('sends a bundle once at a time, and no other than the one of the run', async () => {
      const bytes = new Uint8Array(randomBytes(1000))
      const hash = createHash('sha256').update(bytes).digest('hex')
      const [agent] = await world.agents(1)
      agent!.onPrepare = ({ runId }) => {
        agent!.say({ type: 'need-bundle', runId, hash: 'cd'.repeat(32) })
        agent!.say({ type: 'need-bundle', runId, hash })
        return { type: 'need-bundle', runId, hash }
      }
      const console = await world.console()
      await console.ask({ type: 'put-bundle', hash, last: true, bytes })
      const { runId } = await console.ask({ type: 'submit', spec: specOf({ bundle: hash }) })
      await world.until('finished', () => console.run(runId).summary !== null)
      assert.equal(console.run(runId).summary!.exitCode, 0)
      assert.deepEqual(
        agent!.bundles.map((part) => part.length),
        [1000],
      )
    })

    it('fails with what an agent says about the tests, and lets the others go', async () => {
      const agents = await world.agents(2)
      agents[0]!.onPrepare = ({ runId }) => {
        return {
          type: 'cannot-run',
          runId,
          exitCode: 3,
          message: 'example.ts:3:7 cannot find module left-pad',
        }
      }
      agents[1]!.onPrepare = () => null
      const { run } = await submit({ agents: 2 })
      await world.until('finished', () => run.summary !== null)
      assert.equal(run.summary!.exitCode, 3)
      assert.deepEqual(run.states, ['queued', 'preparing', 'failed'])
      assert.deepEqual(run.summary!.reasons, ['a1 cannot run: example.ts:3:7 cannot find module left-pad'])
      assert.equal(run.summary!.started, null)
      await world.settle()
      assert.deepEqual(
        agents.map((agent) => agent.types()),
        [
          ['prepare', 'release'],
          ['prepare', 'release'],
        ],
      )
    })

    it('takes any other exit code of an agent for infrastructure', async () => {
      const [agent] = await world.agents(1)
      agent!.onArm = (runId) => ({ type: 'cannot-run', runId, exitCode: 0, message: 'setUpAgent failed' })
      const { run } = await submit()
      await world.until('finished', () => run.summary !== null)
      assert.equal(run.summary!.exitCode, 4)
    })

    it('fails when an agent is lost, and names it', async () => {
      const agents = await world.agents(2)
      agents[1]!.onPrepare = () => null
      const { run } = await submit({ agents: 2 })
      await world.until('preparing', () => agents[1]!.sessions.size === 1)
      await agents[1]!.leave()
      await world.until('finished', () => run.summary !== null)
      assert.equal(run.summary!.exitCode, 4)
      assert.match(run.summary!.reasons.join(), /agent a2 was lost before load began: it said goodbye/)
    })

    it('gives up on agents that do not load, or do not arm, within two minutes', async () => {
      const agents = await world.agents(2)
      agents[1]!.onPrepare = () => null
      const slow = await submit({ agents: 2 })
      await world.until('finished', () => slow.run.summary !== null)
      assert.match(slow.run.summary!.reasons.join(), /^a2 did not load the tests within 120 s$/)

      await world.settle()
      agents[1]!.onPrepare = ({ runId }) => ({ type: 'prepared', runId, workers: 1 })
      agents[0]!.onArm = () => null
      const slower = await submit({ agents: 2 })
      await world.until('finished', () => slower.run.summary !== null)
      assert.match(slower.run.summary!.reasons.join(), /^a1 did not finish setUpAgent within 120 s$/)
      assert.equal(slower.run.summary!.exitCode, 4)
    })
  })

  describe('conducted', () => {
    it('waits for setUpRun, gives its data to agents, and waits for tearDownRun', async () => {
      const agents = await world.agents(2)
      const armed: string[] = []
      for (const agent of agents) {
        agent.onArm = (runId) => {
          const arm = agent.received.at(-1)!
          if (arm.type === 'arm') armed.push(arm.data)
          return { type: 'armed', runId }
        }
      }
      const { console, runId, run } = await submit({ agents: 2, conducted: true })
      await world.until('ready', () => run.state === 'ready')
      await world.pass(200_000)
      assert.equal(run.state, 'ready')
      await console.ask({ type: 'set-up-done', runId, data: '{"TestWebSite":7}', error: null })
      await world.until('draining', () => run.state === 'draining')
      assert.deepEqual(armed, ['{"TestWebSite":7}', '{"TestWebSite":7}'])
      assert.equal(run.ofType('state').at(-1)!.note, tearDownNote)
      await world.pass(10_000)
      assert.equal(run.summary, null)
      await console.ask({ type: 'tear-down-done', runId, error: null })
      await world.until('finished', () => run.summary !== null)
      assert.deepEqual(run.states, ['queued', 'preparing', 'ready', 'running', 'draining', 'done'])
      assert.equal(run.summary!.exitCode, 0)
      // Waiting for the conductor is no part of the load.
      assert.ok(run.summary!.durationSeconds < 1, `${run.summary!.durationSeconds}`)
    })

    it('fails when setUpRun fails, after tearDownRun', async () => {
      await world.agents(1)
      const { console, runId, run } = await submit({ conducted: true })
      await world.until('ready', () => run.state === 'ready')
      await console.ask({ type: 'set-up-done', runId, data: '', error: 'no database' })
      await world.until('draining', () => run.state === 'draining')
      await console.ask({ type: 'tear-down-done', runId, error: 'still no database' })
      await world.until('finished', () => run.summary !== null)
      assert.equal(run.summary!.exitCode, 4)
      assert.equal(run.state, 'failed')
      assert.deepEqual(run.summary!.reasons, [
        'setUpRun failed: no database',
        'tearDownRun failed: still no database',
      ])
    })

    it('fails when its conductor is lost, at any time', async () => {
      for (const moment of ['preparing', 'ready', 'running', 'draining'] as const) {
        const agent = await world.agent(`agent-${moment}`).dial()
        if (moment === 'preparing') agent.onPrepare = () => null
        if (moment === 'running') agent.onStage = () => {}
        const { console, runId, run } = await submit({ conducted: true })
        await world.until('preparing', () => run.state !== 'queued')
        if (moment !== 'preparing') await world.until('ready', () => run.state === 'ready')
        if (moment === 'running' || moment === 'draining') {
          await console.ask({ type: 'set-up-done', runId, data: '{}', error: null })
        }
        await world.until(moment, () => run.state === moment)
        await console.connection.close()
        const watcher = await world.console()
        await watcher.ask({ type: 'subscribe', runId })
        await world.until('finished', () => watcher.run(runId).summary !== null)
        const summary = watcher.run(runId).summary!
        assert.equal(summary.exitCode, 4, moment)
        assert.match(summary.reasons[0]!, /^conductor-lost: /)
        if (moment === 'running') assert.ok(agent.types().includes('stop'))
        await agent.leave()
      }
    })

    it('is conducted by the console that submitted it, and when it is time', async () => {
      await world.agents(1)
      const { console, runId, run } = await submit({ conducted: true })
      const other = await world.console()
      await world.until('ready', () => run.state === 'ready')
      const refused = (code: string, pattern: RegExp) => (error: Error) => {
        assert.ok(error instanceof RefusedError)
        assert.equal(error.code, code)
        assert.match(error.message, pattern)
        return true
      }
      const setUp = { type: 'set-up-done', runId, data: '{}', error: null } as const
      await assert.rejects(other.ask(setUp), refused('NOT_CONDUCTOR', /by the console that submitted it/))
      const tearDown = { type: 'tear-down-done', runId, error: null } as const
      await assert.rejects(
        console.ask(tearDown),
        refused('WRONG_STATE', /is ready and does not wait for tear-down-done/),
      )
      await console.ask(setUp)
      await assert.rejects(console.ask(setUp), refused('WRONG_STATE', /does not wait for set-up-done/))
    })

    it('goes on when a console that only watches is gone', async () => {
      await world.agents(1)
      const first = await submit({ project: 'p' })
      const watcher = await world.console()
      await watcher.ask({ type: 'subscribe', runId: first.runId })
      await first.console.connection.close()
      await world.until('finished', () => watcher.run(first.runId).summary !== null)
      assert.equal(watcher.run(first.runId).summary!.exitCode, 0)
    })
  })

  describe('stopped', () => {
    async function running(changes: Partial<RunSpec> = {}): Promise<{
      console: FakeConsole
      runId: string
      run: SeenRun
      agents: FakeAgent[]
    }> {
      const agents = await world.agents(2)
      for (const agent of agents) {
        agent.onStop = () => {}
        agent.onStage = (session) => {
          session.execute(session.share.ranges[0]!.first, 0, 2, 1)
          session.send(agent.connection)
        }
      }
      const submitted = await submit({ agents: 2, ...changes })
      await world.until('running', () =>
        agents.every((agent) => agent.sessions.get(submitted.runId)?.acked === 0),
      )
      return { ...submitted, agents }
    }

    const modes = (agent: FakeAgent) =>
      agent.received.flatMap((each) => (each.type === 'stop' ? [each.mode] : []))

    it('drains, cancels and kills as it is asked again and again, never backwards', async () => {
      const { console, runId, run, agents } = await running()
      const stop = (mode: 'drain' | 'cancel' | 'kill') =>
        console.ask({ type: 'stop', runId, mode, reason: 'operator' })
      assert.deepEqual(await stop('drain'), { state: 'draining' })
      assert.deepEqual(await stop('drain'), { state: 'draining' })
      await stop('cancel')
      await stop('drain')
      await stop('kill')
      await world.settle()
      assert.deepEqual(agents.map(modes), [
        ['drain', 'cancel', 'kill'],
        ['drain', 'cancel', 'kill'],
      ])
      for (const agent of agents) {
        agent.session().interrupt(1)
        agent.session().send(agent.connection, true)
      }
      await world.until('finished', () => run.summary !== null)
      assert.equal(run.state, 'aborted')
      assert.equal(run.summary!.exitCode, 7)
      assert.equal(run.summary!.verdict, 'aborted')
      assert.deepEqual(run.summary!.reasons, ['stopped by an operator'])
      assert.deepEqual(await stop('kill'), { state: 'aborted' })
      assert.equal(run.ofType('finished').length, 1)
    })

    it('says which signal it was', async () => {
      for (const [reason, exitCode] of [
        ['SIGINT', 130],
        ['SIGTERM', 143],
      ] as const) {
        const agent = await world.agent(`for-${reason}`).dial()
        agent.onStage = () => {}
        const { console, runId, run } = await submit()
        await world.until('running', () => run.state === 'running')
        await console.ask({ type: 'stop', runId, mode: 'drain', reason })
        await world.until('finished', () => run.summary !== null)
        assert.equal(run.summary!.exitCode, exitCode)
        await agent.leave()
      }
    })

    it('is judged by its figures when it is complete, but not when it was cut off', async () => {
      for (const [mode, exitCode] of [
        ['drain', 0],
        ['cancel', 7],
      ] as const) {
        const agent = await world.agent(`to-${mode}`).dial()
        agent.onStage = () => {}
        const { console, runId, run } = await submit()
        await world.until('running', () => run.state === 'running')
        agent.session().execute(0, 0, 1)
        await console.ask({ type: 'stop', runId, mode, reason: 'complete' })
        await world.until('finished', () => run.summary !== null)
        assert.equal(run.summary!.exitCode, exitCode, run.summary!.reasons.join())
        assert.equal(run.summary!.verdict, exitCode === 0 ? 'passed' : 'aborted')
        await agent.leave()
      }
    })

    it('gives up on agents that say nothing for five seconds after kill', async () => {
      const { console, runId, run } = await running()
      await console.ask({ type: 'stop', runId, mode: 'kill', reason: 'operator' })
      const startMs = world.clock.monotonic()
      await world.until('finished', () => run.summary !== null)
      const tookMs = world.clock.monotonic() - startMs
      assert.ok(tookMs > 4900 && tookMs < 6000, `took ${tookMs} ms`)
      assert.equal(run.state, 'aborted')
      assert.equal(run.summary!.exitCode, 7)
      assert.equal(run.summary!.tests.lost, 2)
      assert.match(run.summary!.reasons.join(), /stopped by an operator/)
      const lost = run.ofType('agent').find(({ agent }) => agent.state === 'lost')
      assert.equal(lost?.note, 'it did not end after kill')
    })

    it('moves no users when an agent is lost while the run is being stopped', async () => {
      const { console, runId, run, agents } = await running()
      await console.ask({ type: 'stop', runId, mode: 'drain', reason: 'operator' })
      await agents[1]!.leave()
      await world.until('lost', () => run.agentStates('a2').at(-1) === 'lost')
      agents[0]!.session().interrupt(1)
      agents[0]!.session().send(agents[0]!.connection, true)
      await world.until('finished', () => run.summary !== null)
      assert.ok(!agents[0]!.types().includes('add-units'))
      assert.equal(run.summary!.exitCode, 7)
      assert.equal(run.summary!.reasons.length, 2)
    })

    it('ends at once before load', async () => {
      const queued = await submit({ agents: 3, waitForAgentsMs: 60_000 })
      await queued.console.ask({ type: 'stop', runId: queued.runId, mode: 'drain', reason: 'operator' })
      await world.settle()
      assert.deepEqual(queued.run.states, ['queued', 'aborted'])
      assert.equal(queued.run.summary!.exitCode, 7)

      const [agent] = await world.agents(1)
      agent!.onPrepare = () => null
      const preparing = await submit()
      await world.until('preparing', () => agent!.sessions.size === 1)
      await preparing.console.ask({ type: 'stop', runId: preparing.runId, mode: 'drain', reason: 'SIGINT' })
      await world.settle()
      assert.deepEqual(preparing.run.states, ['queued', 'preparing', 'aborted'])
      assert.equal(preparing.run.summary!.exitCode, 130)
      assert.deepEqual(agent!.types(), ['prepare', 'release'])
    })

    it('during setUpRun still has the conductor tear down, and ignores its late set-up-done', async () => {
      await world.agents(1)
      const { console, runId, run } = await submit({ conducted: true })
      await world.until('ready', () => run.state === 'ready')
      await console.ask({ type: 'stop', runId, mode: 'drain', reason: 'operator' })
      await world.until('draining', () => run.state === 'draining')
      await console.ask({ type: 'set-up-done', runId, data: '{}', error: null })
      assert.equal(run.summary, null)
      await console.ask({ type: 'tear-down-done', runId, error: null })
      await world.until('finished', () => run.summary !== null)
      assert.equal(run.summary!.exitCode, 7)
    })

    it('during tearDownRun waits for it, unless it is to kill', async () => {
      await world.agents(1)
      const { console, runId, run } = await submit({ conducted: true })
      await world.until('ready', () => run.state === 'ready')
      await console.ask({ type: 'set-up-done', runId, data: '{}', error: null })
      await world.until('draining', () => run.state === 'draining')
      await console.ask({ type: 'stop', runId, mode: 'drain', reason: 'SIGINT' })
      await world.pass(5000)
      assert.equal(run.summary, null)
      await console.ask({ type: 'stop', runId, mode: 'kill', reason: 'SIGINT' })
      await world.until('finished', () => run.summary !== null)
      assert.equal(run.summary!.exitCode, 130)
      assert.match(run.summary!.reasons.join(), /stopped by SIGINT,tearDownRun was not waited for/)
    })
  })
})
