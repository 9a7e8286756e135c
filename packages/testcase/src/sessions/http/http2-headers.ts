import type { OutgoingHttpHeaders } from 'node:http2'
import { UsageError } from '../../errors.ts'
import type { HttpCall } from './http-call.ts'
import { isHeader } from './wire.ts'

/** Headers of a connection of HTTP/1.1, which HTTP/2 knows nothing of (RFC 9113, 8.2.2). */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/**
 * The headers of a call as node:http2 takes them.
 *
 * @throws {UsageError} one that cannot be sent
 */
export function http2HeadersOf(call: HttpCall): OutgoingHttpHeaders {
  const { protocol, host } = new URL(call.href)
  const headers: OutgoingHttpHeaders = {
    ':method': call.method,
    ':scheme': protocol.slice(0, -1),
    ':authority': host,
    ':path': call.path,
  }
  for (let index = 0; index < call.headers.length; index += 2) {
    const name = call.headers[index]!.toLowerCase()
    const value = call.headers[index + 1]!
    if (!isHeader(name, value) || ofConnection.has(name)) {
      throw new UsageError(
        `${call.method} ${call.href} cannot be sent: HTTP/2 takes no header "${name}: ${value}"`,
      )
    }
    if (name === 'host') headers[':authority'] = value
    else {
      const before = headers[name]
      headers[name] = before === undefined ? value : [...[before as string | string[]].flat(), value]
    }
  }
  if (call.body instanceof Uint8Array && headers['content-length'] === undefined) {
    headers['content-length'] = String(call.body.byteLength)
  }
  return headers
}
