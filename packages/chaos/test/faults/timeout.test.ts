import assert from 'node:assert/strict'
import { atWork, ruleOf } from '../support/fake-flow.ts'

describe('timeout', () => {
  it('#13 drops everything and closes after a time of silence', () => {
    const stage = atWork('timeout', { timeout: 100 })
    stage.send('abc')
    stage.advance(99)
    assert.equal(stage.flow.closed, null)
    stage.advance(1)
    assert.deepEqual(stage.flow.closed, { at: 100, how: 'fin' })
    assert.equal(stage.flow.text, '')
    assert.equal(stage.flow.held, 0)
  })

  it('#33 begins its time anew with all that is dropped', () => {
    const stage = atWork('timeout', { timeout: 100 })
    for (let round = 0; round < 20; round++) {
      stage.advance(60)
      stage.send('x')
    }
    assert.equal(stage.flow.closed, null)
    stage.advance(99)
    assert.equal(stage.flow.closed, null)
    stage.advance(1)
    assert.equal(stage.flow.closed!.at, 1300)
  })

  it('of 0 never closes, not at the end either', () => {
    const stage = atWork('timeout')
    stage.send('x')
    stage.end()
    stage.advance(1e9)
    assert.equal(stage.flow.closed, null)
    assert.equal(stage.flow.endedAt, null)
    assert.equal(stage.flow.swallowed, 1)
  })

  it('#13 closes when it is removed, and takes a new time from the last byte', () => {
    const removed = atWork('timeout')
    removed.remove()
    assert.equal(removed.flow.closed!.how, 'fin')
    const waits = atWork('timeout', { timeout: '1h' })
    waits.remove()
    assert.equal(waits.flow.clock.timers, 0)

    const stage = atWork('timeout')
    stage.advance(20)
    stage.send('x')
    stage.advance(30)
    stage.update(ruleOf('timeout', { timeout: 50 }))
    stage.advance(19)
    assert.equal(stage.flow.closed, null)
    stage.advance(1)
    assert.equal(stage.flow.closed!.at, 70)
  })
})
