import { createRequire } from 'node:module'
import type * as zeromq from 'zeromq'
import { ChannelError } from '../errors.ts'

type Zeromq = typeof zeromq
export type { Dealer, Router, Socket } from 'zeromq'

export interface Transport {
  zmq: Zeromq
  context: InstanceType<Zeromq['Context']>
}

/**
 * Bytes in one part of a multi-part message. The transport reads a part whole before it knows whether the sender
 * may come in, so this, and not the size of a message, is what a stranger can make us hold.
 */
const partBytes = 1024 * 1024

/** Options of every socket, dialing or listening. */
export const socketOptions = {
  // CURVE adds 33 bytes to a part.
  maxMessageSize: partBytes + 1024,
  // A link's own window bounds what waits in a socket; a second limit here could only lose messages.
  sendHighWaterMark: 0,
  // Never wait: zeromq.js allows one waiting send per socket, so one slow peer would stop all others.
  sendTimeout: 0,
  // A goodbye may still go out after close; nothing else waits then.
  linger: 200,
}

let transport: Transport | null = null

/**
 * The native library, loaded when the first socket is needed, with one context for this thread.
 *
 * @throws {ChannelError} CHANNEL_UNAVAILABLE.
 */
export function loadTransport(): Transport {
  if (transport !== null) return transport
  try {
    const zmq = createRequire(import.meta.url)('zeromq') as Zeromq
    // Contexts are freed at the end of the process only, so there is one, and it has room for all sockets.
    transport = { zmq, context: new zmq.Context({ maxSockets: 16_384, blocky: false }) }
    return transport
  } catch (error) {
    throw new ChannelError(
      'CHANNEL_UNAVAILABLE',
      '',
      `ZeroMQ does not load on this machine (${(error as Error).message}). Reinstall the package "zeromq" for this platform and version of Node.`,
      { cause: error },
    )
  }
}

export function toParts(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length <= partBytes) return [bytes]
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += partBytes) parts.push(bytes.subarray(at, at + partBytes))
  return parts
}

export function fromParts(parts: Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}
