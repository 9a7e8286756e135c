import assert from 'node:assert/strict'
import { coverageOf, describeMissing, owedByLost } from '../src/coverage.ts'

describe('coverage', () => {
  it('is 1 when nothing is missing, and when nothing is owed', () => {
    assert.equal(coverageOf([]).ratio, 1)
    const full = coverageOf([{ agent: 'a1', received: 7, missing: [], hitsPerMs: 0.5 }])
    assert.deepEqual(full, { windowsOwed: 7, windowsReceived: 7, ratio: 1, missing: [] })
  })

  it('counts what is missing and names it in seconds', () => {
    const coverage = coverageOf([
      { agent: 'a1', received: 8, missing: [{ fromMs: 3000, toMs: 5040, windows: 2 }], hitsPerMs: 0.05 },
      { agent: 'a2', received: 10, missing: [], hitsPerMs: 0.05 },
    ])
    assert.deepEqual(coverage, {
      windowsOwed: 20,
      windowsReceived: 18,
      ratio: 0.9,
      missing: [{ agent: 'a1', fromSecond: 3, toSecond: 5, hitsAtMost: 102 }],
    })
    assert.equal(describeMissing(coverage.missing), 'a1: 3 s to 5 s, 102 hits at most')
  })

  it('gives no bound where the agent has shown no pace', () => {
    const span = { fromMs: 0, toMs: 6000, windows: 6 }
    const { missing } = coverageOf([{ agent: 'a1', received: 0, missing: [span], hitsPerMs: null }])
    assert.deepEqual(missing, [{ agent: 'a1', fromSecond: 0, toSecond: 6, hitsAtMost: null }])
    assert.equal(describeMissing(missing), 'a1: 0 s to 6 s')
  })

  it('has a lost agent owe everything from its last window to its loss, and its final window at least', () => {
    assert.deepEqual(owedByLost(4000, 10_200, 1000), { fromMs: 4000, toMs: 10_200, windows: 7 })
    assert.deepEqual(owedByLost(4000, 4000, 1000), { fromMs: 4000, toMs: 5000, windows: 1 })
    assert.equal(owedByLost(4000, 3900, 1000).windows, 1)
  })

  it('names five spans at most', () => {
    const missing = Array.from({ length: 7 }, (_, index) => ({
      agent: `a${index}`,
      fromSecond: 0,
      toSecond: 1,
      hitsAtMost: 3,
    }))
    assert.match(describeMissing(missing), /a4: 0 s to 1 s, 3 hits at most; and 2 more$/)
  })
})
