import assert from 'node:assert/strict'
import fc from 'fast-check'
import { atWork, FakeClock, ruleOf, StageAtWork } from '../support/fake-flow.ts'

/** Bytes that had passed after so many milliseconds. */
function passedBy(stage: StageAtWork, ms: number): number {
  return stage.flow.passed.reduce((sum, { at, bytes }) => sum + (at <= ms ? bytes.length : 0), 0)
}

/** Sends as a source would that reads only while the stage may hold more, until so many bytes have passed. */
function pump(stage: StageAtWork, total: number, chunk = 65_536): void {
  let left = total
  while (left > 0 || stage.flow.held > 0) {
    while (left > 0 && stage.flow.held < stage.flow.allowed) {
      const size = Math.min(chunk, left)
      stage.send(Buffer.alloc(size, 1))
      left -= size
    }
    stage.advance(1)
  }
}

describe('bandwidth', () => {
  it('#12 passes 480 KB at 1000 KB/s in 480 ms, in small pieces, never ahead of its rate', () => {
    const stage = atWork('bandwidth', { rate: 1000 })
    stage.send(Buffer.alloc(480_000, 7))
    stage.end()
    stage.advance(479)
    assert.equal(stage.flow.endedAt, null)
    stage.advance(2)
    assert.ok(stage.flow.endedAt! >= 480)
    assert.equal(stage.flow.bytes.length, 480_000)
    assert.ok(stage.flow.passed.length >= 24)
    for (const { at } of stage.flow.passed) assert.ok(passedBy(stage, at) <= at * 1000 + 1e-6)
  })

  for (const rate of [1, 7, 100, 10_000, 200_000])
    for (const late of [0, 0.9, 5])
      it(`is accurate at ${rate} KB/s with timers that are ${late} ms late`, () => {
        const stage = atWork('bandwidth', { rate }, { late })
        const total = Math.max(2000, rate * 300)
        pump(stage, total)
        const took = stage.flow.passed.at(-1)!.at
        const ideal = total / rate
        assert.ok(took >= ideal - 1e-6, `${took} of ${ideal} ms`)
        assert.ok(took <= ideal * 1.02 + 2 * late + 2, `${took} of ${ideal} ms`)
      })

  it('#12 of 0 passes nothing until the rate is raised or it is removed', () => {
    const stage = atWork('bandwidth', { rate: 0 })
    stage.send('abc')
    stage.end()
    stage.advance(1e6)
    assert.equal(stage.flow.text, '')
    assert.equal(stage.flow.endedAt, null)
    stage.update(ruleOf('bandwidth', { rate: 1 }))
    stage.advance(2.9)
    assert.equal(stage.flow.text, '')
    stage.advance(1)
    assert.equal(stage.flow.text, 'abc')
    assert.notEqual(stage.flow.endedAt, null)

    const removed = atWork('bandwidth', { rate: 0 })
    removed.send('abc')
    removed.remove()
    assert.equal(removed.flow.text, 'abc')
    assert.equal(removed.flow.endedAt, null)
    assert.equal(removed.flow.held, 0)
  })

  it('gives no credit for idle time', () => {
    const stage = atWork('bandwidth', { rate: 10 })
    stage.advance(10_000)
    stage.send(Buffer.alloc(100))
    stage.advance(9)
    assert.equal(stage.flow.bytes.length, 0)
    stage.advance(1)
    assert.equal(stage.flow.bytes.length, 100)
    stage.advance(10_000)
    stage.send(Buffer.alloc(100))
    stage.advance(9)
    assert.equal(stage.flow.bytes.length, 100)
    stage.advance(1)
    assert.equal(stage.flow.bytes.length, 200)
  })

  it('goes on at the new rate from when it was changed', () => {
    const stage = atWork('bandwidth', { rate: 1 })
    stage.send(Buffer.alloc(10_000))
    stage.advance(1000)
    const before = stage.flow.bytes.length
    assert.ok(before <= 1000 && before >= 980)
    stage.update(ruleOf('bandwidth', { rate: 100 }))
    stage.advance(50)
    assert.ok(stage.flow.bytes.length <= 1000 + 5000)
    stage.advance(45)
    assert.equal(stage.flow.bytes.length, 10_000)
  })

  it('is shared fairly by all connections of a rule, and no more than its rate in sum', () => {
    const clock = new FakeClock()
    const rule = ruleOf('bandwidth', { rate: 1000, scope: 'proxy' })
    const stages = Array.from({ length: 4 }, () => new StageAtWork(rule, { clock, late: 1 }))
    for (const stage of stages) stage.send(Buffer.alloc(250_000))
    clock.advance(500)
    const halves = stages.map(({ flow }) => flow.bytes.length)
    const sum = halves.reduce((a, b) => a + b)
    assert.ok(sum <= 500_000 && sum > 450_000, `${sum}`)
    assert.ok(Math.max(...halves) - Math.min(...halves) <= 2 * 16_384, `${halves.join(', ')}`)
    clock.advance(520)
    assert.ok(stages.every(({ flow }) => flow.bytes.length === 250_000))
  })

  it('that is shared goes on for the others when a connection is gone, and when its rate is changed', () => {
    const clock = new FakeClock()
    const rule = ruleOf('bandwidth', { rate: 100, scope: 'proxy' })
    const [first, second, third] = Array.from({ length: 3 }, () => new StageAtWork(rule, { clock }))
    for (const stage of [first!, second!, third!]) stage.send(Buffer.alloc(100_000))
    clock.advance(100)
    first!.close()
    clock.advance(100)
    second!.remove()
    assert.equal(second!.flow.bytes.length, 100_000)
    const before = third!.flow.bytes.length
    const faster = ruleOf('bandwidth', { rate: 1000, scope: 'proxy' })
    third!.update(faster)
    const fourth = new StageAtWork(faster, { clock })
    fourth.send(Buffer.alloc(50_000))
    clock.advance(100)
    const sum = third!.flow.bytes.length - before + fourth.flow.bytes.length
    assert.ok(sum <= 100_000 && sum > 80_000, `${sum}`)
    assert.ok(fourth.flow.bytes.length > 30_000)
    // One of its own for each.
    third!.update(ruleOf('bandwidth', { rate: 1000 }))
    fourth.update(ruleOf('bandwidth', { rate: 1000 }))
    clock.advance(200)
    assert.equal(third!.flow.bytes.length, 100_000)
    assert.equal(fourth.flow.bytes.length, 50_000)
    assert.equal(clock.timers, 0)
  })

  it('that is shared is served on when the connection whose turn it is has gone', () => {
    for (const how of ['close', 'remove'] as const) {
      const clock = new FakeClock()
      const rule = ruleOf('bandwidth', { rate: 100, scope: 'proxy' })
      const gone = new StageAtWork(rule, { clock })
      const other = new StageAtWork(rule, { clock })
      gone.send(Buffer.alloc(1000))
      other.send(Buffer.alloc(1000))
      gone[how]()
      clock.advance(30)
      assert.equal(other.flow.bytes.length, 1000)
    }
  })

  it('passes all bytes in order whatever the rates, the pieces and the timers', () => {
    const step = fc.record({
      size: fc.integer({ min: 1, max: 40_000 }),
      wait: fc.integer({ min: 0, max: 40 }),
      rate: fc.option(fc.integer({ min: 0, max: 3000 })),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 20 }),
        fc.double({ min: 0, max: 8, noNaN: true }),
        (steps, late) => {
          const stage = atWork('bandwidth', { rate: 50 }, { late })
          const sent: Buffer[] = []
          for (const { size, wait, rate } of steps) {
            const bytes = Buffer.alloc(size, sent.length)
            sent.push(bytes)
            stage.send(bytes)
            stage.advance(wait)
            if (rate !== null) stage.update(ruleOf('bandwidth', { rate }))
          }
          stage.update(ruleOf('bandwidth', { rate: 1000 }))
          stage.end()
          stage.advance(5000)
          assert.ok(Buffer.concat(sent).equals(stage.flow.bytes))
          assert.notEqual(stage.flow.endedAt, null)
        },
      ),
      { numRuns: 60 },
    )
  })
})
