import assert from 'node:assert/strict'
import { atWork } from '../support/fake-flow.ts'

describe('blackhole', () => {
  it('drops bytes and end, and never closes', () => {
    const stage = atWork('blackhole')
    stage.send('abc')
    stage.end()
    stage.advance(1e9)
    assert.equal(stage.flow.text, '')
    assert.equal(stage.flow.endedAt, null)
    assert.equal(stage.flow.closed, null)
    assert.equal(stage.flow.swallowed, 1)
    assert.equal(stage.flow.held, 0)
    assert.equal(stage.flow.told, true)
  })

  it('closes when it is removed, but only a connection that has lost something', () => {
    const spared = atWork('blackhole')
    spared.remove()
    assert.equal(spared.flow.closed, null)
    assert.equal(spared.flow.told, null)
    const hit = atWork('blackhole')
    hit.send('a')
    hit.remove()
    assert.equal(hit.flow.closed!.how, 'fin')
    const ended = atWork('blackhole')
    ended.end()
    ended.remove()
    assert.equal(ended.flow.closed!.how, 'fin')
  })
})
