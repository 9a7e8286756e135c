import { request } from 'undici'

export interface HttpAnswer {
  status: number
  /** The beginning of what the server says. */
  text: string
  /** Seconds that the server wants to be left alone; null when it does not say. */
  retryAfterSeconds: number | null
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body?: Uint8Array | string
  signal: AbortSignal
  /** Bytes of the answer that are read; what is beyond them is cut off. */
  mostBytes: number
}

/** One request; redirects are not followed. Throws when there is no complete answer. */
export async function exchange(
  url: string,
  { mostBytes, body, ...options }: HttpRequest,
): Promise<HttpAnswer> {
  const response = await request(url, { ...options, body: body ?? null })
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response.body as AsyncIterable<Buffer>) {
    parts.push(part)
    size += part.length
    if (size >= mostBytes) break
  }
  return {
    status: response.statusCode,
    text: Buffer.concat(parts).subarray(0, mostBytes).toString('utf8'),
    retryAfterSeconds: secondsOf(response.headers['retry-after']),
  }
}

/** The reason that a server gives, on one line and short. */
export function reasonOf({ status, text }: HttpAnswer): string {
  const words = text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  const short = words.length > 300 ? `${words.slice(0, 299)}…` : words
  return short === '' ? `status ${status}` : `status ${status}: ${short}`
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function secondsOf(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null
  if (/^\d+$/.test(header)) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, (at - Date.now()) / 1000)
}
