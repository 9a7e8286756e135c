import assert from 'node:assert/strict'
import { StartTimer } from '../src/start-timer.ts'

for (const precise of [false, true]) {
  describe(`start timer, ${precise ? 'precise' : 'as timers are'}`, () => {
    it('is never early, and rarely late by more than a timer is', async () => {
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
      late.sort((a, b) => a - b)
      assert.ok(late[0]! >= 0, `early by ${-late[0]!} ms`)
      assert.ok(late[20]! < 50, `late by ${late[20]} ms`)
    })

    it('calls once, for the last time that was set; not when stopped', async () => {
      let calls = 0
      const timer = new StartTimer(precise, () => calls++)
      const now = performance.now()
      timer.at(now + 5)
      timer.at(now + 60_000)
      timer.at(now + 15)
      timer.at(now + 15)
      await new Promise((resolve) => setTimeout(resolve, 60))
      assert.equal(calls, 1)
      timer.at(performance.now() + 5)
      timer.stop()
      timer.at(Infinity)
      await new Promise((resolve) => setTimeout(resolve, 30))
      assert.equal(calls, 1)
    })
  })
}
