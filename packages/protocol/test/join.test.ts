import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatEndpoint } from '../src/endpoint.ts'
import { ProtocolError } from '../src/errors.ts'
import { formatJoin, parseJoin } from '../src/join.ts'
import { createKeys } from '../src/keys.ts'

const role = fc.constantFrom('agent' as const, 'operator' as const)
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.constant('localhost'), fc.constant('node_1'))
const port = fc.integer({ min: 1, max: 65535 })

describe('join string', () => {
  const keys = createKeys()

  it('gives back what it was made of, for any host, port and role', () => {
    fc.assert(
      fc.property(role, host, port, (role, host, port) => {
        assert.deepEqual(parseJoin(formatJoin(keys, role, formatEndpoint(host, port))), {
          role,
          host,
          port,
          serverKey: keys.server.publicKey,
          curve: keys[role].curve,
          signingKey: keys[role].signing.secretKey,
        })
      }),
    )
  })

  it('is URL-safe: no quoting in a shell word, a URL or a YAML value', () => {
    fc.assert(
      fc.property(role, port, (role, port) => {
        const text = formatJoin(createKeys(), role, `broker.example:${port}`)
        assert.match(text, /^loads:\/\/[A-Za-z0-9.:]+\/(agent|operator)#[A-Za-z0-9_-]+$/)
        assert.equal(new URL(text).href, text)
      }),
      { numRuns: 30 },
    )
  })

  it("holds no secret of the other role and not the broker's own", () => {
    const payload = Buffer.from(formatJoin(keys, 'agent', 'h:1').split('#')[1]!, 'base64url').toString('hex')
    const join = parseJoin(formatJoin(keys, 'operator', 'h:1'))
    assert.ok(!payload.includes(Buffer.from(join.signingKey, 'base64url').toString('hex')))
    assert.equal(payload.length, 2 * (1 + 4 * 32 + 4))
  })

  it('tells every change of a character in its keys', () => {
    const text = formatJoin(keys, 'agent', 'broker.example:7776')
    const start = text.indexOf('#') + 1
    fc.assert(
      fc.property(
        fc.nat(text.length - start - 1),
        fc.constantFrom('A', 'x', 'z', '0', '9', '_', '-'),
        (offset, letter) => {
          const at = start + offset
          fc.pre(text[at] !== letter)
          assert.throws(() => parseJoin(text.slice(0, at) + letter + text.slice(at + 1)), {
            code: 'JOIN_INVALID',
          })
        },
      ),
    )
  })

  it('answers any text with a join or JOIN_INVALID, and never repeats the keys', () => {
    const whole = formatJoin(keys, 'agent', 'broker.example:7776')
    const secret = whole.slice(whole.indexOf('#') + 40, whole.indexOf('#') + 80)
    const damaged = fc.nat(whole.length).map((length) => whole.slice(0, length))
    const inserted = fc
      .tuple(fc.nat(whole.length), fc.string({ minLength: 1 }))
      .map(([at, text]) => whole.slice(0, at) + text + whole.slice(at))
    fc.assert(
      fc.property(fc.oneof(fc.string(), damaged, inserted), (text) => {
        try {
          parseJoin(text)
        } catch (error) {
          assert.ok(error instanceof ProtocolError)
          assert.equal(error.code, 'JOIN_INVALID')
          assert.ok(!error.message.includes(secret))
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('says what is wrong', () => {
    const text = formatJoin(keys, 'agent', 'broker.example:7776')
    assert.throws(() => parseJoin('http://x'), /must look like loads:/)
    assert.throws(() => parseJoin(text.split('#')[0]!), /after # is missing/)
    assert.throws(() => parseJoin(text.replace('/agent', '/boss')), /\/agent or \/operator/)
    assert.throws(() => parseJoin(text.replace(':7776', '')), /HOST:PORT/)
    assert.throws(() => parseJoin(text.slice(0, -5)), /cut off/)
    assert.deepEqual(parseJoin(`  ${text}\n`), parseJoin(text))
  })

  it('refuses addresses that cannot be dialed', () => {
    for (const address of [
      '',
      'host',
      'host:',
      'host:0',
      'host:70000',
      '::1:80',
      '[::1]',
      '[x]:1',
      'a b:1',
      'h/x:1',
    ])
      assert.throws(() => formatJoin(keys, 'agent', address), { code: 'JOIN_INVALID' }, address)
  })
})
