import { randomBytes } from 'node:crypto'
import * as v from 'valibot'
import type { Identity, Role } from './channel.ts'
import { codec } from './codec.ts'
import { signBytes, verifyBytes } from './keys.ts'
import { bytes } from './messages/bytes.ts'

/**
 * How a connection gets its role. ZAP has admitted a known key, but the transport does not tell whose key sent a
 * frame. So the dialer signs the broker's fresh nonce with its role's key, over the one connection on which the nonce
 * came:
 *
 *     dialer  -> connect, version            broker -> challenge, nonce      (or refused)
 *     dialer  -> hello, identity, signature  broker -> welcome, token        (or refused)
 *
 * Every frame after that carries the token, so that nobody else can speak for a connection whose routing id got free.
 */
export const protocolVersion = 4

const label = 'loads hello 1'
const shortText = v.pipe(v.string(), v.maxLength(1024))
const natural = v.pipe(v.number(), v.integer(), v.minValue(0))
const bytesOf = (length: number) =>
  v.pipe(
    bytes,
    v.check((value) => value.length === length, `not ${length} bytes`),
  )

export const identitySchema = v.object({
  id: v.pipe(shortText, v.minLength(1)),
  incarnation: v.pipe(shortText, v.minLength(1)),
  host: shortText,
  pid: natural,
  version: shortText,
  slots: natural,
  labels: v.record(shortText, shortText),
})

/** Longer tuples are fine: a later version may add to its connect frame and still be refused in words. */
const connectSchema = v.looseTuple([v.literal('connect'), natural])
const helloSchema = v.tuple([
  v.literal('hello'),
  v.picklist(['agent', 'operator']),
  identitySchema,
  bytesOf(64),
])

/** What a dialer may say before it has a role. */
export const dialerFrameSchema = v.union([connectSchema, helloSchema])
export type DialerFrame = v.InferOutput<typeof dialerFrameSchema>

/** What a broker may answer to it. */
export const brokerFrameSchema = v.union([
  v.tuple([v.literal('challenge'), bytesOf(32)]),
  v.tuple([v.literal('welcome'), bytesOf(16)]),
  v.tuple([v.literal('refused'), v.string(), v.string()]),
])
export type BrokerFrame = v.InferOutput<typeof brokerFrameSchema>

/** What a signature is made over. */
export interface HelloFacts {
  nonce: Uint8Array
  /** The broker's public CURVE key, Z85. */
  serverKey: string
  role: Role
  identity: Pick<Identity, 'id' | 'incarnation'>
}

export function createNonce(): Uint8Array {
  return new Uint8Array(randomBytes(32))
}

export function createToken(): Uint8Array {
  return new Uint8Array(randomBytes(16))
}

/** @param signingKey The role's Ed25519 seed, base64url. */
export function signHello(signingKey: string, facts: HelloFacts): Uint8Array {
  return signBytes(signingKey, helloBytes(facts))
}

/** @param publicKey The role's public Ed25519 key, base64url. */
export function verifyHello(publicKey: string, facts: HelloFacts, signature: Uint8Array): boolean {
  return verifyBytes(publicKey, helloBytes(facts), signature)
}

/** MessagePack puts a length before each field, so no two lists of facts have the same bytes. */
function helloBytes({ nonce, serverKey, role, identity }: HelloFacts): Uint8Array {
  return codec.encode([label, nonce, serverKey, role, identity.id, identity.incarnation])
}
