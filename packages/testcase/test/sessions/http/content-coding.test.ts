import assert from 'node:assert/strict'
import * as zlib from 'node:zlib'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { acceptedCodings, decodeBody } from '../../../src/sessions/http/content-coding.ts'

const limit = 1_000_000

describe('decodeBody', () => {
  it('undoes every coding it asks for, also several of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const body = Buffer.from(bytes)
        assert.deepEqual(decodeBody(gzipSync(body), 'gzip', limit), body)
        assert.deepEqual(decodeBody(brotliCompressSync(body), 'BR', limit), body)
        assert.deepEqual(decodeBody(deflateSync(body), 'deflate', limit), body)
        assert.deepEqual(decodeBody(deflateRawSync(body), 'deflate', limit), body)
        assert.deepEqual(decodeBody(brotliCompressSync(gzipSync(body)), 'gzip, br', limit), body)
        assert.deepEqual(decodeBody(body, 'identity', limit), body)
      }),
      { numRuns: 30 },
    )
  })

  it('refuses damage, bombs and codings it does not know', () => {
    assert.throws(() => decodeBody(Buffer.from('no gzip'), 'gzip', limit), {
      code: 'TESTCASE_BODY',
      message: /no valid gzip/,
    })
    assert.throws(() => decodeBody(gzipSync(Buffer.alloc(limit + 1)), 'gzip', limit), {
      code: 'TESTCASE_BODY',
    })
    assert.throws(() => decodeBody(Buffer.from('x'), 'compress', limit), {
      code: 'TESTCASE_BODY',
      message: /"compress"/,
    })
  })

  it('asks for zstd where Node has it, and undoes it there', () => {
    const { zstdCompressSync } = zlib as { zstdCompressSync?: (body: Buffer) => Buffer }
    assert.equal(/zstd/.test(acceptedCodings), zstdCompressSync !== undefined)
    const body = Buffer.from('body '.repeat(100))
    if (zstdCompressSync === undefined) {
      assert.throws(() => decodeBody(body, 'zstd', limit), { code: 'TESTCASE_BODY', message: /"zstd"/ })
    } else {
      assert.deepEqual(decodeBody(zstdCompressSync(body), 'zstd', limit), body)
      const bomb = zstdCompressSync(Buffer.alloc(limit + 1))
      assert.throws(() => decodeBody(bomb, 'zstd', limit), { code: 'TESTCASE_BODY' })
    }
  })
})
