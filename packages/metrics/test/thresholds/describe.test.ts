import assert from 'node:assert/strict'
import { describeFailure, describeValue } from '../../src/thresholds/describe.ts'
import { parseThresholds } from '../../src/thresholds/parser.ts'

const context = { scenarios: [{ name: 'main', stages: 2 }] }

function failure(expression: string, value: number | null, ok: boolean | null, samples = 500): string | null {
  const [threshold] = parseThresholds([{ expression, abortOnFail: false, delayAbortMs: 0 }], context)
  return describeFailure({ threshold: threshold!, value, ok, samples })
}

describe('describeValue', () => {
  it('has the unit of what is compared', () => {
    assert.equal(describeValue('time', 240.123), '240.1 ms')
    assert.equal(describeValue('share', 0.01234), '1.234 %')
    assert.equal(describeValue('number', 123_456), '123456')
    assert.equal(describeValue('per-second', 49.99), '49.99/s')
    assert.equal(describeValue('bytes', 0), '0 bytes')
    assert.equal(describeValue('bytes-per-second', 1024), '1024 bytes/s')
  })
})

describe('describeFailure', () => {
  it('says what was crossed, and by what', () => {
    assert.equal(failure('p(95)<200', 180, true), null)
    assert.equal(
      failure('p(95)<200', 240, false),
      'threshold crossed: http_req_duration: p(95)<200 (it was 240 ms)',
    )
    assert.equal(
      failure('errors<1% over 10s', 0.2, false),
      'threshold crossed: errors<1% over 10s (it was 20 % in the worst span)',
    )
  })

  it('says what data is missing', () => {
    assert.equal(
      failure('p(95)<200', null, null, 199),
      'threshold without data: http_req_duration: p(95)<200 (p(95) needs 200 samples, there were 199)',
    )
    assert.match(failure('p(99.9)<200', null, null, 1)!, /p\(99\.9\) needs 10000 samples, there was 1\)$/)
    assert.match(failure('med<200', null, null, 19)!, /p\(50\) needs 20 samples, there were 19/)
    assert.match(failure('sold>1', null, null, 0)!, /nothing was recorded; is the name right\?/)
    assert.match(failure('hits>1 in stage 2', null, null, 0)!, /nothing was recorded in that stage/)
    assert.match(failure('max<1 min 50', null, null, 5)!, /it asks for 50 samples, there were 5/)
  })
})
