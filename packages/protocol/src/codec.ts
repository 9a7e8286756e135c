import { Decoder, Encoder } from '@msgpack/msgpack'
import * as v from 'valibot'
import { ProtocolError } from './errors.ts'
import { isWellFormed } from './msgpack-shape.ts'

/** Largest encoded message, in bytes. */
export const maxMessageBytes = 64 * 1024 * 1024

/** An encoder keeps its largest buffer; above this many bytes it is given up. */
const keptBufferBytes = 1024 * 1024

let encoder = new Encoder()
const decoder = new Decoder()

/** @throws {ProtocolError} MESSAGE_INVALID for values without a wire form, MESSAGE_TOO_LARGE. */
function encode(value: unknown): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = encoder.encode(value)
  } catch (error) {
    throw new ProtocolError('MESSAGE_INVALID', `A value cannot be sent: ${textOf(error)}`, { cause: error })
  }
  if (bytes.length > keptBufferBytes) encoder = new Encoder()
  if (bytes.length > maxMessageBytes)
    throw new ProtocolError(
      'MESSAGE_TOO_LARGE',
      `A message of ${bytes.length} bytes exceeds the limit of ${maxMessageBytes}. Send it in parts.`,
    )
  return bytes
}

/**
 * Turns bytes of any origin into plain data. Byte strings in it are views of the input.
 *
 * @throws {ProtocolError} MESSAGE_INVALID, MESSAGE_TOO_LARGE. Time and memory are bounded by the size of the input.
 */
function decode(bytes: Uint8Array): unknown {
  if (bytes.length > maxMessageBytes)
    throw new ProtocolError('MESSAGE_TOO_LARGE', `${bytes.length} bytes exceed the limit of a message`)
  if (!isWellFormed(bytes)) throw new ProtocolError('MESSAGE_INVALID', 'These bytes are no message')
  // A Buffer would give its slices as Buffers; messages hold plain byte arrays.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    return decoder.decode(plain)
  } catch (error) {
    throw new ProtocolError('MESSAGE_INVALID', `These bytes are no message: ${textOf(error)}`, {
      cause: error,
    })
  }
}

/** @throws {ProtocolError} MESSAGE_INVALID, which names the first field that is wrong. Unknown fields are dropped. */
function validate<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const where = v.getDotPath(issue)
  throw new ProtocolError(
    'MESSAGE_INVALID',
    `${where === null ? '' : `${where}: `}${issue.message.slice(0, 300)}`,
  )
}

/** MessagePack and the schemas of the messages. */
export const codec = { encode, decode, validate }

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
