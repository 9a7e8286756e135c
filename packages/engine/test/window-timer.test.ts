import assert from 'node:assert/strict'
import fc from 'fast-check'
import { nextCutMs, WindowTimer } from '../src/window-timer.ts'
import { virtualTime } from './helpers/virtual-time.ts'

describe('WindowTimer', () => {
  it('ends windows at full ones, also after one that came early, late or not at all', () => {
    assert.equal(nextCutMs(0, 1000), 1000)
    assert.equal(nextCutMs(1003, 1000), 2000)
    // A timer may fire a moment too early: that is no window of its own.
    assert.equal(nextCutMs(1999.4, 1000), 3000)
    assert.equal(nextCutMs(2700, 1000), 3000)
    assert.equal(nextCutMs(2800, 1000), 4000)
  })

  it('never makes a window of less than a quarter, nor of much more than one, of its own accord', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.integer({ min: 1, max: 60_000 }),
        (at, windowMs) => {
          const next = nextCutMs(at, windowMs)
          assert.ok(
            next - at >= windowMs * 0.249 && next - at <= windowMs * 1.251,
            `${at} ${windowMs} ${next}`,
          )
          assert.ok(Math.abs(next / windowMs - Math.round(next / windowMs)) < 1e-9)
        },
      ),
    )
  })

  it('comes no more once it is stopped', async () => {
    let calls = 0
    const timer = new WindowTimer(performance.now(), 1, () => {
      calls++
      timer.stop()
    })
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(calls, 1)
  })
})

describe('WindowTimer, on a machine that has time', () => {
  virtualTime()

  it('comes at full windows of the run, however much it has to do in each: what is late makes the next one no later', async () => {
    const windowMs = 20
    const startedAt = performance.now()
    const planned: number[] = []
    await new Promise<void>((resolve) => {
      const timer = new WindowTimer(startedAt, windowMs, () => {
        const atMs = performance.now() - startedAt
        planned.push(Math.floor(atMs / windowMs + 0.25))
        for (const until = performance.now() + 3; performance.now() < until;);
        if (planned.length < 50) return
        timer.stop()
        resolve()
      })
    })
    for (const [index, number] of planned.entries())
      assert.ok(number > (planned[index - 1] ?? 0), `window ${number} came twice: ${planned.join()}`)
  })
})
