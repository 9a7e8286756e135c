import assert from 'node:assert/strict'
import { GeneratorHealth } from '../src/generator-health.ts'

describe('GeneratorHealth', () => {
  it('knows nothing before the first window', () => {
    const health = new GeneratorHealth()
    assert.equal(health.lagP99(), null)
    assert.equal(health.cpu(), null)
    assert.deepEqual(health.warnings(), [])
  })

  it('warns of an agent that was late in more than 5 % of its windows, and of no other', () => {
    const health = new GeneratorHealth()
    for (let index = 0; index < 100; index++) {
      health.take('a1', 1, index < 6 ? 25 : 1, 0.1)
      health.take('a2', 1, index < 5 ? 25 : 1, 0.1)
    }
    assert.equal(health.warnings().length, 1)
    assert.match(health.warnings()[0]!, /^a1 was late: event-loop lag above 10 ms in 6 % of the windows/)
    assert.equal(health.lagP99(), 25)
  })

  it('says it once for all late agents', () => {
    const health = new GeneratorHealth()
    for (let index = 0; index < 100; index++) {
      for (const [agent, late] of [
        ['a1', 20],
        ['a2', 30],
        ['a3', 50],
        ['a4', 40],
      ] as const) {
        health.take(agent, 1, index < late ? 25 : 1, 0.1)
      }
    }
    assert.equal(health.warnings().length, 1)
    assert.match(health.warnings()[0]!, /^a1, a2 and 2 more were late: .* in 20 to 50 % of the windows/)
  })

  it('warns of an agent all of whose load threads are busy', () => {
    const health = new GeneratorHealth()
    for (let index = 0; index < 3; index++) {
      health.take('a1', 2, 1, 1.9)
      health.take('a2', 2, 1, 1.5)
    }
    assert.deepEqual(
      health.warnings().map((text) => text.slice(0, 2)),
      ['a1'],
    )
    assert.equal(health.cpu(), 3.4)
  })

  it('does not judge by the first two windows of a run', () => {
    const health = new GeneratorHealth()
    for (let index = 0; index < 2; index++) health.take('a1', 1, 50, 1)
    assert.deepEqual(health.warnings(), [])
    health.take('a1', 1, 50, 1)
    assert.equal(health.warnings().length, 1)
  })

  it('gives the worst lag and the sum of cores of those asked for', () => {
    const health = new GeneratorHealth()
    health.take('a1', 1, 3, 0.5)
    health.take('a2', 1, 8, 0.25)
    health.take('a2', 1, 5, 0.5)
    health.take('a3', 1, 90, 1)
    assert.deepEqual(health.latest(['a1', 'a2', 'unknown']), { eventLoopLagMs: 5, cpu: 1 })
  })
})
