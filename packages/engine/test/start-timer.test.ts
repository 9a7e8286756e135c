import assert from 'node:assert/strict'
import { StartTimer } from '../src/start-timer.ts'
import { virtualTime } from './helpers/virtual-time.ts'

/** How late each of 40 starts was, in milliseconds, in order. */
async function lateness(precise: boolean): Promise<number[]> {
  const late: number[] = []
  for (let round = 0; round < 40; round++) {
    const at = performance.now() + round * 0.37
    await new Promise<void>((resolve) => {
      const timer = new StartTimer(precise, () => {
        late.push(performance.now() - at)
        resolve()
      })
      timer.at(at)
    })
  }
  return late.sort((a, b) => a - b)
}

for (const precise of [false, true]) {
  describe(`start timer, ${precise ? 'precise' : 'as timers are'}`, () => {
    it('is never early', async () => {
      const [earliest] = await lateness(precise)
      assert.ok(earliest! >= 0, `early by ${-earliest!} ms`)
    })

    it('calls once, for the last time that was set; not when stopped', async () => {
      let calls = 0
      const timer = new StartTimer(precise, () => calls++)
      const now = performance.now()
      timer.at(now + 5)
      timer.at(now + 60_000)
      timer.at(now + 15)
      timer.at(now + 15)
      while (calls === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await new Promise((resolve) => setTimeout(resolve, 30))
      assert.equal(calls, 1)
      timer.at(performance.now() + 5)
      timer.stop()
      timer.at(Infinity)
      await new Promise((resolve) => setTimeout(resolve, 30))
      assert.equal(calls, 1)
    })
  })
}

describe('start timer, on a machine that has time', () => {
  virtualTime()

  it('is late by what timers are, or by next to nothing when precise', async () => {
    const [common, precise] = [await lateness(false), await lateness(true)]
    assert.ok(common[0]! >= 0 && common.at(-1)! < 1.1, `late by ${common.at(-1)} ms`)
    assert.ok(precise[0]! >= 0 && precise.at(-1)! < 0.1, `late by ${precise.at(-1)} ms`)
  })
})
