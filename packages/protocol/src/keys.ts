import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import * as v from 'valibot'
import { z85Decode, z85Encode } from './z85.ts'

const curveKey = v.pipe(
  v.string(),
  v.length(40),
  v.check((text) => z85Decode(text) !== null, 'not a Z85 key'),
)
const signingKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/))

/** CURVE (X25519) keys as ZeroMQ takes them: 40 characters of Z85. */
export const curvePairSchema = v.object({ publicKey: curveKey, secretKey: curveKey })
export type CurvePair = v.InferOutput<typeof curvePairSchema>

/** Ed25519 keys: 32 bytes each, the secret one being the seed, as base64url. */
export const signingPairSchema = v.object({ publicKey: signingKey, secretKey: signingKey })
export type SigningPair = v.InferOutput<typeof signingPairSchema>

export const roleKeysSchema = v.object({ curve: curvePairSchema, signing: signingPairSchema })
export type RoleKeys = v.InferOutput<typeof roleKeysSchema>

/** All a broker needs: its own pair, and for each role the pair that opens the door and the one that proves the role. */
export const brokerKeysSchema = v.object({
  server: curvePairSchema,
  agent: roleKeysSchema,
  operator: roleKeysSchema,
})
export type BrokerKeys = v.InferOutput<typeof brokerKeysSchema>

export function createKeys(): BrokerKeys {
  const role = () => ({ curve: createCurvePair(), signing: createSigningPair() })
  return { server: createCurvePair(), agent: role(), operator: role() }
}

/** A CURVE pair is an X25519 pair, so that Node's own generator serves and the native library need not be loaded. */
export function createCurvePair(): CurvePair {
  const { x, d } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })
  return { publicKey: z85Encode(fromBase64(x!)), secretKey: z85Encode(fromBase64(d!)) }
}

export function createSigningPair(): SigningPair {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return { publicKey: x!, secretKey: d! }
}

/** PKCS #8 header of an Ed25519 seed (RFC 8410, section 7); the 32 bytes of the seed follow. */
const seedHeader = Buffer.from('302e020100300506032b657004220420', 'hex')

export function signBytes(secretKey: string, bytes: Uint8Array): Uint8Array {
  const der = Buffer.concat([seedHeader, fromBase64(secretKey)])
  return plain(sign(null, bytes, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })))
}

/** False for any signature or key that does not fit; never throws. */
export function verifyBytes(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
    return verify(null, bytes, key, signature)
  } catch {
    return false
  }
}

/** First bytes of a SHA-256, against typing errors only. */
export function checksum(bytes: Uint8Array, length: number): Uint8Array {
  return plain(createHash('sha256').update(bytes).digest().subarray(0, length))
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64url')
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}
