import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { BundleCache } from '../src/bundle-cache.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

describe('bundle cache', () => {
  it('refuses bytes that are not what the hash says', () => {
    const cache = new BundleCache()
    assert.equal(cache.put(hashOf('one'), bytesOf('other')), false)
    assert.equal(cache.get(hashOf('one')), null)
    assert.equal(cache.put(hashOf('one'), bytesOf('one')), true)
    assert.deepEqual(cache.get(hashOf('one')), bytesOf('one'))
  })

  it('forgets what was used longest ago when it is full', () => {
    const cache = new BundleCache(8)
    for (const text of ['aaaa', 'bbbb']) cache.put(hashOf(text), bytesOf(text))
    cache.get(hashOf('aaaa'))
    cache.put(hashOf('cccc'), bytesOf('cccc'))
    assert.notEqual(cache.get(hashOf('aaaa')), null)
    assert.equal(cache.get(hashOf('bbbb')), null)
  })
})
