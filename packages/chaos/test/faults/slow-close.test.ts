import assert from 'node:assert/strict'
import { atWork, ruleOf } from '../support/fake-flow.ts'

describe('slow_close', () => {
  it('delays the end alone', () => {
    const stage = atWork('slow_close', { delay: 100 })
    stage.send('a')
    assert.equal(stage.flow.text, 'a')
    assert.equal(stage.flow.told, null)
    stage.end()
    assert.equal(stage.flow.told, true)
    stage.advance(99)
    assert.equal(stage.flow.endedAt, null)
    stage.advance(1)
    assert.equal(stage.flow.endedAt, 100)
  })

  it('of 0 delays nothing and tells nothing', () => {
    const stage = atWork('slow_close')
    stage.end()
    assert.equal(stage.flow.endedAt, 0)
    assert.equal(stage.flow.told, null)
  })

  it('counts a changed delay from the end, and removal lets it through', () => {
    const stage = atWork('slow_close', { delay: 1000 })
    stage.end()
    stage.advance(50)
    stage.update(ruleOf('slow_close', { delay: 80 }))
    stage.advance(30)
    assert.equal(stage.flow.endedAt, 80)
    stage.remove()

    const removed = atWork('slow_close', { delay: 1000 })
    removed.end()
    removed.advance(10)
    removed.remove()
    assert.equal(removed.flow.endedAt, 10)
    const early = atWork('slow_close', { delay: 1000 })
    early.remove()
    assert.equal(early.flow.endedAt, null)
  })
})
