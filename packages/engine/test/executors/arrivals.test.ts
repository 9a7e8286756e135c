import assert from 'node:assert/strict'
import type { LoadModel } from '@loads-runner/testcase/load'
import { arriving } from '../helpers/run-session.ts'
import { virtualTime } from '../helpers/virtual-time.ts'
import { behavesAsExecutor } from './conformance.ts'
import { FakeThread } from './fake-thread.ts'

const latenessOf = (thread: FakeThread) => thread.made.map((made) => made.beganAt - made.intendedAt!)

describe('constant rate', () => {
  virtualTime()

  behavesAsExecutor({ model: arriving(200, 200, 10), executions: 40, long: arriving(100, 60_000, 10) })

  it('starts each execution when it is due, never early, in order', async () => {
    const thread = new FakeThread({ model: arriving(100, 500, 50), lastsMs: 20 })
    thread.start()
    await thread.idle()
    assert.equal(thread.made.length, 50)
    const epoch = thread.made[0]!.intendedAt!
    for (const [index, made] of thread.made.entries()) {
      assert.equal(made.ordinal, index)
      assert.ok(Math.abs(made.intendedAt! - epoch - index * 10) < 1e-6)
    }
    assert.ok(latenessOf(thread).every((late) => late >= 0))
    assert.deepEqual(
      ['planned', 'arrived', 'dropped'].map((each) => thread.state.get(each as 'planned')),
      [50, 50, 0],
    )
    assert.ok(thread.state.lateness.reduce((sum, count) => sum + count, 0) === 50, 'all found a user')
    assert.ok(performance.now() - thread.begunAt >= 499, 'the stage lasts as long as planned')
  })

  it('makes users as they are needed, and uses the fewest', async () => {
    const quick = new FakeThread({ model: arriving(100, 300, 50), lastsMs: 0 })
    quick.start()
    await quick.idle()
    assert.equal(quick.users.length, 1)
    const slow = new FakeThread({ model: arriving(100, 300, 50), lastsMs: 1000 })
    slow.start()
    await slow.began(30)
    assert.equal(slow.users.length, 30)
    assert.equal(new Set(slow.users.map((user) => user.user)).size, 30)
    slow.executor.cancel()
    await slow.idle()
  })

  it('lets starts wait for a user in their order: late, and it shows', async () => {
    const thread = new FakeThread({ model: arriving(50, 200, 1), lastsMs: 40 })
    thread.start()
    await thread.idle()
    // One user makes 25 a second: those due in 200 ms take 400.
    assert.deepEqual(
      thread.made.map((made) => made.ordinal),
      Array.from({ length: 10 }, (_, ordinal) => ordinal),
    )
    const late = latenessOf(thread)
    assert.ok(late[9]! >= 9 * 40 - 9 * 20 - 2, `the last one was ${late[9]} ms late`)
    assert.deepEqual([thread.state.get('planned'), thread.state.get('dropped')], [10, 0])
    assert.equal(
      thread.state.lateness.reduce((sum, count) => sum + count, 0),
      1,
      'only the first found a user when it was due',
    )
  })

  it('drops what waited too long, and counts it: planned = started + dropped', async () => {
    const thread = new FakeThread({ model: arriving(100, 400, 2, 50), lastsMs: 100 })
    const progress = thread.start()
    await thread.idle()
    const dropped = thread.state.get('dropped')
    assert.equal(thread.state.get('planned'), 40)
    assert.equal(thread.made.length + dropped, 40)
    assert.ok(dropped > 10, `${dropped} dropped`)
    assert.equal(
      progress.reduce((sum, done) => sum + done, 0),
      40,
    )
    assert.ok(latenessOf(thread).every((late) => late < 150))
  })

  it('drops what waits when it is drained or cancelled', async () => {
    for (const how of ['drain', 'cancel'] as const) {
      const thread = new FakeThread({
        model: arriving(200, 60_000, 1),
        lastsMs: how === 'drain' ? 100 : Infinity,
      })
      thread.start()
      await new Promise((resolve) => setTimeout(resolve, 60))
      if (how === 'drain') thread.drain()
      else thread.executor.cancel()
      await thread.idle()
      const planned = thread.state.get('planned')
      assert.ok(planned >= 10, `${planned}`)
      assert.equal(planned, thread.made.length + thread.state.get('dropped'))
    }
  })

  it('catches up in order after the thread was blocked', async () => {
    const thread = new FakeThread({ model: arriving(1000, 300, 500), lastsMs: 1 })
    thread.start()
    await thread.began(20)
    const until = performance.now() + 100
    while (performance.now() < until);
    await thread.idle()
    assert.equal(thread.made.length, 300)
    assert.ok(thread.made.every((made, index) => made.ordinal === index))
    assert.ok(Math.max(...latenessOf(thread)) >= 90)
    assert.equal(thread.state.get('dropped'), 0)
  })

  it('makes users anew that could not be set up', async () => {
    const thread = new FakeThread({ model: arriving(100, 100, 2), end: () => 'unusable' })
    thread.start()
    await thread.idle()
    assert.equal(thread.made.length, 10)
    assert.ok(thread.users.every((user) => user.ended && user.user < 2))
  })

  it('lets users pause between executions', async () => {
    const thread = new FakeThread({
      model: arriving(100, 200, 100),
      scenario: { pause: { type: 'constant', ms: 100 } },
      lastsMs: 0,
    })
    thread.start()
    await thread.idle()
    assert.ok(thread.users.length >= 8, `${thread.users.length} users`)
  })
})

describe('ramping rate', () => {
  virtualTime()

  const model: LoadModel = {
    type: 'ramping-rate',
    startRate: 0,
    steps: [
      { durationMs: 300, target: 200 },
      { durationMs: 100, target: 0 },
    ],
    spacing: 'uniform',
    users: 20,
    maxLateMs: 1000,
  }
  behavesAsExecutor({
    model,
    executions: 40,
    long: { ...model, steps: [{ durationMs: 60_000, target: 20_000 }] },
  })
})

describe('constant rate, Poisson', () => {
  virtualTime()

  const model: LoadModel = {
    ...(arriving(200, 200, 10) as Extract<LoadModel, { type: 'constant-rate' }>),
    spacing: 'poisson',
  }
  behavesAsExecutor({ model, executions: 40, long: { ...model, durationMs: 60_000 } })
})

describe('externally controlled rate', () => {
  virtualTime()

  const model: LoadModel = {
    type: 'externally-controlled',
    controls: 'rate',
    start: 100,
    durationMs: null,
    users: 50,
    spacing: 'uniform',
    maxLateMs: 1000,
  }

  it('follows an operator until it is drained', async () => {
    const thread = new FakeThread({ model })
    thread.start()
    await thread.began(10)
    const now = () => performance.now() - thread.begunAt
    const changes = [{ atMs: now(), target: 0, paused: true }]
    thread.executor.control(changes)
    const paused = thread.made.length
    await new Promise((resolve) => setTimeout(resolve, 60))
    assert.ok(thread.made.length <= paused + 1)
    changes.push({ atMs: now(), target: 400, paused: false })
    thread.executor.control(changes)
    const resumedAt = performance.now()
    await thread.began(paused + 41)
    assert.ok(performance.now() - resumedAt >= 90, '40 starts at 400/s')
    thread.drain()
    await thread.idle()
    assert.equal(thread.state.get('planned'), thread.made.length)
  })
})
