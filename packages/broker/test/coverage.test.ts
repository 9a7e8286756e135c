import assert from 'node:assert/strict'
import { coverageOf, describeMissing, owedByLost } from '../src/coverage.ts'

describe('coverage', () => {
  it('is 1 when nothing is missing, and when nothing is owed', () => {
    assert.equal(coverageOf([]).ratio, 1)
    const full = coverageOf([{ agent: 'a1', received: 7, missing: [] }])
    assert.deepEqual(full, { windowsOwed: 7, windowsReceived: 7, ratio: 1, missing: [] })
  })

  it('counts what is missing and names it in seconds', () => {
    const coverage = coverageOf([
      { agent: 'a1', received: 8, missing: [{ fromMs: 3000, toMs: 5040, windows: 2 }] },
      { agent: 'a2', received: 10, missing: [] },
    ])
    assert.deepEqual(coverage, {
      windowsOwed: 20,
      windowsReceived: 18,
      ratio: 0.9,
      missing: [{ agent: 'a1', fromSecond: 3, toSecond: 5 }],
    })
    assert.equal(describeMissing(coverage.missing), 'a1: 3 s to 5 s')
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
    }))
    assert.match(describeMissing(missing), /a4: 0 s to 1 s, and 2 more$/)
  })
})
