import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { TimeLimit } from '../../src/channels/time-limit.ts'

describe('TimeLimit', () => {
  it('is up after its time', async () => {
    const limit = new TimeLimit(50)
    try {
      while (limit.leftMs > 0) await delay(5)
    } finally {
      limit.end()
    }
  })

  it('does not count a standstill of this process', () => {
    const limit = new TimeLimit(1_500)
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
      assert.ok(limit.leftMs >= 500, `${limit.leftMs} ms`)
    } finally {
      limit.end()
    }
  })
})
