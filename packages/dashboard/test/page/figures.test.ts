import assert from 'node:assert/strict'
import fc from 'fast-check'
import * as figures from '../../page/view/figures.ts'

describe('figures of the page', () => {
  it('writes durations with three digits and a unit', () => {
    const cases: [number | null, string][] = [
      [null, '–'],
      [Number.NaN, '–'],
      [0, '0 ms'],
      [0.012, '12.0 µs'],
      [0.9994, '999 µs'],
      [0.9996, '1.00 ms'],
      [1.234, '1.23 ms'],
      [12.34, '12.3 ms'],
      [123.4, '123 ms'],
      [999.4, '999 ms'],
      [999.6, '1.00 s'],
      [12_345, '12.3 s'],
      [99_949, '99.9 s'],
      [99_950, '1 m 40 s'],
      [125_000, '2 m 05 s'],
      [3_599_700, '1 h 00 m'],
      [7_260_000, '2 h 01 m'],
    ]
    for (const [millis, text] of cases) assert.equal(figures.formatMillis(millis), text)
  })

  it('groups digits of counts and drops those of rates that mean nothing', () => {
    assert.equal(figures.formatCount(1_234_567), '1,234,567')
    assert.equal(figures.formatCount(null), '–')
    assert.equal(figures.formatRate(12_345.4), '12,345/s')
    assert.equal(figures.formatRate(12.34), '12.3/s')
    assert.equal(figures.formatRate(0.5), '0.5/s')
    assert.equal(figures.formatNumber(0.000_123_4), '0.00012')
    assert.equal(figures.formatNumber(0), '0')
    assert.equal(figures.formatNumber(-1_500), '-1,500')
  })

  it('calls only all of them 100 %', () => {
    assert.equal(figures.formatShare(1), '100 %')
    assert.equal(figures.formatShare(0.999_999), '99.99 %')
    assert.equal(figures.formatShare(0.0134), '1.34 %')
    assert.equal(figures.formatShare(0.000_12), '0.012 %')
    assert.equal(figures.formatShare(0), '0 %')
    assert.equal(figures.formatShare(Number.NaN), '–')
  })

  it('writes sizes in powers of 1000', () => {
    assert.equal(figures.formatBytes(512), '512 B')
    assert.equal(figures.formatBytes(1_500), '1.5 kB')
    assert.equal(figures.formatBytes(999_600), '1.0 MB')
    assert.equal(figures.formatBytes(20e6), '20 MB')
    assert.equal(figures.formatBytes(5e15), '5,000 TB')
  })

  it('writes times of a run', () => {
    assert.equal(figures.formatElapsed(7_999), '0:07')
    assert.equal(figures.formatElapsed(725_000), '12:05')
    assert.equal(figures.formatElapsed(3_725_000), '1:02:05')
    assert.equal(figures.formatDate(Number.NaN), '–')
  })

  it('never loses more than the last digits of a duration', () => {
    const units: Record<string, number> = { µs: 0.001, ms: 1, s: 1_000 }
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 99_000, noNaN: true }), (millis) => {
        const [value = '', unit = ''] = figures.formatMillis(millis).split(' ')
        const read = Number(value) * units[unit]!
        assert.ok(Math.abs(read - millis) <= millis * 0.0051, `${millis} reads ${read}`)
      }),
    )
  })
})
