import assert from 'node:assert/strict'
import type { LoadModel } from '@loads-runner/testcase/load'
import { closed, lasting } from '../helpers/run-session.ts'
import { virtualTime } from '../helpers/virtual-time.ts'
import { behavesAsExecutor } from './conformance.ts'
import { FakeThread } from './fake-thread.ts'

const shared = (users: number, hits: number): LoadModel => ({
  type: 'shared-hits',
  users,
  hits,
  rampUpMs: 0,
  maxDurationMs: null,
})

const ramping = (startUsers: number, ...steps: [number, number][]): LoadModel => ({
  type: 'ramping-users',
  startUsers,
  steps: steps.map(([durationMs, target]) => ({ durationMs, target })),
})

describe('hits per user', () => {
  virtualTime()

  behavesAsExecutor({ model: closed(5, 4), executions: 20, long: closed(5, 10_000) })

  it('knows executions by user and iteration, and counts ordinals over all users', async () => {
    const thread = new FakeThread({ model: closed(3, 2) })
    thread.start({ first: 1, count: 2 })
    await thread.idle()
    const made = thread.made.map(({ user, iteration, ordinal }) => `${user}/${iteration} is ${ordinal}`)
    assert.deepEqual(made.sort(), ['1/0 is 1', '1/1 is 4', '2/0 is 2', '2/1 is 5'])
  })

  it('keeps the pace of users, and does not let what timers are late by add up', async () => {
    const thread = new FakeThread({
      model: closed(1, 11),
      scenario: { pause: { type: 'pacing', ms: 20 } },
      lastsMs: 5,
    })
    thread.start()
    await thread.idle()
    const starts = thread.made.map((made) => made.beganAt - thread.begunAt)
    for (const [index, start] of starts.entries()) assert.ok(start >= 20 * index - 2, `${index}: ${start}`)
    assert.ok(starts[10]! < 260, `the last of them began after ${starts[10]} ms`)
  })

  it('ends a user that cannot be set up', async () => {
    const thread = new FakeThread({
      model: closed(2, 3),
      end: ({ user }) => (user === 0 ? 'unusable' : 'finished'),
    })
    const progress = thread.start()
    await thread.idle()
    assert.deepEqual([...progress], [1, 3])
  })
})

describe('constant users', () => {
  virtualTime()

  it('starts nothing after its time, and wakes who pauses', async () => {
    const thread = new FakeThread({
      model: lasting(4, 200),
      scenario: { pause: { type: 'uniform', fromMs: 10, toMs: 10_000 } },
    })
    const begun = performance.now()
    thread.start()
    await thread.idle()
    const lasted = performance.now() - begun
    assert.ok(lasted >= 199 && lasted < 2000, `${lasted} ms`)
    assert.ok(thread.made.every((made) => made.beganAt < begun + 202))
  })

  it('starts users over the ramp-up, every agent from its beginning', async () => {
    const thread = new FakeThread({ model: lasting(10, 500, 400), lastsMs: 1000 })
    thread.start({ first: 0, count: 5 })
    await thread.began(5)
    const starts = thread.made.map((made) => made.beganAt - thread.begunAt)
    assert.ok(starts[0]! < 150 && starts[4]! >= 239, starts.join(', '))
    thread.executor.cancel()
    await thread.idle()
  })
})

describe('shared hits', () => {
  virtualTime()

  behavesAsExecutor({ model: shared(4, 22), executions: 22, long: shared(4, 100_000) })

  it('lets whoever is free make hits of others, and counts them for their owners', async () => {
    const slow = new Set([2])
    const thread = new FakeThread({ model: shared(3, 31) })
    const progress = thread.start()
    for (const user of thread.users) {
      if (!slow.has(user.user)) continue
      const own = user.execute.bind(user)
      let first = true
      user.execute = async (...args) => {
        const end = await own(...args)
        if (first) await new Promise((resolve) => setTimeout(resolve, 200))
        first = false
        return end
      }
    }
    await thread.idle()
    assert.deepEqual([...progress], [11, 10, 10])
    assert.equal(new Set(thread.made.map((made) => made.ordinal)).size, 31)
  })
})

describe('ramping users', () => {
  virtualTime()

  it('follows its line up and down, and rests users above it', async () => {
    const thread = new FakeThread({ model: ramping(0, [300, 6], [200, 6], [300, 0]), lastsMs: 5 })
    thread.start()
    const active: [number, number][] = []
    const watch = setInterval(
      () => active.push([performance.now() - thread.begunAt, thread.state.get('activeUsers')]),
      10,
    )
    await thread.idle()
    clearInterval(watch)
    const most = Math.max(...active.map(([, users]) => users))
    assert.equal(most, 6)
    for (const made of thread.made) {
      const at = made.beganAt - thread.begunAt
      assert.ok(at < 801, `a start at ${at}`)
    }
    const early = thread.made.filter((made) => made.beganAt - thread.begunAt < 100).map((made) => made.user)
    assert.ok(new Set(early).size <= 2, 'two users at most in the first 100 ms')
    const late = thread.made.filter((made) => made.beganAt - thread.begunAt > 701).map((made) => made.user)
    assert.ok(new Set(late).size <= 2, 'two users at most in the last 100 ms')
    assert.equal(thread.users.length, 6)
  })

  it('lets a user above the line finish, and cuts it when that takes too long', async () => {
    const model = ramping(2, [100, 2], [0, 1], [400, 1])
    const patient = new FakeThread({ model, scenario: { gracefulStopMs: 5000 }, lastsMs: 300 })
    patient.start()
    await patient.idle()
    // Both begin at 0; the one above the line ends at 300, the other begins once more.
    assert.equal(patient.made.length, 3)
    const strict = new FakeThread({ model, scenario: { gracefulStopMs: 50 }, lastsMs: 300 })
    strict.start()
    await strict.idle()
    assert.equal(strict.made.length, 3)
    const counts = new Map<number, number>()
    for (const { user } of strict.made) counts.set(user, (counts.get(user) ?? 0) + 1)
    assert.deepEqual(
      [...counts.values()].sort((a, b) => a - b),
      [1, 2],
    )
  })

  it('uses a user again that it had rested, with its next iteration', async () => {
    const thread = new FakeThread({
      model: ramping(1, [60, 1], [0, 0], [60, 0], [0, 1], [60, 1]),
      lastsMs: 10,
    })
    thread.start()
    await thread.idle()
    assert.equal(thread.users.length, 1)
    const gaps = thread.made.slice(1).map((made, index) => made.beganAt - thread.made[index]!.beganAt)
    assert.equal(gaps.filter((gap) => gap > 50).length, 1)
    assert.deepEqual(
      thread.made.map((made) => made.iteration),
      thread.made.map((_, index) => index),
    )
  })

  it('drains and cancels as the others', async () => {
    for (const end of ['drain', 'cancel'] as const) {
      const thread = new FakeThread({
        model: ramping(3, [60_000, 3]),
        lastsMs: end === 'drain' ? 20 : Infinity,
      })
      thread.start()
      await thread.began(3)
      if (end === 'drain') thread.drain()
      else thread.executor.cancel()
      await thread.idle()
      assert.ok(thread.made.length >= 3 && thread.users.every((user) => user.ended))
    }
  })
})

describe('externally controlled users', () => {
  virtualTime()

  const model: LoadModel = {
    type: 'externally-controlled',
    controls: 'users',
    start: 1,
    durationMs: 700,
    users: 4,
    spacing: 'uniform',
    maxLateMs: 0,
  }

  it('follows an operator: more, none, and again', async () => {
    const thread = new FakeThread({ model, lastsMs: 5 })
    thread.start()
    await thread.began(3)
    assert.equal(thread.users.length, 1)
    const changes = [{ atMs: performance.now() - thread.begunAt, target: 9, paused: false }]
    thread.executor.control(changes)
    while (thread.running < 4) await thread.began(thread.made.length + 1)
    changes.push({ atMs: performance.now() - thread.begunAt, target: 9, paused: true })
    thread.executor.control(changes)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(thread.state.get('activeUsers'), 0)
    const paused = thread.made.length
    changes.push({ atMs: performance.now() - thread.begunAt, target: 2, paused: false })
    thread.executor.control(changes)
    await thread.began(paused + 1)
    await thread.idle()
    assert.ok(thread.mostRunning <= 4)
    assert.ok(performance.now() - thread.begunAt >= 699)
  })
})
