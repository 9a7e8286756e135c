import assert from 'node:assert/strict'
import fc from 'fast-check'
import { matches } from '../../src/rules/matches.ts'

const isLike = (path: string, text: string): boolean =>
  matches(
    { path },
    { client: '::1', request: { verb: null, path: text, text: null, header: () => undefined } },
  )

describe('matches', () => {
  it('* stands for any text, also none', () => {
    for (const [pattern, text, is] of [
      ['/a', '/a', true],
      ['/a', '/ab', false],
      ['*', '', true],
      ['/a/*', '/a/', true],
      ['*/a', '/b/a', true],
      ['/a*a', '/a', false],
      ['/*b*c', '/abbc', true],
      ['/*b*c', '/acb', false],
      ['a.c', 'abc', false],
      ['a*\nc', 'a\n\nc', true],
    ] as const)
      assert.equal(isLike(pattern, text), is, `${pattern} ${text}`)
  })

  it('is what the regular expression says', () => {
    const some = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 12 })
    fc.assert(
      fc.property(some, some, (pattern, text) => {
        const source = pattern
          .split('*')
          .map((part) => part.replaceAll('.', String.raw`\.`))
          .join('.*')
        assert.equal(isLike(pattern, text), new RegExp(`^${source}$`, 's').test(text))
      }),
    )
  })

  it('takes no longer for a pattern of many stars', () => {
    const began = process.cpuUsage()
    assert.equal(isLike(`${'*a'.repeat(12)}b`, 'a'.repeat(4000)), false)
    // Of this process: how busy the machine is does not matter.
    assert.ok(process.cpuUsage(began).user < 2_000_000)
  }).timeout(60_000)
})
