import assert from 'node:assert/strict'
import type { RunSpec } from '@loads-runner/protocol'
import { hitsPerUser, profileOf, scenarioOf, specOf } from '@loads-runner/protocol/testing'
import type { ConstantRate } from '@loads-runner/testcase/load'
import type { FakeAgent } from './support/fake-agent.ts'
import { World } from './support/world.ts'

const threshold = (expression: string, abortOnFail = false, delayAbortMs = 0) => {
  return { expression, abortOnFail, delayAbortMs }
}

const rate: ConstantRate = {
  type: 'constant-rate',
  rate: 10,
  durationMs: 10_000,
  spacing: 'uniform',
  users: 4,
  maxLateMs: 30_000,
}

describe('thresholds of a run', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  /** One window of a second after another, as the clock goes; then the end of the stage. */
  async function play(agent: FakeAgent, windows: number, fill: (second: number) => void): Promise<void> {
    const session = agent.session()
    for (let second = 0; second < windows; second++) {
      await world.pass(1000)
      fill(second)
      session.send(agent.connection)
    }
    await world.pass(600)
    agent.endStage(session, 0)
  }

  async function begin(changes: Partial<RunSpec>) {
    const [agent] = await world.agents(1)
    const run = await world.began([agent!], { profile: profileOf(rate), ...changes })
    return { agent: agent!, session: agent!.session(), run }
  }

  it('are refused at once when they make no sense, with the place and the fix', async () => {
    const console = await world.console()
    await world.agents(1)
    const spec = specOf({ thresholds: [threshold('p(95)<200'), threshold('erors<1%'), threshold('hits')] })
    await assert.rejects(
      console.ask({ type: 'submit', spec }),
      (error: Error & { code?: string; exitCode?: number }) => {
        assert.deepEqual([error.code, error.exitCode], ['BAD_THRESHOLD', 2])
        assert.match(error.message, /threshold "erors<1%", character 1: .* did you mean errors\?/)
        assert.match(error.message, /threshold "hits", character 5: a comparison is missing/)
        return true
      },
    )
  })

  it('are told live and at the end; a crossed one fails the run with 99', async () => {
    const thresholds = [
      threshold('hits: count<25'),
      threshold('errors<1%'),
      threshold('http_reqs{name:/none}>1'),
    ]
    const { agent, session, run } = await begin({ thresholds })
    await play(agent, 3, () => session.execute(0, session.executions, 10))
    const summary = await world.finished(run)
    assert.deepEqual([summary.exitCode, summary.verdict], [99, 'failed'])
    assert.deepEqual(summary.thresholds, [
      { expression: 'hits: count<25', value: 30, ok: false, abortOnFail: false },
      { expression: 'errors<1%', value: 0, ok: true, abortOnFail: false },
      { expression: 'http_reqs{name:/none}>1', value: null, ok: false, abortOnFail: false },
    ])
    assert.deepEqual(summary.reasons, [
      'threshold crossed: hits: count<25 (it was 30)',
      'threshold without data: http_reqs{name:/none}>1 (nothing was recorded; is the name right?)',
    ])
    const told = run.ofType('thresholds').map(({ states }) => states.map(({ ok }) => ok))
    assert.deepEqual(told.at(0), [true, true, null])
    assert.deepEqual(told.at(-1), [false, true, null])
  })

  it('are said again every two seconds', async () => {
    const { agent, session, run } = await begin({ thresholds: [threshold('errors<1%')] })
    await play(agent, 6, () => session.execute(0, session.executions, 1))
    await world.finished(run)
    const times = run.ofType('thresholds').map(({ elapsedMs }) => elapsedMs)
    assert.ok(times.length >= 3, times.join())
    for (const [index, time] of times.entries()) {
      if (index > 0) assert.ok(time - times[index - 1]! <= 3200, times.join())
    }
  })

  it('end the run when they say so, not before their delay, and the reason stays', async () => {
    const thresholds = [threshold('failures<50%', true, 2500)]
    const { agent, session, run } = await begin({ thresholds })
    let stoppedMs: number | null = null
    agent.onStop = (_, mode) => {
      assert.equal(mode, 'drain')
      stoppedMs = world.clock.monotonic()
      session.execute(0, 0, 100)
      session.send(agent.connection, true)
    }
    const startMs = world.clock.monotonic()
    for (let second = 0; second < 6 && stoppedMs === null; second++) {
      await world.pass(1000)
      if (stoppedMs !== null) break
      session.fail(5)
      session.send(agent.connection)
    }
    const summary = await world.finished(run)
    assert.ok(stoppedMs !== null && stoppedMs - startMs >= 2500, `${stoppedMs}`)
    assert.deepEqual([summary.exitCode, summary.verdict, run.state], [99, 'failed', 'done'])
    assert.deepEqual(summary.thresholds, [
      { expression: 'failures<50%', value: 1, ok: false, abortOnFail: true },
    ])
    assert.deepEqual(summary.reasons, ['threshold crossed: failures<50% (it was 100 %)'])
    const note = run.ofType('state').find(({ state }) => state === 'draining')
    assert.equal(note?.note, 'threshold crossed: failures<50% is 100 %')
  })

  it('decide about failures and errors that they name', async () => {
    const { agent, session, run } = await begin({ thresholds: [threshold('failures<50%')] })
    await play(agent, 2, () => {
      session.execute(0, session.executions, 10)
      session.fail(1)
    })
    const summary = await world.finished(run)
    assert.equal(summary.tests.failures, 2)
    assert.deepEqual([summary.exitCode, summary.reasons], [0, []])
  })

  it('decide about nothing else', async () => {
    const { agent, session, run } = await begin({
      thresholds: [threshold('errors<50%'), threshold('failures{test:Other.test}<50% min 1')],
    })
    await play(agent, 2, () => {
      session.execute(0, session.executions, 10)
      session.fail(1)
    })
    const summary = await world.finished(run)
    assert.equal(summary.exitCode, 99)
    assert.ok(summary.reasons.includes('2 of 22 executions failed'), summary.reasons.join())
  })

  it('know the stages and spans of a run', async () => {
    const profile = profileOf(hitsPerUser(1, 30), hitsPerUser(1, 30))
    const thresholds = [
      threshold('hits: count<100 in stage 1'),
      threshold('hits: count<100 in stage 2'),
      threshold('hits: rate>5/s over 2s'),
    ]
    const [agent] = await world.agents(1)
    agent!.onStage = () => {}
    const run = await world.began([agent!], { profile, thresholds })
    const session = agent!.session()
    const seconds = async (count: number, hits: number) => {
      for (let second = 0; second < count; second++) {
        await world.pass(1000)
        session.hit('GET /', hits)
        session.send(agent!.connection)
      }
    }
    await world.until('stage 0', () => session.stage === 0)
    await seconds(3, 20)
    session.execute(0, 0, 30)
    agent!.endStage(session, 0)
    await world.until('stage 1', () => session.stage === 1)
    await seconds(3, 40)
    session.execute(1, 0, 30)
    await world.pass(1000)
    session.send(agent!.connection)
    await world.until('committed', () => session.acked === 6)
    agent!.endStage(session, 1)
    const summary = await world.finished(run)
    const [first, second, span] = summary.thresholds
    assert.deepEqual([first!.value, first!.ok], [60, true])
    assert.deepEqual([second!.value, second!.ok], [180, false])
    assert.deepEqual([span!.value, span!.ok], [20, true])
  })

  it('judge a span once every agent has told of it, also when a link was cut', async () => {
    const agents = await world.agents(2)
    const thresholds = [threshold('hits: rate>=15/s over 2s', true)]
    const run = await world.began(agents, { profile: profileOf(rate), thresholds })
    const [one, other] = agents
    const sendBoth = (isCut: boolean) => {
      for (const agent of agents) {
        agent.session().execute(agent === one ? 0 : 1, agent.session().executions, 10)
        const window = agent.session().cut()
        if (agent === one || !isCut) agent.say(window)
      }
    }
    for (let second = 0; second < 7; second++) {
      await world.pass(1000)
      sendBoth(second >= 2 && second < 6)
      // What could not be sent for four seconds comes at once, with what is new.
      if (second === 6) {
        other!.session().relink()
        for (const { window } of other!.session().windows) other!.say(other!.session().again(window.number))
      }
    }
    await world.until('all is committed', () => other!.session().acked === 6)
    assert.deepEqual(run.ofType('thresholds').at(-1)!.states, [
      { expression: 'hits: rate>=15/s over 2s', value: 20, ok: true },
    ])
    for (const agent of agents) agent.endStage(agent.session(), 0)
    assert.equal((await world.finished(run)).exitCode, 0)
  })

  it('count dropped executions', async () => {
    const { agent, session, run } = await begin({ thresholds: [threshold('dropped_iterations<3')] })
    await play(agent, 2, (second) => session.startLane(0, second * 10, 10, 2))
    const summary = await world.finished(run)
    assert.deepEqual([summary.thresholds[0]!.value, summary.exitCode], [4, 99])
    assert.deepEqual(
      [summary.schedule.planned, summary.schedule.started, summary.schedule.dropped],
      [20, 16, 4],
    )
  })

  it('are in the snapshot of a late reader', async () => {
    const { agent, session, run } = await begin({ thresholds: [threshold('hits<1000')] })
    session.execute(0, 0, 7)
    session.send(agent.connection)
    await world.until('committed', () => session.acked === 0)
    const late = await world.console()
    const { runId } = await late.ask({ type: 'subscribe', runId: null })
    await world.until('seen', () => late.run(runId).snapshots > 0)
    assert.deepEqual(late.run(runId).snapshot.thresholds, [{ expression: 'hits<1000', value: 7, ok: true }])
    agent.endStage(session, 0)
    await world.finished(run)
  })

  it('keep scenarios apart', async () => {
    const scenarios = ['buyers', 'lookers'].map((name) => scenarioOf({ name, stages: [rate] }))
    const console = await world.console()
    await world.agents(1)
    const spec = specOf({ profile: { scenarios }, thresholds: [threshold('errors{scenario:byers}<1%')] })
    await assert.rejects(
      console.ask({ type: 'submit', spec }),
      /there is no scenario byers: the run has buyers, lookers/,
    )
  })
})

describe('the warm-up of a run', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  it('has commits of its own and is in no figure but the books', async () => {
    const agents = await world.agents(2)
    for (const agent of agents) agent.onStage = () => {}
    const thresholds = [threshold('failures==0')]
    const run = await world.began(agents, { profile: profileOf(rate), warmUpMs: 2000, thresholds })
    for (let second = 0; second < 5; second++) {
      await world.pass(1000)
      for (const [index, agent] of agents.entries()) {
        const session = agent.session()
        if (second < 2) session.fail(3)
        else session.execute(index, session.executions, 10)
        session.send(agent.connection)
      }
    }
    await world.pass(1000)
    for (const agent of agents) agent.endStage(agent.session(), 0)
    const summary = await world.finished(run)
    for (const commit of run.ofType('commit')) {
      const early = commit.windows.map(({ fromMs }) => fromMs < 2000)
      assert.equal(new Set(early).size, 1)
      assert.equal(commit.warmUp, early[0])
    }
    assert.deepEqual([summary.exitCode, summary.reasons], [0, []])
    const { tests, hits, warmUp, coverage } = summary
    assert.deepEqual([tests.started, tests.finished, tests.failures], [60, 60, 0])
    assert.equal(hits.count, 60)
    assert.equal(hits.perSecond, 60 / (summary.durationSeconds - warmUp!.seconds))
    assert.deepEqual(warmUp, { seconds: 2, hits: 0, executions: 12 })
    assert.equal(coverage.windowsReceived, 12)
    assert.deepEqual(
      summary.agents.map(({ ledger }) => ledger.finished),
      [36, 36],
    )
    assert.deepEqual(summary.thresholds[0], {
      expression: 'failures==0',
      value: 0,
      ok: true,
      abortOnFail: false,
    })
  })

  it('that never ends leaves nothing to judge', async () => {
    const [agent] = await world.agents(1)
    const run = await world.began([agent!], { warmUpMs: 60_000 })
    agent!.runStage(agent!.session(), 0)
    const summary = await world.finished(run)
    assert.deepEqual([summary.exitCode, summary.reasons], [1, ['no execution finished']])
    assert.deepEqual([summary.hits.count, summary.hits.perSecond, summary.warmUp?.executions], [0, 0, 30])
  })
})

describe('the generator of a run', () => {
  let world: World
  beforeEach(async () => {
    world = await new World().open()
  })
  afterEach(async () => {
    assert.deepEqual(world.defects(), [])
    await world.close()
  })

  async function lateRun(changes: Partial<RunSpec>) {
    const [agent] = await world.agents(1)
    agent!.onStage = () => {}
    const run = await world.began([agent!], changes)
    const session = agent!.session()
    for (let second = 0; second < 10; second++) {
      await world.pass(1000)
      session.latenessMs = second < 4 ? 15 : 0
      session.execute(0, session.executions, 3)
      session.send(agent!.connection)
    }
    agent!.endStage(session, 0)
    return world.finished(run)
  }

  it('that was the limit of an open model decides with 6, and its seconds are tainted', async () => {
    const summary = await lateRun({ profile: profileOf(rate) })
    assert.deepEqual([summary.exitCode, summary.verdict], [6, 'generator-limited'])
    assert.match(
      summary.reasons[0]!,
      /^generator-limited: a1 was late by more than 10 ms in 36 % of the windows/,
    )
    assert.equal(summary.generator.limited, true)
    assert.deepEqual(summary.generator.tainted, [
      { agent: 'a1', fromSecond: 0, toSecond: 4, reasons: ['lateness'] },
    ])
    assert.match(summary.generator.warnings[0]!, /^a1 was late with starts/)
  })

  it('is warned of in a closed model', async () => {
    const summary = await lateRun({ profile: profileOf(hitsPerUser(1, 30)) })
    assert.deepEqual([summary.exitCode, summary.generator.limited], [0, false])
    assert.match(summary.generator.warnings[0]!, /^a1 was late with starts/)
  })
})
