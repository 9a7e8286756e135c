import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FloodGate } from '../src/flood-gate.ts'

describe('FloodGate', () => {
  it('lets the first of each second pass, and tells once a second how many it did not', () => {
    const gate = new FloodGate(3)
    const passed = [0, 1, 2, 3, 4, 999].map((nowMs) => gate.passes(nowMs))
    assert.deepEqual(passed, [true, true, true, false, false, false])
    assert.equal(gate.leftOut(1002), 0)
    assert.equal(gate.passes(1000), true)
    assert.equal(gate.leftOut(1003), 3)
    assert.equal(gate.leftOut(5000), 0)
  })

  it('tells of what did not even come, and at the end of what is left', () => {
    const gate = new FloodGate(1)
    gate.leaveOut(7, 100)
    assert.equal(gate.passes(200), true)
    assert.equal(gate.passes(300), false)
    assert.equal(gate.leftOut(Infinity), 8)
  })

  it('counts each one once: passed, or left out', () => {
    const times = fc.array(fc.nat(5_000), { maxLength: 300 }).map((all) => all.sort((a, b) => a - b))
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 20 }), (arrivals, most) => {
        const gate = new FloodGate(most)
        const passed: number[] = []
        let told = 0
        for (const nowMs of arrivals) {
          if (gate.passes(nowMs)) passed.push(nowMs)
          told += gate.leftOut(nowMs)
        }
        told += gate.leftOut(Infinity)
        assert.equal(passed.length + told, arrivals.length)
        // Seconds of its own counting: two of them may touch within any second of the clock.
        for (const from of passed) {
          const within = passed.filter((nowMs) => nowMs >= from && nowMs < from + 1000)
          assert.ok(within.length <= 2 * most)
        }
      }),
    )
  })
})
