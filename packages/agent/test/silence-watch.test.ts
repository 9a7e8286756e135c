import assert from 'node:assert/strict'
import { SilenceWatch, watchMs } from '../src/silence-watch.ts'

describe('SilenceWatch', () => {
  let silences: number
  let now: number
  let watch: SilenceWatch

  beforeEach(() => {
    silences = 0
    now = 10_000
    watch = new SilenceWatch(3_000, () => silences++, now)
  })

  function pass(ms: number, itSpeaks: boolean): void {
    for (const end = now + ms; now < end;) {
      now += watchMs
      if (itSpeaks) watch.heard(now)
      watch.look(now)
    }
  }

  it('is content with one who speaks', () => {
    pass(60_000, true)
    assert.equal(silences, 0)
  })

  it('tells once of one who has been silent for too long', () => {
    pass(3_000, false)
    assert.equal(silences, 0)
    pass(10_000, false)
    assert.equal(silences, 1)
  })

  it('does not take its own standstill for silence', () => {
    pass(2_000, true)
    now += 60_000
    watch.look(now)
    pass(2_000, false)
    assert.equal(silences, 0)
    pass(2_000, false)
    assert.equal(silences, 1)
  })
})
