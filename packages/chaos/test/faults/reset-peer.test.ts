import assert from 'node:assert/strict'
import { atWork, ruleOf } from '../support/fake-flow.ts'

describe('reset_peer', () => {
  it('#14 resets some time after the first bytes, which never arrive', () => {
    const stage = atWork('reset_peer', { timeout: 100 })
    stage.advance(500)
    assert.equal(stage.flow.closed, null)
    stage.send('a')
    stage.advance(60)
    stage.send('b')
    stage.advance(39)
    assert.equal(stage.flow.closed, null)
    stage.advance(1)
    assert.deepEqual(stage.flow.closed, { at: 600, how: 'rst' })
    assert.equal(stage.flow.text, '')
    assert.equal(stage.flow.told, true)
  })

  it('resets at the end, too', () => {
    const stage = atWork('reset_peer')
    stage.end()
    stage.advance(0)
    assert.equal(stage.flow.closed!.how, 'rst')
    assert.equal(stage.flow.endedAt, null)
  })

  it('can be taken back while it waits: nothing is lost', () => {
    const stage = atWork('reset_peer', { timeout: 1000 })
    stage.send('a')
    stage.send('b')
    stage.end()
    stage.advance(999)
    stage.remove()
    assert.equal(stage.flow.text, 'ab')
    assert.equal(stage.flow.endedAt, 999)
    assert.equal(stage.flow.held, 0)
    stage.advance(1000)
    assert.equal(stage.flow.closed, null)
    assert.equal(stage.flow.told, null)
  })

  it('counts a changed time from the first bytes', () => {
    const stage = atWork('reset_peer', { timeout: 1000 })
    stage.send('a')
    stage.advance(50)
    stage.update(ruleOf('reset_peer', { timeout: 10 }))
    stage.advance(0)
    assert.equal(stage.flow.closed!.at, 50)
  })
})
