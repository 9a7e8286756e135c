import { Agent, request } from 'undici'
import { linesOf } from './line-protocol.ts'
import type { Point } from './point.ts'
import type { PointWriter, WriteAnswer } from './point-writer.ts'

export interface LineWriterOptions {
  readonly target: string
  readonly accessHint: string
  readonly missingHint: string
  readonly url: URL
  /** Value of the header `authorization`; null: none. */
  readonly authorization: string | null
}

/** What is read of an answer, in bytes. */
const longestAnswer = 16_384

/** Writes lines to an endpoint of InfluxDB 2 or 3. */
export class LineWriter implements PointWriter {
  readonly target: string
  readonly accessHint: string
  readonly missingHint: string
  readonly #url: URL
  readonly #headers: Record<string, string>
  /** One connection: batches are written one after the other. */
  readonly #agent = new Agent({ connections: 1, pipelining: 1 })

  constructor({ target, accessHint, missingHint, url, authorization }: LineWriterOptions) {
    this.target = target
    this.accessHint = accessHint
    this.missingHint = missingHint
    this.#url = url
    this.#headers = { 'content-type': 'text/plain; charset=utf-8', accept: 'application/json' }
    if (authorization !== null) this.#headers['authorization'] = authorization
  }

  /** Databases of these versions have owners and retention: they are made by people. */
  async prepare(): Promise<void> {}

  async send(points: readonly Point[], signal: AbortSignal): Promise<WriteAnswer> {
    const { statusCode, headers, body } = await request(this.#url, {
      method: 'POST',
      dispatcher: this.#agent,
      headers: this.#headers,
      body: linesOf(points),
      signal,
    })
    let text = ''
    for await (const chunk of body.setEncoding('utf8')) {
      if (text.length < longestAnswer) text += String(chunk)
    }
    return { status: statusCode, text: wordsOf(text), retryAfterMs: millisOf(headers['retry-after']) }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

/** Retry-After: seconds or a date. */
function millisOf(header: string | string[] | undefined): number | null {
  const text = Array.isArray(header) ? header[0] : header
  if (text === undefined) return null
  const millis = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(millis) ? Math.max(0, millis) : null
}

/**
 * What an answer says, out of its JSON: `{"code","message"}` of version 2, `{"error","data":[{"line_number",
 * "error_message"}]}` of version 3 (`data` is one such object for some errors), plain text of what stands in between.
 */
export function wordsOf(body: string): string {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    return body.trim().slice(0, 1000)
  }
  if (typeof answer !== 'object' || answer === null) return body.trim().slice(0, 1000)
  const { message, error, data } = answer as Record<string, unknown>
  const head = [message, error].find((text) => typeof text === 'string' && text !== '') as string | undefined
  const lines = (Array.isArray(data) ? data : [data])
    .map((line: unknown) => (line as { error_message?: unknown } | null | undefined)?.error_message)
    .filter((text) => typeof text === 'string')
  const all = [head ?? body.trim(), ...new Set(lines)]
  return all.join('; ').slice(0, 1000)
}
