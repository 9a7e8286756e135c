import assert from 'node:assert/strict'
import fc from 'fast-check'
import { UsageError } from '../src/errors.ts'
import { checkedTags, internTags, mergeTags } from '../src/tags.ts'

const words = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 3 }).filter((name) => name !== '__proto__'),
  fc.string({ maxLength: 3 }),
  { maxKeys: 3 },
)

describe('internTags', () => {
  it('is one object for the same words in any order, and another for others', () => {
    assert.equal(internTags({ a: '1', b: '2' }), internTags({ b: '2', a: '1' }))
    assert.notEqual(internTags({ a: '1', b: '2' }), internTags({ a: '2', b: '1' }))
    assert.notEqual(internTags({ a: 'b', c: 'd' }), internTags({ ab: '', cd: '' }))
    assert.equal(internTags({}), null)
  })

  it('stays right when more tags come than it remembers', () => {
    const first = internTags({ number: '0' })
    for (let number = 1; number < 25_000; number++) internTags({ number: String(number) })
    assert.deepEqual(internTags({ number: '0' }), first)
  })
})

describe('mergeTags', () => {
  it('puts the inner over the outer, and gives the same object each time', () => {
    fc.assert(
      fc.property(words, words, (one, other) => {
        const outer = internTags(one)
        const inner = Object.keys(other).length === 0 ? null : { ...other }
        const merged = mergeTags(outer, inner)
        assert.deepEqual({ ...merged }, { ...one, ...other })
        assert.equal(mergeTags(outer, inner), merged)
        assert.equal(mergeTags(outer, inner === null ? null : { ...inner }), merged)
      }),
    )
  })
})

describe('checkedTags', () => {
  it('refuses what is no word, by name', () => {
    assert.deepEqual(checkedTags({ page: 'home' }, 'x'), { page: 'home' })
    for (const bad of [null, 'page', ['page'], 7]) {
      assert.throws(() => checkedTags(bad, 'TestSite.tags'), /TestSite\.tags: tags are an object of words/)
    }
    assert.throws(
      () => checkedTags({ id: 7 }, 'this.tagged()'),
      (error: unknown) => error instanceof UsageError && /the tag "id" is 7/.test(error.message),
    )
  })
})
