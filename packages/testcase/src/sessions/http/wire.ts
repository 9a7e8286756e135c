import type { CallBody } from './http-call.ts'

/** Bodies up to this many bytes are written together with their head. */
const joinedBody = 64 * 1024

const tokens = /^[!#$%&'*+\-.^_`|~\w]+$/
// oxlint-disable-next-line no-control-regex
const wrongInValue = /[^\t\x20-\x7e\x80-\xff]/
const wrongInPath = /[^\x21-\xff]/

/** Headers that say how the message itself is sent: undici knows what to do with them, or refuses them. */
const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])

/** Methods that say Content-Length even where there is no body. */
const withBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH'])

/** Whether a header can be sent as it is. */
export function isHeader(name: string, value: unknown): boolean {
  return typeof value === 'string' && tokens.test(name) && !wrongInValue.test(value)
}

export interface Wire {
  head: Buffer
  /** Null where it stands in `head`, or there is none. */
  body: Uint8Array | null
}

/**
 * The bytes of a plain request. Null where it is not plain: a streamed body, or anything that must be refused or sent in
 * another way, which is left to undici.
 */
export function wireOf(
  method: string,
  path: string,
  host: string,
  headers: readonly string[],
  body: CallBody,
): Wire | null {
  if (!tokens.test(method) || method === 'CONNECT' || wrongInPath.test(path)) return null
  if (body !== null && !(body instanceof Uint8Array)) return null
  let ownHost = host
  let lines = ''
  for (let index = 0; index < headers.length; index += 2) {
    const [name, value] = [headers[index]!, headers[index + 1]!]
    if (!isHeader(name, value)) return null
    const lower = name.toLowerCase()
    if (framing.has(lower)) return null
    if (lower === 'host') ownHost = value
    else lines += `${name}: ${value}\r\n`
  }
  const length = body === null ? 0 : body.byteLength
  if (length > 0 || withBody.has(method)) lines += `content-length: ${length}\r\n`
  const text = `${method} ${path} HTTP/1.1\r\nhost: ${ownHost}\r\nconnection: keep-alive\r\n${lines}\r\n`
  const head = Buffer.from(text, 'latin1')
  if (body === null || length === 0) return { head, body: null }
  return length <= joinedBody ? { head: Buffer.concat([head, body]), body: null } : { head, body }
}
