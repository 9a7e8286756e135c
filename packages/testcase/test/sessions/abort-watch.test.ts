import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { AbortWatch } from '../../src/sessions/abort-watch.ts'

describe('AbortWatch', () => {
  it('hears the signal it follows, and no other', () => {
    let aborts = 0
    const watch = new AbortWatch(() => aborts++)
    const [first, second] = [new AbortController(), new AbortController()]
    watch.follow(first.signal)
    watch.follow(first.signal)
    assert.equal(getEventListeners(first.signal, 'abort').length, 1)
    watch.follow(second.signal)
    assert.equal(getEventListeners(first.signal, 'abort').length, 0)
    first.abort()
    assert.equal(aborts, 0)
    second.abort()
    assert.equal(aborts, 1)
    watch.follow(null)
    assert.equal(getEventListeners(second.signal, 'abort').length, 0)
  })
})
