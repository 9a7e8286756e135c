import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { hashOf, openBundleStore } from '../src/bundle-store.ts'
import { BundleError } from '../src/errors.ts'

describe('BundleStore', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'loads-bundles-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const bytes = Buffer.from('export class TestWebSite {}')
  const hash = hashOf(bytes)
  const code = (expected: string) => (error: Error) => error instanceof BundleError && error.code === expected

  for (const kind of ['memory', 'directory'] as const) {
    describe(kind, () => {
      const open = (maxBytes?: number) => {
        return openBundleStore(kind === 'memory' ? null : path.join(directory, 'bundles'), maxBytes)
      }

      it('gives back what was put, by its hash', async () => {
        const store = open()
        assert.equal(await store.has(hash), false)
        assert.equal(await store.get(hash), null)
        await store.put(hash, bytes)
        await store.put(hash, bytes)
        assert.equal(await store.has(hash), true)
        assert.deepEqual(Buffer.from((await store.get(hash))!), bytes)
      })

      it('refuses bytes that are not those of the hash, too many, or not named by a hash', async () => {
        await assert.rejects(open().put(hashOf(Buffer.from('else')), bytes), code('BUNDLE_MISMATCH'))
        await assert.rejects(open(10).put(hash, bytes), code('BUNDLE_TOO_LARGE'))
        for (const name of ['', '../../etc/passwd', hash.toUpperCase(), `${hash}/x`]) {
          await assert.rejects(open().put(name, bytes), code('BUNDLE_BAD_HASH'))
          assert.equal(await open().has(name), false)
          assert.equal(await open().get(name), null)
        }
      })
    })
  }

  it('leaves only whole bundles on disk, and does not give out damaged ones', async () => {
    const store = openBundleStore(directory)
    await store.put(hash, bytes)
    assert.deepEqual(await readdir(directory), [hash])
    await writeFile(path.join(directory, hash), 'torn')
    assert.equal(await store.get(hash), null)
    assert.equal(await store.has(hash), false)
  })

  it('keeps the latest bundles in memory, no more than it should', async () => {
    const store = openBundleStore(null)
    const hashes: string[] = []
    for (let index = 0; index < 20; index++) {
      const each = Buffer.from(`bundle ${index}`)
      hashes.push(hashOf(each))
      await store.put(hashes[index]!, each)
    }
    assert.equal(await store.has(hashes[0]!), false)
    assert.equal(await store.has(hashes[19]!), true)
  })
})
