import assert from 'node:assert/strict'
import fc from 'fast-check'
import { judge, verdictOf, type Outcome } from '../src/verdict.ts'

const whole = { windowsOwed: 10, windowsReceived: 10, ratio: 1, missing: [] }
const short = {
  windowsOwed: 10,
  windowsReceived: 9,
  ratio: 0.9,
  missing: [{ agent: 'a2', fromSecond: 3, toSecond: 4, hitsAtMost: 40 }],
}

function outcome(changes: Partial<Outcome> = {}): Outcome {
  return {
    causes: [],
    tests: { finished: 5, failures: 0, errors: 0 },
    uncaught: 0,
    coverage: whole,
    minCoverage: 1,
    ...changes,
  }
}

describe('judge', () => {
  it('passes when at least one execution finished and nothing is wrong', () => {
    assert.deepEqual(judge(outcome()), { verdict: 'passed', exitCode: 0, reasons: [], state: 'done' })
  })

  it('does not pass when nothing finished', () => {
    const judgement = judge(outcome({ tests: { finished: 0, failures: 0, errors: 0 } }))
    assert.deepEqual(judgement, {
      verdict: 'failed',
      exitCode: 1,
      reasons: ['no execution finished'],
      state: 'done',
    })
  })

  it('fails with failures and errors, and counts them', () => {
    const judgement = judge(outcome({ tests: { finished: 9, failures: 2, errors: 1 } }))
    assert.equal(judgement.exitCode, 1)
    assert.equal(judgement.state, 'done')
    assert.deepEqual(judgement.reasons, ['2 of 9 executions failed', '1 of 9 executions had errors'])
  })

  it('fails with errors that no execution was waiting for', () => {
    const judgement = judge(outcome({ uncaught: 2 }))
    assert.equal(judgement.verdict, 'failed')
    assert.equal(judgement.exitCode, 1)
    assert.deepEqual(judgement.reasons, ['2 errors were thrown outside of executions'])
  })

  it('is incomplete under the minimal coverage, and names what is missing', () => {
    const judgement = judge(outcome({ coverage: short }))
    assert.deepEqual(judgement, {
      verdict: 'incomplete',
      exitCode: 5,
      reasons: ['1 of 10 windows are missing (a2: 3 s to 4 s, 40 hits at most)'],
      state: 'incomplete',
    })
  })

  it('says what is missing even where it is tolerated', () => {
    const judgement = judge(outcome({ coverage: short, minCoverage: 0.9 }))
    assert.equal(judgement.exitCode, 0)
    assert.match(judgement.reasons.join(), /1 of 10 windows are missing .* tolerated/)
  })

  it('lists every reason, the deciding one first, by the order of the contract', () => {
    const causes = [
      { exitCode: 7, reason: 'stopped by an operator' },
      { exitCode: 4, reason: 'no agent is left' },
      { exitCode: 130, reason: 'stopped by SIGINT' },
    ]
    const judgement = judge(
      outcome({ causes, coverage: short, tests: { finished: 3, failures: 1, errors: 0 } }),
    )
    assert.equal(judgement.exitCode, 4)
    assert.equal(judgement.state, 'failed')
    assert.deepEqual(judgement.reasons, [
      'no agent is left',
      'stopped by SIGINT',
      'stopped by an operator',
      '1 of 10 windows are missing (a2: 3 s to 4 s, 40 hits at most)',
      '1 of 3 executions failed',
    ])
  })

  it('gives the first of 2, 3, 4, 70, 130, 143, 7, 5, 6, 99, 1 that applies, in whatever order causes came', () => {
    const order = [2, 3, 4, 70, 130, 143, 7, 5, 6, 99, 1]
    fc.assert(
      fc.property(fc.subarray(order, { minLength: 1 }), fc.nat(), (codes, turn) => {
        const turned = codes.map((_, index) => codes[(index + turn) % codes.length]!)
        const causes = turned.map((exitCode) => ({ exitCode, reason: `because ${exitCode}` }))
        const judgement = judge(outcome({ causes }))
        assert.equal(judgement.exitCode, codes[0])
        assert.equal(judgement.verdict, verdictOf(codes[0]!))
        assert.deepEqual(
          judgement.reasons,
          codes.map((code) => `because ${code}`),
        )
      }),
    )
  })

  it('ends in the state that fits the verdict', () => {
    const states = {
      2: 'failed',
      3: 'failed',
      4: 'failed',
      70: 'failed',
      7: 'aborted',
      130: 'aborted',
      143: 'aborted',
      5: 'incomplete',
      6: 'done',
      99: 'done',
      1: 'done',
    }
    for (const [code, state] of Object.entries(states)) {
      assert.equal(judge(outcome({ causes: [{ exitCode: Number(code), reason: 'x' }] })).state, state, code)
    }
  })
})
