import assert from 'node:assert/strict'
import { atWork, ruleOf } from '../support/fake-flow.ts'

describe('limit_time', () => {
  it('#33 closes after its time although bytes flow', () => {
    for (const how of ['fin', 'rst'] as const) {
      const stage = atWork('limit_time', { time: 100, how })
      for (let round = 0; round < 9; round++) {
        stage.send('x')
        stage.advance(11)
      }
      assert.equal(stage.flow.closed, null)
      assert.equal(stage.flow.text, 'x'.repeat(9))
      assert.equal(stage.flow.told, null)
      stage.advance(1)
      assert.deepEqual(stage.flow.closed, { at: 100, how })
      assert.equal(stage.flow.told, true)
    }
  })

  it('counts a changed time from the start; a connection that ends before is left alone', () => {
    const stage = atWork('limit_time', { time: '1h' })
    stage.advance(200)
    stage.update(ruleOf('limit_time', { time: '300ms', how: 'rst' }))
    stage.end()
    assert.equal(stage.flow.endedAt, 200)
    stage.advance(100)
    assert.deepEqual(stage.flow.closed, { at: 300, how: 'rst' })
    const removed = atWork('limit_time', { time: 100 })
    removed.remove()
    removed.advance(1000)
    assert.equal(removed.flow.closed, null)
    assert.equal(removed.flow.clock.timers, 0)
  })
})
