import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatClock, formatDuration, longestMs, parseDuration } from '../src/duration.ts'
import { UsageError } from '../src/errors.ts'

describe('durations', () => {
  it('reads units, joined units and bare seconds', () => {
    const cases: [string, number][] = [
      ['500ms', 500],
      ['30s', 30_000],
      ['5m', 300_000],
      ['1h', 3_600_000],
      ['1h30m', 5_400_000],
      ['0.5s', 500],
      ['10', 10_000],
      ['0', 0],
      [' 2 ', 2000],
    ]
    for (const [text, millis] of cases) assert.equal(parseDuration(text), millis, text)
  })

  it('refuses everything else and says what would be right', () => {
    for (const text of ['', 'soon', '-1s', '1d', '5 m', '1s2', '1e3', 's', '10 s', 'Infinity']) {
      assert.throws(() => parseDuration(text), UsageError, text)
    }
    assert.throws(() => parseDuration('5x'), /"5x" is not a duration \(write 500ms, 30s, 5m or 1h/)
  })

  it('refuses what no timer can hold', () => {
    assert.equal(parseDuration('596h'), 596 * 3_600_000)
    assert.throws(() => parseDuration('597h'), /longer than 24 days/)
  })

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: longestMs }), (millis) => {
        assert.equal(parseDuration(formatDuration(millis)), millis)
      }),
    )
  })

  it('shows a running clock', () => {
    assert.equal(formatClock(0), '0:00')
    assert.equal(formatClock(7999), '0:07')
    assert.equal(formatClock(725_000), '12:05')
    assert.equal(formatClock(3_723_000), '1:02:03')
  })
})
