import assert from 'node:assert/strict'
import { thresholdMark, thresholdValue } from '../../src/console/threshold-text.ts'

describe('thresholdValue', () => {
  const shown = (expression: string, value: number | null) => thresholdValue({ expression, value, ok: true })

  it('has its unit whichever scenarios it names', () => {
    assert.equal(shown('http_req_duration{scenario:browse}: p(95)<50ms', 0.65), '650us')
    assert.equal(shown('response_time{scenario:"a b"}: p(95)<1s during a/1', 12), '12ms')
  })

  it('has the unit that the threshold is measured in', () => {
    assert.equal(shown('http_req_duration{name:login}: p(95)<200', 153.4), '153ms')
    assert.equal(shown('errors: rate<0.01', 0.004), '0.4%')
    assert.equal(shown('hits: rate>100', 120.5), '121/s')
    assert.equal(shown('iterations: count>100', 12_345), '12,345')
    assert.equal(shown('data_received: count<1000', 20_480), '20 kB')
    assert.equal(shown('my_gauge: value<3', 2.5), '2.5')
  })

  it('knows those of a stage of any scenario', () => {
    assert.equal(shown('http_req_duration: p(95)<200 during buyers/2', 153.4), '153ms')
    assert.equal(shown('http_req_duration: p(95)<200 in stage 2', 153.4), '153ms')
  })

  it('gives a plain number for what it cannot read, and says when there is none', () => {
    assert.equal(shown('?!\u001b', 153.4), '153.4')
    assert.equal(shown('errors: rate<0.01', null), 'no data')
  })

  it('is marked by how it stands', () => {
    const marks = [true, false, null].map((ok) => thresholdMark({ expression: '', value: null, ok }))
    assert.deepEqual(marks, ['✓', '✗', '…'])
  })
})
