import assert from 'node:assert/strict'
import fc from 'fast-check'
import * as v from 'valibot'
import { brokerKeysSchema, createKeys, createSigningPair, signBytes, verifyBytes } from '../src/keys.ts'

describe('keys', () => {
  it('are of the right form, and all different', () => {
    const keys = createKeys()
    assert.deepEqual(v.parse(brokerKeysSchema, keys), keys)
    const all = [keys, createKeys()].flatMap(({ server, agent, operator }) =>
      [server, agent.curve, agent.signing, operator.curve, operator.signing].flatMap((pair) => [
        pair.publicKey,
        pair.secretKey,
      ]),
    )
    assert.equal(new Set(all).size, 20)
  })

  it('sign what their own public key verifies, and nothing else', () => {
    const [mine, other] = [createSigningPair(), createSigningPair()]
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (bytes, at) => {
        const signature = signBytes(mine.secretKey, bytes)
        assert.equal(signature.length, 64)
        assert.equal(verifyBytes(mine.publicKey, bytes, signature), true)
        assert.equal(verifyBytes(other.publicKey, bytes, signature), false)
        const changed = bytes.slice()
        changed[at % changed.length]! ^= 1
        assert.equal(verifyBytes(mine.publicKey, changed, signature), false)
      }),
      { numRuns: 30 },
    )
  })

  it('verify never throws', () => {
    assert.equal(verifyBytes('no key', new Uint8Array(1), new Uint8Array(64)), false)
    assert.equal(verifyBytes(createSigningPair().publicKey, new Uint8Array(1), new Uint8Array(3)), false)
  })
})
