import assert from 'node:assert/strict'
import type { Random } from '../../src/random.ts'
import { atWork, ruleOf } from '../support/fake-flow.ts'

/** Gives these numbers, then 0.99 for ever. */
function scripted(...numbers: number[]): Random {
  return { next: () => numbers.shift() ?? 0.99 } as Random
}

describe('loss', () => {
  it('makes a lost segment wait for its retry, and all behind it; what was ahead has passed', () => {
    const stage = atWork('loss', { rate: 0.5, rto: 200 }, { random: scripted(0.9, 0.1, 0.9, 0.9) })
    stage.send(Buffer.alloc(1460 * 3, 'x'))
    assert.equal(stage.flow.bytes.length, 1460)
    assert.deepEqual(stage.flow.told, { retries: 1, ms: 200 })
    stage.advance(50)
    stage.send('behind')
    stage.end()
    stage.advance(149)
    assert.equal(stage.flow.bytes.length, 1460)
    stage.advance(1)
    assert.equal(stage.flow.bytes.length, 1460 * 3 + 6)
    assert.equal(stage.flow.endedAt, 200)
    assert.equal(stage.flow.held, 0)
  })

  it('doubles the time until each further retry', () => {
    const stage = atWork('loss', { rate: 0.5, rto: 100 }, { random: scripted(0.1, 0.1, 0.1, 0.9) })
    stage.send('abc')
    stage.advance(699)
    assert.equal(stage.flow.text, '')
    stage.advance(1)
    assert.equal(stage.flow.text, 'abc')
  })

  it('of 1 lets each segment through at last, and of 0 costs nothing', () => {
    const stage = atWork('loss', { rate: 1, rto: 100 })
    stage.send('abc')
    stage.advance(600_000)
    assert.equal(stage.flow.text, '')
    stage.advance(600_000)
    assert.equal(stage.flow.text, 'abc')
    const none = atWork('loss')
    none.send('abc')
    assert.equal(none.flow.text, 'abc')
    assert.equal(none.flow.clock.timers, 0)
    assert.equal(none.flow.told, null)
  })

  it('loses the share that was asked for', () => {
    const stage = atWork('loss', { rate: 0.2, rto: 1000 })
    let delayed = 0
    for (let round = 0; round < 5000; round++) {
      const before = stage.flow.passed.length
      stage.send('x')
      if (stage.flow.passed.length === before) delayed++
      stage.advance(1e7)
    }
    assert.ok(Math.abs(delayed - 1000) <= 3.3 * Math.sqrt(5000 * 0.2 * 0.8), `${delayed}`)
  })

  it('passes on at once what waits when it is removed, or when nothing is lost any more', () => {
    const removed = atWork('loss', { rate: 1 })
    removed.send('abc')
    removed.end()
    removed.remove()
    assert.equal(removed.flow.text, 'abc')
    assert.equal(removed.flow.endedAt, 0)
    const healed = atWork('loss', { rate: 1 })
    healed.send('abc')
    healed.update(ruleOf('loss', { rate: 0 }))
    assert.equal(healed.flow.text, 'abc')
  })
})
