import assert from 'node:assert/strict'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { decodeBody } from '../../src/sessions/content-coding.ts'

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
    assert.throws(() => decodeBody(Buffer.from('x'), 'zstd', limit), {
      code: 'TESTCASE_BODY',
      message: /"zstd"/,
    })
  })
})
