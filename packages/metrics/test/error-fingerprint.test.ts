import assert from 'node:assert/strict'
import { fingerprintOf } from '../src/error-fingerprint.ts'

describe('fingerprintOf', () => {
  const same = [
    ['user 17 not found', 'user 4711 not found'],
    ['connect ECONNREFUSED 127.0.0.1:41000', 'connect ECONNREFUSED 10.0.0.12:80'],
    ['no order 3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'no order 9B2504E0-4F89-11D3-9A0C-0305E82C3302'],
    [`expected 'red' to be 'blue'`, `expected 'green' to be 'dark blue'`],
    ['bad key "a"', 'bad key "something else"'],
    ['object at 0x7ffee4', 'object at 0x1'],
    ['commit deadbeef01 missing', 'commit 01cafebabe missing'],
    ['took 1.5 s', 'took 22.75 s'],
    ['rate of 0.05 is low', 'rate of 5.4e-7 is low'],
    ['rate of 0.05 is low', 'rate of 9.825609579294792e-7 is low'],
    ['depth is 3', 'depth is -3'],
  ] as const
  for (const [one, other] of same) {
    it(`takes "${one}" and "${other}" for one error`, () => {
      assert.equal(fingerprintOf('Error', one), fingerprintOf('Error', other))
    })
  }

  const different = [
    ['Error', 'not found', 'Error', 'not allowed'],
    ['Error', 'not found', 'TypeError', 'not found'],
    ['Error', `it can't read`, 'Error', `it can't write`],
    ['Error', `user's name isn't set`, 'Error', `user's age isn't set`],
    ['Error', 'facade added', 'Error', 'decade added'],
  ] as const
  for (const [type, message, otherType, otherMessage] of different) {
    it(`tells ${type} "${message}" from ${otherType} "${otherMessage}"`, () => {
      assert.notEqual(fingerprintOf(type, message), fingerprintOf(otherType, otherMessage))
    })
  }

  it('stays readable', () => {
    assert.equal(
      fingerprintOf('AssertionError', `status 500 for "/a" at 0xff`),
      'AssertionError: status <n> for <text> at <hex>',
    )
  })

  it('compares the start of long messages only, in bounded time', () => {
    const start = 'x'.repeat(500)
    assert.equal(fingerprintOf('E', `${start}a`), fingerprintOf('E', `${start}b`))
    // Of the processor: a machine may have no time.
    const before = process.cpuUsage()
    for (const piece of ["'", 'a', '0', "'a", 'a1'])
      fingerprintOf('E', piece.repeat(1_000_000 / piece.length))
    assert.ok(process.cpuUsage(before).user < 2e6)
  })
})
