import assert from 'node:assert/strict'
import { toMillis } from '../src/duration.ts'

describe('toMillis', () => {
  it('takes numbers as milliseconds and strings with their unit', () => {
    assert.equal(toMillis(250), 250)
    assert.equal(toMillis('250ms'), 250)
    assert.equal(toMillis('5s'), 5000)
    assert.equal(toMillis('1.5s'), 1500)
    assert.equal(toMillis('2m'), 120_000)
    assert.equal(toMillis('1h'), 3_600_000)
  })

  it('stays within what a timer can do', () => {
    assert.equal(toMillis(0.2), 1)
    assert.equal(toMillis('10000h'), 2 ** 31 - 1)
    assert.equal(toMillis(Infinity), 2 ** 31 - 1)
  })

  it('refuses what is no duration, each time', () => {
    for (const wrong of ['', '5', 'soon', '-1s', '0s', '5 s', 0, -1, Number.NaN]) {
      for (let time = 0; time < 2; time++) {
        assert.throws(() => toMillis(wrong), { name: 'UsageError', message: /is no duration/ })
      }
    }
  })
})
