import assert from 'node:assert/strict'
import fc from 'fast-check'
import * as v from 'valibot'
import type { HelloFacts } from '../src/hello.ts'
import {
  createNonce,
  createToken,
  dialerFrameSchema,
  identitySchema,
  signHello,
  verifyHello,
} from '../src/hello.ts'
import { createKeys } from '../src/keys.ts'

describe('hello', () => {
  const keys = createKeys()
  const facts = (): HelloFacts => ({
    nonce: createNonce(),
    serverKey: keys.server.publicKey,
    role: 'agent',
    identity: { id: 'a', incarnation: '1' },
  })

  it('is verified by the public key of its role only', () => {
    const said = facts()
    const signature = signHello(keys.agent.signing.secretKey, said)
    assert.equal(verifyHello(keys.agent.signing.publicKey, said, signature), true)
    assert.equal(verifyHello(keys.operator.signing.publicKey, said, signature), false)
  })

  it('binds every fact', () => {
    const said = facts()
    const signature = signHello(keys.agent.signing.secretKey, said)
    const changes: Partial<HelloFacts>[] = [
      { nonce: createNonce() },
      { serverKey: keys.agent.curve.publicKey },
      { role: 'operator' },
      { identity: { id: 'b', incarnation: '1' } },
      { identity: { id: 'a', incarnation: '2' } },
    ]
    for (const change of changes)
      assert.equal(verifyHello(keys.agent.signing.publicKey, { ...said, ...change }, signature), false)
  })

  it('cannot be moved from one field into another', () => {
    const said = facts()
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.string(),
        fc.string(),
        (id, incarnation, id2, incarnation2) => {
          fc.pre(id !== id2 || incarnation !== incarnation2)
          const signature = signHello(keys.agent.signing.secretKey, {
            ...said,
            identity: { id, incarnation },
          })
          const other = { ...said, identity: { id: id2, incarnation: incarnation2 } }
          assert.equal(verifyHello(keys.agent.signing.publicKey, other, signature), false)
        },
      ),
      { numRuns: 50 },
    )
    const shifted = signHello(keys.agent.signing.secretKey, {
      ...said,
      identity: { id: 'ab', incarnation: 'c' },
    })
    const other = { ...said, identity: { id: 'a', incarnation: 'bc' } }
    assert.equal(verifyHello(keys.agent.signing.publicKey, other, shifted), false)
  })

  it('has fresh nonces and tokens', () => {
    assert.equal(
      new Set(Array.from({ length: 100 }, () => Buffer.from(createNonce()).toString('hex'))).size,
      100,
    )
    assert.equal(createToken().length, 16)
  })

  it('takes a later version of connect, and no overlong identity', () => {
    assert.ok(v.is(dialerFrameSchema, ['connect', 2, { more: true }]))
    assert.ok(!v.is(dialerFrameSchema, ['connect']))
    const identity = { id: 'a', incarnation: '1', host: 'h', pid: 1, version: '1', slots: 1, labels: {} }
    assert.ok(v.is(identitySchema, identity))
    assert.ok(!v.is(identitySchema, { ...identity, id: '' }))
    assert.ok(!v.is(identitySchema, { ...identity, id: 'x'.repeat(2_000) }))
  })
})
