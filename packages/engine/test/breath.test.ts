import assert from 'node:assert/strict'
import { Breath } from '../src/breath.ts'

describe('breath', () => {
  it('lets everybody go on while the event loop turns', async () => {
    const breath = new Breath()
    let now = 0
    for (let turn = 0; turn < 5; turn++) {
      assert.equal(breath.take(now), null)
      assert.equal(breath.take(now + 9), null)
      await new Promise((resolve) => setImmediate(resolve))
      // Long executions that waited: the loop has turned meanwhile.
      now += 100
    }
  })

  it('holds everybody up for the same turn when there was none for too long', async () => {
    const breath = new Breath()
    assert.equal(breath.take(0), null)
    const held = breath.take(10)
    assert.ok(held instanceof Promise)
    assert.equal(breath.take(11), held)
    let turned = false
    setImmediate(() => (turned = true))
    await held
    assert.equal(breath.take(20), null)
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(turned)
  })
})
