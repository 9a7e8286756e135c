import assert from 'node:assert/strict'
import { Encoder } from '@msgpack/msgpack'
import fc from 'fast-check'
import * as v from 'valibot'
import { codec, maxMessageBytes } from '../src/codec.ts'
import { ProtocolError } from '../src/errors.ts'
import { agentToBrokerSchema } from '../src/messages/agent-to-broker.ts'
import { brokerToAgentSchema } from '../src/messages/broker-to-agent.ts'
import { brokerToOperatorSchema, operatorToBrokerSchema } from '../src/messages/operator.ts'

/** Everything a message may be made of. */
const plainData = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true }),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 20 },
    ),
  ),
})).value

describe('codec', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(plainData, (value) => {
        assert.deepEqual(codec.decode(codec.encode(value)), normal(value))
      }),
    )
  })

  it('answers any bytes with a value or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        try {
          codec.decode(bytes)
        } catch (error) {
          assert.ok(error instanceof ProtocolError)
          assert.equal(error.code, 'MESSAGE_INVALID')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('answers damaged messages with a value that the schema judges, or an error', () => {
    const schemas = [agentToBrokerSchema, brokerToAgentSchema, operatorToBrokerSchema, brokerToOperatorSchema]
    fc.assert(
      fc.property(
        plainData,
        fc.nat(),
        fc.nat(255),
        fc.constantFrom(...schemas),
        (value, at, byte, schema) => {
          const bytes = codec.encode({ type: 'log', value })
          bytes[at % bytes.length] = byte
          try {
            codec.validate(schema, codec.decode(bytes))
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String(error))
          }
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('does not allocate what a few bytes promise', () => {
    const promises = [
      [0xdd, 0x01, 0xff, 0xff, 0xff],
      [0xdf, 0x01, 0xff, 0xff, 0xff],
      [0xc6, 0xff, 0xff, 0xff, 0xff],
      [0xdb, 0xff, 0xff, 0xff, 0xff],
      Array.from({ length: 1_000 }, () => [0xdd, 0x01, 0xff, 0xff, 0xff]).flat(),
    ]
    const before = process.memoryUsage().rss
    for (const bytes of promises)
      assert.throws(() => codec.decode(Uint8Array.from(bytes)), { code: 'MESSAGE_INVALID' })
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
  })

  it('refuses what is nested too deep, has a type of its own, or goes on after its end', () => {
    const nested = (depth: number) => Uint8Array.from([...Array(depth).fill(0x91), 0xc0])
    assert.doesNotThrow(() => codec.decode(nested(60)))
    assert.throws(() => codec.decode(nested(70)), { code: 'MESSAGE_INVALID' })
    assert.throws(() => codec.decode(nested(1_000_000)), { code: 'MESSAGE_INVALID' })
    assert.throws(() => codec.decode(new Encoder().encode(new Date())), { code: 'MESSAGE_INVALID' })
    assert.throws(() => codec.decode(Uint8Array.of(0xc0, 0xc0)), { code: 'MESSAGE_INVALID' })
    assert.throws(() => codec.decode(new Uint8Array()), { code: 'MESSAGE_INVALID' })
    assert.throws(() => codec.decode(new Encoder().encode({ ['__proto__']: 1, a: 2 })), {
      code: 'MESSAGE_INVALID',
    })
  })

  it('has a limit of size both ways', () => {
    const tooLong = new Uint8Array(maxMessageBytes + 1)
    assert.throws(() => codec.encode(tooLong), { code: 'MESSAGE_TOO_LARGE' })
    assert.throws(() => codec.decode(tooLong), { code: 'MESSAGE_TOO_LARGE' })
    const nearly = codec.encode(new Uint8Array(maxMessageBytes - 5))
    assert.equal((codec.decode(nearly) as Uint8Array).length, maxMessageBytes - 5)
  })

  it('refuses values without a wire form, and works on', () => {
    assert.throws(() => codec.encode({ a: 1n }), { code: 'MESSAGE_INVALID' })
    assert.throws(() => codec.encode({ a: () => 1 }), { code: 'MESSAGE_INVALID' })
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    assert.throws(() => codec.encode(circular), { code: 'MESSAGE_INVALID' })
    assert.deepEqual(codec.decode(codec.encode({ a: 1 })), { a: 1 })
  })

  it('gives byte strings as plain arrays, also out of a Buffer', () => {
    const decoded = codec.decode(Buffer.from(codec.encode({ bytes: Buffer.from('abc') })))
    assert.deepEqual(decoded, { bytes: Uint8Array.from([97, 98, 99]) })
  })

  it('names the field that is wrong and drops fields it does not know', () => {
    const schema = v.object({ type: v.literal('x'), inner: v.object({ count: v.number() }) })
    assert.throws(() => codec.validate(schema, { type: 'x', inner: { count: 'one' } }), /inner\.count/)
    assert.deepEqual(codec.validate(schema, { type: 'x', inner: { count: 1, more: 2 }, extra: 3 }), {
      type: 'x',
      inner: { count: 1 },
    })
  })
})

/** Objects as a decoder makes them. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normal(inner)]))
  // There is no negative zero among integers.
  return value === 0 ? 0 : value
}
