import assert from 'node:assert/strict'
import { parseObjective } from '../../src/capacity/objective.ts'
import { isUsageError } from '../../src/errors.ts'

describe('capacity/objective', () => {
  it('reads the grammar of thresholds', () => {
    assert.deepEqual(
      parseObjective('p(95)<200, errors<1%').map(({ expression }) => expression),
      ['http_req_duration: p(95)<200', 'errors<1%'],
    )
  })

  it('says everything that is wrong, with its place', () => {
    assert.throws(
      () => parseObjective('p(195)<200, errors<1%, p(95)'),
      (error: unknown) => {
        assert.ok(isUsageError(error))
        assert.equal(error.problems.length, 2)
        assert.match(
          error.problems[0]!,
          /^--find-capacity: "p\(195\)<200, errors<1%, p\(95\)", character 1: /,
        )
        return true
      },
    )
    assert.throws(() => parseObjective('p(95)<200 over 30s'), /each step is judged as a whole/)
    assert.throws(() => parseObjective(''), /--find-capacity/)
  })
})
