import assert from 'node:assert/strict'
import { Timers } from '../../src/proxy/timers.ts'

describe('timers', () => {
  it('never fire early', async () => {
    const timers = new Timers()
    await Promise.all(
      Array.from({ length: 100 }, async (_, number) => {
        const ms = number / 7
        const began = performance.now()
        await new Promise<void>((resolve) => timers.after(ms, resolve))
        const took = performance.now() - began
        assert.ok(took >= ms, `${took} of ${ms} ms`)
      }),
    )
  })

  it('fire once, in order, unless they are cancelled or closed', async () => {
    const timers = new Timers()
    const fired: number[] = []
    timers.after(0, () => fired.push(0))
    timers.after(1, () => fired.push(1)).cancel()
    await new Promise<void>((resolve) => timers.after(5, resolve))
    timers.after(0, () => fired.push(2))
    timers.after(1, () => fired.push(3))
    timers.close()
    timers.after(0, () => fired.push(4))
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(fired, [0])
  })
})
