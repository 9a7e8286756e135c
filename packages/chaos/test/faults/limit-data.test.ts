import assert from 'node:assert/strict'
import { atWork, ruleOf } from '../support/fake-flow.ts'

describe('limit_data', () => {
  it('#16 limit_data: what is below the limit passes, with its end', () => {
    const stage = atWork('limit_data', { bytes: 10 })
    stage.send('abc')
    stage.send('defghi')
    stage.end()
    assert.equal(stage.flow.text, 'abcdefghi')
    assert.equal(stage.flow.endedAt, 0)
    assert.equal(stage.flow.closed, null)
    assert.equal(stage.flow.told, null)
  })

  it('#16 limit_data: closes when the limit is reached, exactly or in the middle of a piece', () => {
    for (const [text, passed] of [
      ['abcdefghij', 'abcdefghij'],
      ['abcdefghijkl', 'abcdefghij'],
    ] as const) {
      const stage = atWork('limit_data', { bytes: 10 })
      stage.send(text)
      assert.equal(stage.flow.text, passed)
      assert.equal(stage.flow.closed!.how, 'fin')
      assert.deepEqual(stage.flow.told, { bytes: 10 })
    }
  })

  it('#16 limit_data: counts over pieces; what comes behind the limit is dropped', () => {
    const stage = atWork('limit_data', { bytes: 10 })
    stage.send('abcdef')
    stage.send('ghijkl')
    stage.send('mno')
    stage.end()
    assert.equal(stage.flow.text, 'abcdefghij')
    assert.equal(stage.flow.endedAt, null)
  })

  it('#16 limit_data: of 0 closes at the first byte, not before', () => {
    const stage = atWork('limit_data')
    stage.advance(1000)
    assert.equal(stage.flow.closed, null)
    stage.send('a')
    assert.equal(stage.flow.text, '')
    assert.equal(stage.flow.closed!.how, 'fin')
    const ended = atWork('limit_data')
    ended.end()
    assert.equal(ended.flow.endedAt, 0)
  })

  it('#16 limit_data: the count survives an update', () => {
    const stage = atWork('limit_data', { bytes: 100 })
    stage.send(Buffer.alloc(90, 'a'))
    stage.update(ruleOf('limit_data', { bytes: 100 }))
    stage.send(Buffer.alloc(20, 'b'))
    assert.equal(stage.flow.text, 'a'.repeat(90) + 'b'.repeat(10))
    assert.equal(stage.flow.closed!.how, 'fin')
    const lower = atWork('limit_data', { bytes: 100 })
    lower.send(Buffer.alloc(90, 'a'))
    lower.update(ruleOf('limit_data', { bytes: 50 }))
    assert.equal(lower.flow.closed, null)
    lower.send('b')
    assert.equal(lower.flow.bytes.length, 90)
    assert.equal(lower.flow.closed!.how, 'fin')
  })

  it('#16 limit_data: removal lets everything pass again', () => {
    const stage = atWork('limit_data', { bytes: 10 })
    stage.send('abc')
    stage.remove()
    assert.equal(stage.flow.text, 'abc')
    assert.equal(stage.flow.closed, null)
  })
})
