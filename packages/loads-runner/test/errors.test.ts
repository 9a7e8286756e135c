import assert from 'node:assert/strict'
import { reportFailure, RunnerError, UsageError } from '../src/errors.ts'
import { worseOf } from '../src/exit-codes.ts'

describe('reportFailure', () => {
  it('lists every problem of a wrong use', () => {
    assert.deepEqual(reportFailure(new UsageError(['one', 'two'])), {
      exitCode: 2,
      text: 'error: one\nerror: two\n',
    })
  })

  it('shows no stack where the user can help himself', () => {
    assert.deepEqual(reportFailure(new RunnerError('RUNNER_REFUSED', 'no agents', 4)), {
      exitCode: 4,
      text: 'error: no agents\n',
    })
    const unreachable = Object.assign(new Error('nothing listens'), { code: 'CHANNEL_UNREACHABLE' })
    assert.deepEqual(reportFailure(unreachable), { exitCode: 4, text: 'error: nothing listens\n' })
    const join = Object.assign(new Error('damaged'), { code: 'JOIN_INVALID' })
    assert.equal(reportFailure(join).exitCode, 2)
    const engine = Object.assign(new Error('no such test'), { code: 'TEST_NOT_FOUND', exitCode: 3 })
    assert.equal(reportFailure(engine).exitCode, 3)
  })

  it('calls everything else a defect, with the stack', () => {
    for (const error of [
      new TypeError('x is undefined'),
      Object.assign(new Error('gone'), { code: 'ENOENT' }),
    ]) {
      const { exitCode, text } = reportFailure(error)
      assert.equal(exitCode, 70)
      assert.match(text, /errors\.test\.ts/)
      assert.match(text, /error: this is a defect of Loads itself/)
    }
    assert.equal(reportFailure('thrown text').exitCode, 70)
  })
})

describe('worseOf', () => {
  it('follows the order of the contract', () => {
    const order = [2, 3, 4, 70, 130, 143, 7, 5, 6, 99, 1, 0]
    for (const [index, worse] of order.entries()) {
      for (const better of order.slice(index)) {
        assert.equal(worseOf(worse, better), worse)
        assert.equal(worseOf(better, worse), worse)
      }
    }
  })
})
