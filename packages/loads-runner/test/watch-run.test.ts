import assert from 'node:assert/strict'
import { hitsPerUser, profileOf } from '@loads-runner/protocol/testing'
import { BrokerConnection } from '../src/broker-connection.ts'
import { RunConduct } from '../src/conduct.ts'
import type { RunScopedCode } from '../src/conduct.ts'
import type { Display } from '../src/console/display.ts'
import { silentDisplay } from '../src/console/display.ts'
import { stopQuestion } from '../src/console/stop-question.ts'
import { RunnerError } from '../src/errors.ts'
import { Interrupts } from '../src/interrupts.ts'
import { Secrets } from '@loads-runner/testcase/secrets'
import { watchRun } from '../src/watch-run.ts'
import type { WatchedRun, WatchOptions } from '../src/watch-run.ts'
import { FakeBroker } from './fake-broker.ts'
import { fakeWorld } from './fake-world.ts'
import type { FakeWorld } from './fake-world.ts'
import { agentView, EventMaker, spec, summary } from './fixtures.ts'

describe('watchRun', () => {
  let broker: FakeBroker
  let maker: EventMaker
  let world: FakeWorld
  let interrupts: Interrupts
  let notices: string[]
  let display: Display

  beforeEach(() => {
    broker = new FakeBroker()
    maker = new EventMaker()
    world = fakeWorld([])
    interrupts = new Interrupts(world)
    notices = []
    display = { ...silentDisplay, notice: (text) => notices.push(text) }
  })
  afterEach(async () => {
    interrupts.close()
    assert.equal(world.listeners, 0)
    await broker.close()
  })

  async function watch(changes: Partial<WatchOptions> = {}) {
    const connection = await BrokerConnection.open(broker.dialer)
    return watchRun({
      connection,
      runId: 'r1',
      redial: null,
      patienceMs: 10_000,
      display,
      debug: false,
      interrupts,
      secrets: new Secrets([]),
      askToDetach: null,
      stopReason: null,
      onMessage: () => {},
      prepare: () => null,
      ...changes,
    })
  }

  const begin = async () => {
    await broker.until(() => broker.connected)
    broker.publish(maker.snapshot(), maker.state('running'))
    await broker.until(() => broker.received.length >= 2)
  }

  it('ends with the summary', async () => {
    const watching = watch()
    await begin()
    broker.publish(maker.commit(3), maker.finished())
    const { how, view } = await watching
    assert.equal(how, 'finished')
    assert.equal(view.aggregate.hits().count, 3)
    assert.equal(view.summary?.verdict, 'passed')
  })

  it('drains, cancels, kills, and then waits no longer', async () => {
    const watching = watch()
    await begin()
    const signals = ['SIGINT', 'SIGTERM', 'SIGINT'] as const
    for (const [index, signal] of signals.entries()) {
      world.signal(signal)
      await broker.until(() => broker.of('stop').length === index + 1)
    }
    assert.deepEqual(
      broker.of('stop').map(({ mode, reason }) => [mode, reason]),
      [
        ['drain', 'SIGINT'],
        ['cancel', 'SIGTERM'],
        ['kill', 'SIGINT'],
      ],
    )
    world.signal('SIGINT')
    assert.equal((await watching).how, 'left')
    assert.equal(notices.filter((text) => text.startsWith('stopping')).length, 3)
  })

  it('stops the run of somebody else as an operator', async () => {
    const watching = watch({ stopReason: 'operator' })
    await begin()
    world.signal('SIGINT')
    await broker.until(() => broker.of('stop').length === 1)
    assert.equal(broker.of('stop')[0]!.reason, 'operator')
    broker.publish(maker.finished())
    await watching
  })

  it('goes on when the terminal hangs up', async () => {
    const watching = watch()
    await begin()
    world.signal('SIGHUP')
    broker.publish(maker.finished())
    assert.equal((await watching).how, 'finished')
    assert.deepEqual(broker.of('stop'), [])
  })

  it('says when a stop is refused', async () => {
    broker.answers.stop = { refuse: 'the run is over', exitCode: 2 }
    const watching = watch()
    await begin()
    world.signal('SIGINT')
    await broker.until(() => broker.of('stop').length === 1)
    broker.publish(maker.finished())
    await watching
    assert.deepEqual(notices.slice(1), ['warning: the run could not be stopped: the run is over'])
  })

  describe('asked whether to detach', () => {
    const asked = async (...typed: string[]) => {
      const terminal = fakeWorld([], { columns: 80, typed })
      const watching = watch({ askToDetach: stopQuestion(terminal) })
      await begin()
      world.signal('SIGINT')
      return watching
    }

    it('leaves the run alone', async () => {
      const { how, view } = await asked('d')
      assert.deepEqual([how, view.summary], ['detached', null])
      assert.deepEqual(broker.of('stop'), [])
    })

    it('stops it', async () => {
      const watching = asked('stop')
      await broker.until(() => broker.of('stop').length === 1)
      broker.publish(maker.finished(summary({ verdict: 'aborted', exitCode: 130 })))
      assert.equal((await watching).how, 'finished')
      assert.equal(broker.of('stop')[0]!.mode, 'drain')
    })

    it('asks again after going on', async () => {
      const watching = asked('', 'd')
      await begin()
      // The answer "go on" is taken in before the next signal.
      await new Promise((resolve) => setImmediate(resolve))
      world.signal('SIGINT')
      assert.equal((await watching).how, 'detached')
      assert.deepEqual(broker.of('stop'), [])
    })

    it('takes another Ctrl-C for "stop"', async () => {
      const watching = asked()
      await broker.until(() => broker.received.length >= 2)
      await new Promise((resolve) => setImmediate(resolve))
      world.signal('SIGINT')
      await broker.until(() => broker.of('stop').length === 1)
      broker.publish(maker.finished())
      await watching
      assert.equal(broker.of('stop')[0]!.mode, 'drain')
    })

    it('cannot be asked without a terminal', () => {
      assert.equal(stopQuestion(fakeWorld([])), null)
      assert.equal(stopQuestion(fakeWorld([], { typed: [] })), null)
    })
  })

  it('follows the run over a new connection when the first one breaks', async () => {
    const watching = watch({ redial: () => BrokerConnection.open(broker.dialer) })
    await begin()
    broker.publish(maker.commit(2))
    await broker.until(() => broker.received.length === 3)
    await broker.hangUp()
    await broker.until(() => broker.of('subscribe').length === 1)
    const again = new EventMaker()
    broker.publish(again.snapshot({ state: 'running' }), again.commit(5), again.finished())
    const { view } = await watching
    assert.equal(view.aggregate.hits().count, 5)
    assert.match(notices[0]!, /^warning: the connection to the broker has ended .*trying again for 10 s$/)
    assert.equal(notices[1], 'connected to the broker again')
  })

  it('gives up when the broker stays away, and says how to come back', async () => {
    const watching = watch({ redial: () => Promise.reject(new Error('nothing there')), patienceMs: 300 })
    await begin()
    await broker.hangUp()
    await assert.rejects(watching, (error: unknown) => {
      assert.ok(error instanceof RunnerError)
      assert.deepEqual([error.code, error.exitCode], ['RUNNER_BROKER_LOST', 4])
      assert.match(error.message, /--attach r1$/)
      return true
    })
  })

  it('says that the broker is back without the run', async () => {
    broker.answers.subscribe = { refuse: 'there is no run r1', exitCode: 2 }
    const watching = watch({ redial: () => BrokerConnection.open(broker.dialer) })
    await begin()
    await broker.hangUp()
    await assert.rejects(watching, (error: unknown) => {
      assert.ok(error instanceof RunnerError)
      assert.deepEqual([error.code, error.exitCode], ['RUNNER_BROKER_LOST', 4])
      assert.equal(error.message, 'the broker is back and has forgotten the run: there is no run r1')
      return true
    })
  })

  it('gives up at once where there is nothing to dial again', async () => {
    const watching = watch()
    await begin()
    await broker.hangUp()
    await assert.rejects(watching, /the connection to the broker has ended/)
  })

  describe('with agents of our own', () => {
    const watchOwn = async () => {
      let watching!: ReturnType<typeof watch>
      const run = await new Promise<WatchedRun>((resolve) => {
        watching = watch({ prepare: (given) => (resolve(given), null) })
      })
      return { watching, run }
    }

    it('fails when one ends before the run begins', async () => {
      const { watching, run } = await watchOwn()
      run.processExited({ agent: 'agent-2', note: 'exit code 1', logTail: 'error: no such file' })
      await assert.rejects(
        watching,
        /^RunnerError: agent-2 ended before the run began \(exit code 1\)\nerror: no such file$/,
      )
    })

    it('fails when the broker ends, and says how', async () => {
      const { watching, run } = await watchOwn()
      await begin()
      run.processExited({ agent: null, note: 'signal SIGKILL', logTail: 'no memory' })
      await assert.rejects(
        watching,
        /^RunnerError: the broker has ended before the run \(signal SIGKILL\)\nno memory$/,
      )
    })

    it('tells the broker when one ends later', async () => {
      const { watching, run } = await watchOwn()
      await begin()
      run.processExited({ agent: 'agent-2', note: 'signal SIGKILL', logTail: '' })
      await broker.until(() => broker.of('agent-exited').length === 1)
      const { agent, note } = broker.of('agent-exited')[0]!
      assert.deepEqual([agent, note], ['agent-2', 'signal SIGKILL'])
      broker.publish(maker.finished())
      await watching
    })
  })

  it('shows lost agents, stages and warnings, and no secret', async () => {
    const stages = [10, 20].map((users) => hitsPerUser(users, 1))
    const watching = watch({ secrets: new Secrets(['hunter22']) })
    await broker.until(() => broker.connected)
    broker.publish(
      maker.snapshot({ spec: spec({ profile: profileOf(...stages) }) }),
      maker.state('queued', 'waiting for 2 agents'),
      maker.state('running'),
      { type: 'agent', at: 0, agent: agentView('a1', 'suspect'), note: 'silent for 2 s' },
      { type: 'log', at: 0, level: 'info', source: 'a1', text: 'quiet' },
      { type: 'log', at: 0, level: 'warning', source: 'a1', text: 'token hunter22' },
      maker.finished(summary({ reasons: ['with hunter22 in it'] })),
    )
    const { view } = await watching
    assert.deepEqual(notices, [
      'stage 1 of 2: 10 users, 1 execution each',
      'agent a1 on here is suspect: silent for 2 s',
      'warning: a1: token [redacted]',
    ])
    assert.deepEqual(view.summary?.reasons, ['with [redacted] in it'])
  })

  describe('as conductor', () => {
    const calls: string[] = []
    const code = (changes: Partial<RunScopedCode> = {}): RunScopedCode => ({
      setUpRun: () => (calls.push('setUpRun'), Promise.resolve('{"T":1}')),
      tearDownRun: () => (calls.push('tearDownRun'), Promise.resolve()),
      close: () => (calls.push('close'), Promise.resolve()),
      ...changes,
    })
    beforeEach(() => void (calls.length = 0))

    const conduct = (made: Promise<RunScopedCode>) => {
      let part!: RunConduct
      return watch({
        prepare: (run) =>
          (part = new RunConduct(
            made,
            'r1',
            () => run.connection,
            (text) => notices.push(text),
            (text) => text.replace('hunter22', '[redacted]'),
          )),
        onMessage: ({ event }) => part.take(event),
      })
    }

    it('sets up when all are ready and tears down when the load has ended, each once', async () => {
      const watching = conduct(Promise.resolve(code()))
      await broker.until(() => broker.connected)
      broker.publish(maker.snapshot(), maker.state('preparing'), maker.state('ready'))
      await broker.until(() => broker.of('set-up-done').length === 1)
      assert.deepEqual(
        [broker.of('set-up-done')[0]!.data, broker.of('set-up-done')[0]!.error],
        ['{"T":1}', null],
      )
      broker.publish(maker.state('running'), maker.state('draining', 'drain was asked for (operator)'))
      await broker.until(() => broker.received.length === 5)
      assert.deepEqual(calls, ['setUpRun'])
      broker.publish(maker.state('draining', 'tear-down'), maker.state('draining', 'tear-down'))
      await broker.until(() => broker.of('tear-down-done').length === 1)
      broker.publish(maker.finished())
      await watching
      assert.deepEqual(calls, ['setUpRun', 'tearDownRun', 'close'])
      assert.equal(broker.of('tear-down-done')[0]!.error, null)
    })

    it('reports a failed set-up, and still tears down', async () => {
      const watching = conduct(
        Promise.resolve(code({ setUpRun: () => Promise.reject(new Error('no database')) })),
      )
      await broker.until(() => broker.connected)
      broker.publish(maker.snapshot(), maker.state('ready'))
      await broker.until(() => broker.of('set-up-done').length === 1)
      assert.equal(broker.of('set-up-done')[0]!.error, 'no database')
      broker.publish(maker.finished(summary({ verdict: 'infrastructure', exitCode: 4 })))
      await watching
      assert.deepEqual(calls, ['tearDownRun', 'close'])
      assert.deepEqual(notices, ['error: setUpRun failed: no database'])
    })

    it('reports code that does not load as a failed set-up', async () => {
      const watching = conduct(Promise.reject(new Error('example.ts:3:1')))
      await broker.until(() => broker.connected)
      broker.publish(maker.snapshot(), maker.state('ready'))
      await broker.until(() => broker.of('set-up-done').length === 1)
      assert.equal(broker.of('set-up-done')[0]!.error, 'example.ts:3:1')
      broker.publish(maker.finished())
      await watching
    })

    it('reports what nothing awaits as a failure of the conductor', async () => {
      const watching = conduct(Promise.resolve(code()))
      await broker.until(() => broker.connected)
      broker.publish(maker.snapshot(), maker.state('ready'), maker.state('running'))
      await broker.until(() => broker.of('set-up-done').length === 1)
      assert.equal(broker.of('set-up-done')[0]!.error, null)
      // Only to the newest listener: mocha has one, too.
      process.listeners('uncaughtException').at(-1)!(new Error('its poller died'), 'uncaughtException')
      broker.publish(maker.state('draining', 'tear-down'))
      await broker.until(() => broker.of('tear-down-done').length === 1)
      assert.match(broker.of('tear-down-done')[0]!.error!, /its poller died/)
      assert.match(notices[0]!, /^error: nothing awaits .*its poller died/)
      broker.publish(maker.finished())
      await watching
    })

    it('does not wait for ever for a tear-down that hangs', async () => {
      const watching = conduct(Promise.resolve(code({ tearDownRun: () => new Promise(() => {}) })))
      await broker.until(() => broker.connected)
      broker.publish(maker.snapshot(), maker.state('ready'), maker.finished())
      await broker.until(() => broker.received.length === 3)
      world.signal('SIGINT')
      assert.equal((await watching).how, 'finished')
    })
  })
})

describe('Interrupts', () => {
  it('ends a step of the preparation', async () => {
    const world = fakeWorld([])
    const interrupts = new Interrupts(world)
    const never = interrupts.race(new Promise<void>(() => {}))
    world.signal('SIGTERM')
    await assert.rejects(never, (error: unknown) => (error as RunnerError).exitCode === 143)
    // A signal that came between two steps ends the next one.
    await assert.rejects(interrupts.race(Promise.resolve()), /interrupted by SIGTERM/)
    interrupts.close()
  })

  it('hands an early signal to whoever can stop the run', () => {
    const world = fakeWorld([])
    const interrupts = new Interrupts(world)
    world.signal('SIGINT')
    const seen: string[] = []
    interrupts.handle((reason) => seen.push(reason))
    world.signal('SIGTERM')
    assert.deepEqual(seen, ['SIGINT', 'SIGTERM'])
    assert.equal(interrupts.first, 'SIGINT')
    interrupts.close()
    world.signal('SIGINT')
    assert.equal(seen.length, 2)
  })
})
