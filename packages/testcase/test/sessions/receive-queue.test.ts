import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ReceiveQueue } from '../../src/sessions/receive-queue.ts'

describe('ReceiveQueue', () => {
  it('hands out every message once and in order, however pushes and takes mix', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (steps) => {
        const queue = new ReceiveQueue('ws://x', 1000)
        const taken: Promise<unknown>[] = []
        let pushed = 0
        for (const push of steps) {
          if (push) assert.ok(queue.push(String(pushed++)))
          else taken.push(queue.take(null))
        }
        const waiting = Math.max(0, taken.length - pushed)
        for (let extra = 0; extra < waiting; extra++) queue.push(String(pushed++))
        assert.deepEqual(
          await Promise.all(taken),
          taken.map((_each, index) => String(index)),
        )
        assert.equal(queue.waiting, pushed - taken.length)
      }),
    )
  })

  it('refuses what it has no room for', () => {
    const queue = new ReceiveQueue('ws://x', 2)
    assert.deepEqual([queue.push('a'), queue.push('b'), queue.push('c')], [true, true, false])
    queue.clear()
    assert.equal(queue.push('d'), true)
  })

  it('gives up waiting in time, without taking the message from the next', async () => {
    const queue = new ReceiveQueue('ws://x/y?token=1', 2)
    await assert.rejects(queue.take(5), {
      code: 'TESTCASE_WEBSOCKET',
      message: 'WebSocket ws://x/y: no message within 5 ms',
    })
    const next = queue.take(10_000)
    queue.push('for the next')
    assert.equal(await next, 'for the next')
  })

  it('fails all that wait', async () => {
    const queue = new ReceiveQueue('ws://x', 2)
    assert.equal(queue.fail(new Error('nobody')), false)
    const waiting = [queue.take(null), queue.take(10_000)]
    queue.interrupt()
    for (const each of waiting) await assert.rejects(each, { name: 'InterruptedError' })
  })
})
