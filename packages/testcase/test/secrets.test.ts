import assert from 'node:assert/strict'
import { Secrets } from '../src/secrets.ts'

describe('Secrets', () => {
  it('hides a value as it is, in JSON and in URLs', () => {
    const value = 'a"b c/d%\n'
    const secrets = new Secrets([value])
    const url = new URL(`http://host/${encodeURIComponent(value)}`)
    url.searchParams.set('key', value)
    for (const text of [
      value,
      JSON.stringify({ value }),
      url.href,
      encodeURI(value),
      encodeURIComponent(value),
    ]) {
      const hidden = secrets.hide(`<${text}>`)
      assert.match(hidden, /\[redacted\]/)
      assert.doesNotMatch(hidden, /a.*b.*c.*d.*[%n]/s)
    }
  })

  it('hides the longer of two values first', () => {
    assert.equal(new Secrets(['hunter', 'hunter22']).hide('hunter22 hunter'), '[redacted] [redacted]')
  })

  it('leaves short words alone', () => {
    assert.equal(new Secrets(['abc', '']).hide('abcabc'), 'abcabc')
  })

  it('walks through values and passes on what is no text', () => {
    const bytes = new Uint8Array([1, 2])
    const hidden = new Secrets(['hunter22']).hideIn({
      a: ['x hunter22', 1, null],
      b: { c: 'hunter22' },
      bytes,
    })
    assert.deepEqual(hidden, { a: ['x [redacted]', 1, null], b: { c: '[redacted]' }, bytes })
    assert.equal(hidden.bytes, bytes)
  })
})
