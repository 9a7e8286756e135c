import assert from 'node:assert/strict'
import { HealthWatch } from '../src/health-watch.ts'
import { SessionThread } from '../src/session-thread.ts'

describe('health watch', () => {
  it('tells what is new in each window: the worst thread, all ports, lateness of all', () => {
    const watch = new HealthWatch()
    const threads = [new SessionThread(0), new SessionThread(1)]
    watch.begin()
    threads[0]!.state.gcMs = 5
    threads[1]!.state.gcMs = 8
    threads[1]!.state.add('portsExhausted', 2)
    for (let start = 0; start < 98; start++) threads[0]!.state.late(300)
    for (let start = 0; start < 2; start++) threads[1]!.state.late(40_000)
    threads[1]!.state.eventLoopLagMs = 12
    const first = watch.look(threads, 1000)
    assert.equal(first.gcMs, 8)
    assert.equal(first.portsExhausted, true)
    assert.ok(Math.abs(first.latenessMs - 40) < 0.4, `${first.latenessMs}`)
    assert.ok(first.eventLoopLagMs >= 12)
    threads[0]!.state.gcMs = 6
    const second = watch.look(threads, 1000)
    assert.deepEqual([second.gcMs, second.portsExhausted, second.latenessMs], [1, false, 0])
  })
})

describe('session thread', () => {
  it('takes the end of a stage for old news when it was given more since', () => {
    const thread = new SessionThread(0)
    thread.give(3)
    thread.give(3)
    thread.done(3, 1)
    assert.deepEqual([...thread.stages], [3])
    thread.done(3, 2)
    assert.deepEqual([...thread.stages], [])
  })

  it('knows for how long it has been blocked, and warns once', () => {
    const thread = new SessionThread(0)
    thread.wakeUp(1000)
    assert.equal(thread.blockedFor(4000), 3000)
    assert.equal(thread.shouldWarn(3000), true)
    assert.equal(thread.shouldWarn(3100), false)
    thread.state.add('beats', 1)
    assert.equal(thread.blockedFor(4100), 0)
    assert.equal(thread.shouldWarn(thread.blockedFor(9000)), true)
    thread.state.add('beats', 1)
    assert.equal(thread.blockedFor(10_000), 0)
    // The whole process stood still.
    thread.unseenFor(60_000)
    assert.equal(thread.blockedFor(71_000), 1000)
  })
})
