import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isSafe, packBundle, readBundle, type Manifest } from '../src/bundle-archive.ts'

const manifest: Manifest = { entry: null, tests: [], links: [] }

describe('bundle archive', () => {
  it('gives back what was packed, byte by byte', () => {
    const file = fc.record({
      path: fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8})?\.txt$/),
      bytes: fc.uint8Array({ maxLength: 200 }),
      executable: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: (each) => each.path, maxLength: 5 }), (files) => {
        const read = readBundle(packBundle(manifest, files).bytes)
        assert.deepEqual(
          read.files.map((each) => ({ ...each, bytes: new Uint8Array(each.bytes) })),
          files.map((each) => ({ ...each, bytes: new Uint8Array(each.bytes) })),
        )
      }),
    )
  })

  it('refuses paths that leave the directory or shadow our packages', () => {
    for (const path of [
      '../x',
      'a/../../x',
      '/etc/passwd',
      'a\\b',
      'C:/x',
      '',
      'a\0b',
      'node_modules/loads-runner/x.js',
      'node_modules',
      './a',
      'a//b',
    ]) {
      assert.equal(isSafe(path), false, path)
      const bytes = packBundle(manifest, [{ path, bytes: new Uint8Array(1), executable: false }]).bytes
      assert.throws(() => readBundle(bytes), { code: 'BUNDLE_INVALID' }, path)
    }
    assert.equal(isSafe('data/users.csv'), true)
    assert.equal(isSafe('..data/users.csv'), true)
  })

  it('refuses an entry and packages outside of the directory', () => {
    const pack = (changes: Partial<Manifest>) => packBundle({ ...manifest, ...changes }, []).bytes
    for (const name of ['../../x', '..', '@loads/../x', '/etc', 'a/b', '.bin', '']) {
      const bytes = pack({ links: [{ name, path: '/tmp' }] })
      assert.throws(() => readBundle(bytes), { code: 'BUNDLE_INVALID' }, name)
    }
    assert.throws(() => readBundle(pack({ entry: '../x.js' })), { code: 'BUNDLE_INVALID' })
    const links = ['chai', '@types/node', 'lodash.get'].map((name) => ({ name, path: '/tmp' }))
    assert.deepEqual(readBundle(pack({ links })).manifest.links, links)
  })

  it('refuses garbage and cut archives with one kind of error', () => {
    const { bytes } = packBundle(manifest, [{ path: 'a.txt', bytes: new Uint8Array(100), executable: false }])
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.nat(bytes.length - 1).map((end) => bytes.subarray(0, end)),
        ),
        (bad) => {
          assert.throws(() => readBundle(bad), { code: 'BUNDLE_INVALID' })
        },
      ),
    )
  })

  it('names equal content equally', () => {
    const file = { path: 'a.txt', bytes: new Uint8Array([1]), executable: false }
    assert.equal(packBundle(manifest, [file]).hash, packBundle(manifest, [{ ...file }]).hash)
    assert.notEqual(packBundle(manifest, [file]).hash, packBundle(manifest, []).hash)
  })
})
