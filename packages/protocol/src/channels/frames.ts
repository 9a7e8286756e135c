import * as v from 'valibot'
import { codec } from '../codec.ts'
import { bytes } from '../messages/bytes.ts'

const token = bytes

/**
 * What travels once a peer has its role: one encoded array of the connection's token, the kind and the content.
 */
const frameSchema = v.union([
  /** A message of the direction's schema. */
  v.tuple([token, v.literal('message'), v.unknown()]),
  /** How many messages were taken in so far. Also the sign of life of an idle connection. */
  v.tuple([token, v.literal('received'), v.pipe(v.number(), v.integer(), v.minValue(0))]),
  /** Why the sender ends the connection (bye: its user asked for it), and in words. */
  v.tuple([token, v.literal('bye'), v.picklist(['bye', 'lost', 'refused']), v.string()]),
  /** Answer to bye: everything before it has arrived. */
  v.tuple([token, v.literal('parted')]),
])

export type Frame = v.InferOutput<typeof frameSchema>
export type ByeReason = 'bye' | 'lost' | 'refused'

/** @throws {ProtocolError} MESSAGE_TOO_LARGE, MESSAGE_INVALID. */
export function encodeFrame(frame: Frame): Uint8Array {
  return codec.encode(frame)
}

/** @throws {ProtocolError} MESSAGE_INVALID, MESSAGE_TOO_LARGE. */
export function decodeFrame(bytes: Uint8Array): Frame {
  return codec.validate(frameSchema, codec.decode(bytes))
}

export function sameToken(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
