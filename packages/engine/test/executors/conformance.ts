import assert from 'node:assert/strict'
import type { LoadModel } from '@loads-runner/testcase/load'
import { FakeThread } from './fake-thread.ts'

export interface ExecutorCase {
  /** Short, with a known number of executions, and more than one unit. */
  model: LoadModel
  executions: number
  /** As `model`, but going on for long enough to be stopped. */
  long: LoadModel
}

/** What every load model does alike. */
export function behavesAsExecutor(test: ExecutorCase): void {
  it('makes its executions, counts them for its units, ends its users, and says when it is idle', async () => {
    const thread = new FakeThread({ model: test.model })
    const progress = thread.start()
    assert.equal(thread.executor.idle, false)
    await thread.idle()
    assert.equal(thread.made.length, test.executions)
    assert.equal(
      progress.reduce((sum, done) => sum + done, 0),
      test.executions,
    )
    assert.equal(new Set(thread.made.map((made) => made.ordinal)).size, test.executions, 'each ordinal once')
    assert.ok(thread.users.every((user) => user.ended))
    assert.equal(thread.state.get('activeUsers'), 0)
    assert.equal(thread.idles, 1)
  })

  it('makes the same executions in several threads as in one', async () => {
    const { units } = new FakeThread({ model: test.model }).view.run
    const half = Math.ceil(units / 2)
    const threads = [new FakeThread({ model: test.model }), new FakeThread({ model: test.model })]
    threads[0]!.start({ first: 0, count: half })
    threads[1]!.start({ first: half, count: units - half })
    await Promise.all(threads.map((thread) => thread.idle()))
    const ordinals = threads.flatMap((thread) => thread.made.map((made) => made.ordinal))
    assert.deepEqual(
      ordinals.sort((a, b) => a - b),
      Array.from({ length: test.executions }, (_, ordinal) => ordinal),
    )
    const users = threads.map((thread) => new Set(thread.users.map((user) => user.user)))
    assert.ok(
      [...users[0]!].every((user) => !users[1]!.has(user)),
      'each user belongs to one thread',
    )
  })

  it('goes on with units where they stopped elsewhere', async () => {
    const alone = new FakeThread({ model: test.model })
    const whole = alone.start({ first: 1, count: 1 })
    await alone.idle()
    assert.ok(whole[0]! > 1, 'the unit has more than one execution')
    const thread = new FakeThread({ model: test.model })
    const progress = new Uint32Array([1])
    thread.executor.join([{ unit: 1, stage: 0, fromIteration: 1 }], progress)
    await thread.idle()
    assert.equal(thread.made.length, whole[0]! - 1)
    assert.equal(progress[0], whole[0])
  })

  it('is idle at once without units, and takes some afterwards', async () => {
    const thread = new FakeThread({ model: test.long })
    thread.start({ first: 0, count: 0 })
    if (test.model.type.endsWith('rate')) thread.executor.drain()
    await thread.idle()
    assert.deepEqual([thread.made.length, thread.idles], [0, 1])
  })

  it('starts nothing more when drained, and lets what runs finish', async () => {
    const thread = new FakeThread({ model: test.long, lastsMs: 30 })
    thread.start()
    await thread.began(1)
    const running = thread.running
    thread.drain()
    const made = thread.made.length
    await thread.idle()
    assert.ok(running > 0)
    assert.equal(thread.made.length, made)
    assert.ok(thread.users.every((user) => user.ended))
  })

  it('cuts what runs when cancelled', async () => {
    const thread = new FakeThread({ model: test.long, lastsMs: Infinity })
    thread.start()
    await thread.began(1)
    thread.executor.timeOutSince(performance.now())
    assert.ok(
      thread.users.some((user) => user.timedOut === 1),
      'users hear of time-outs',
    )
    thread.executor.cancel()
    await thread.idle()
    assert.equal(thread.running, 0)
  })
}
