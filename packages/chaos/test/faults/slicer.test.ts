import assert from 'node:assert/strict'
import { atWork, ruleOf } from '../support/fake-flow.ts'

describe('slicer', () => {
  it('#15 cuts 480 KB into pieces of 1024 bytes, 512 less or more', () => {
    const stage = atWork('slicer', { average_size: 1024, size_variation: 512 })
    const sent = Buffer.alloc(480_000, 'what is sent')
    for (let at = 0; at < sent.length; at += 65_536) stage.send(sent.subarray(at, at + 65_536))
    stage.end()
    stage.advance(100)
    const sizes = stage.flow.passed.map(({ bytes }) => bytes.length)
    assert.ok(sizes.length >= 240 && sizes.length <= 720, `${sizes.length}`)
    assert.ok(Math.max(...sizes) <= 1536)
    assert.ok(sizes.filter((size) => size < 512).length <= 8)
    assert.ok(sent.equals(stage.flow.bytes))
    assert.notEqual(stage.flow.endedAt, null)
  })

  it('shows a pause that is read back as the same, however long it is', () => {
    for (const delay of [0.001, 0.1, 1500, 1_234_567_890.123, 1_999_000_000_000.001]) {
      const { shown, attributes } = ruleOf('slicer', { average_size: 1, delay })
      assert.deepEqual(ruleOf('slicer', shown).attributes, attributes)
    }
  })

  it('#15 cuts 24 bytes into 24 pieces of one', () => {
    const stage = atWork('slicer', { average_size: 1, size_variation: 0 })
    stage.send('abcdefghijklmnopqrstuvwx')
    assert.equal(stage.flow.passed.length, 24)
    assert.equal(stage.flow.text, 'abcdefghijklmnopqrstuvwx')
  })

  it('waits after each piece', () => {
    const stage = atWork('slicer', { average_size: 2, delay: 10_000 })
    stage.send('abcdef')
    stage.end()
    stage.advance(25)
    assert.deepEqual(
      stage.flow.passed.map(({ at, bytes }) => [at, bytes.toString()]),
      [
        [0, 'ab'],
        [10, 'cd'],
        [20, 'ef'],
      ],
    )
    assert.equal(stage.flow.endedAt, 20)
    // The pause after the last piece has not ended for the next.
    const late = atWork('slicer', { average_size: 2, delay: 10_000 })
    late.send('ab')
    late.advance(4)
    late.send('cd')
    late.advance(20)
    assert.equal(late.flow.passed[1]!.at, 10)
  })

  it('makes pauses of microseconds together, and owes nothing in sum', () => {
    for (const late of [0, 1, 3.7]) {
      const stage = atWork('slicer', { average_size: 1, delay: 100 }, { late })
      stage.send(Buffer.alloc(2001))
      while (stage.flow.held > 0) stage.advance(1)
      const took = stage.flow.passed.at(-1)!.at
      assert.ok(took >= 200 && took <= 202 + 2 * late, `${took} ms`)
    }
  })

  it('lets others have their turn', () => {
    const stage = atWork('slicer', { average_size: 1 })
    stage.send(Buffer.alloc(10_000))
    assert.ok(stage.flow.passed.length < 1000)
    stage.advance(0)
    assert.equal(stage.flow.passed.length, 10_000)
  })

  it('of size 0 leaves pieces as they came, and a variation beyond the size leaves at least 1 byte', () => {
    const whole = atWork('slicer')
    whole.send('abc')
    whole.send('def')
    assert.equal(whole.flow.passed.length, 2)
    const wild = atWork('slicer', { average_size: 3, size_variation: 100 })
    wild.send(Buffer.alloc(1000, 'x'))
    assert.equal(wild.flow.bytes.length, 1000)
    assert.ok(wild.flow.passed.length >= 9)
    assert.ok(wild.flow.passed.some(({ bytes }) => bytes.length === 1))
  })

  it('passes on the rest at once when removed, and waits no longer for a pause that is shorter now', () => {
    const stage = atWork('slicer', { average_size: 2, delay: 1_000_000 })
    stage.send('abcdef')
    stage.end()
    stage.update(ruleOf('slicer', { average_size: 2, delay: 1000 }))
    stage.advance(1)
    assert.equal(stage.flow.text, 'abcd')
    stage.update(ruleOf('slicer', { average_size: 1, delay: 1_000_000 }))
    stage.remove()
    assert.equal(stage.flow.text, 'abcdef')
    assert.equal(stage.flow.endedAt, 1)
  })
})
