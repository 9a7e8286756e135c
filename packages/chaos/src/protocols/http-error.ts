import { STATUS_CODES } from 'node:http'
import { milliseconds, oneOf, optional, text, whole, words, type Attribute } from '../attributes.ts'
import { defineFault } from '../faults/definition.ts'
import type { Random } from '../random.ts'
import { needsProtocol } from './error-mode.ts'
import { spoiled, type SpoilMode } from './http-spoil.ts'
import { pickWeighted } from './weighted.ts'

interface HttpErrorAttributes {
  statuses: readonly string[]
  when: 'instead' | 'after' | null
  mode: 'status' | SpoilMode
  retry_after: number | null
  body: string | null
  content_type: string
  drain: number
  bytes: number | null
  piece: number
  pause: number
}

const status = /^([2-5]\d\d)(?::([1-9]\d{0,5}))?$/

/** Statuses with weights: `503` or `503:3`, which is drawn three times as often as one without. */
const statuses = words({
  initial: ['429', '500', '502', '503', '504'],
  help: 'statuses, each as likely as its weight: 503, 503:3',
  allowed: 'statuses from 200 to 599, each with a weight if need be, such as 503 or 503:3',
  check: (word) => status.test(word),
})

const contentType: Attribute<string> = {
  ...text({ initial: 'text/plain; charset=utf-8', help: 'of the body', most: 200 }),
  allowed: 'a text of 200 characters at most on one line',
  read: (value) =>
    typeof value === 'string' && value.length <= 200 && /^[\x20-\x7e]+$/.test(value) ? value : undefined,
}

/** Answers of HTTP that are errors, or broken. */
export const httpError = defineFault<HttpErrorAttributes>({
  type: 'http_error',
  summary: 'an error status in place of the reply, or a reply that is cut, slow or wrong',
  attributes: {
    statuses,
    when: optional(
      oneOf(['instead', 'after'], {
        initial: 'instead',
        help: 'instead: the backend is not asked; after: it does its work. By default instead for the mode status, after for others, which then work on its own reply',
      }),
    ),
    mode: oneOf(['status', 'truncate', 'slow_headers', 'slow_body', 'malformed_chunk', 'wrong_length'], {
      initial: 'status',
      help: 'a whole answer, or what is wrong with it',
    }),
    retry_after: optional(whole({ initial: 1, help: 'seconds in a Retry-After header' })),
    body: optional(text({ initial: '', help: 'of the answer; by default the name of the status' })),
    content_type: contentType,
    drain: whole({
      initial: 1024 * 1024,
      help: 'bytes of a request, its head among them, that are read for the connection to be kept',
    }),
    bytes: optional(
      whole({
        initial: 0,
        help: 'of the body that truncate lets through; by default half of a known length',
      }),
    ),
    piece: whole({ initial: 16, min: 1, help: 'bytes of each piece of slow_headers and slow_body' }),
    pause: milliseconds({ initial: 100, help: 'between those pieces' }),
  },
  units: ['request', 'connection'],
  check: needsProtocol('http'),
  treat({ request, random }, attributes) {
    const { mode, bytes, piece, pause } = attributes
    const when = attributes.when ?? (mode === 'status' ? 'instead' : 'after')
    const hasBody = request.detail['method'] !== 'HEAD'
    const replyStage =
      mode === 'status' ? {} : { replyStage: spoiled({ mode, hasBody, bytes, piece, pauseMs: pause }) }
    if (mode !== 'status' && when === 'after') return { ...replyStage, detail: { mode } }
    const chosen = pick(attributes.statuses, random)
    const keeps = request.detail['keepAlive'] === true && request.detail['tunnels'] !== true
    const closing = answer(chosen, attributes, { keeps: false, hasBody })
    const isAncient = request.detail['isAncient'] === true
    return {
      ...replyStage,
      reply: {
        bytes: keeps ? answer(chosen, attributes, { keeps, hasBody, isAncient }) : closing,
        backend: when === 'instead' ? 'spared' : 'asked',
        closes: !keeps,
        // A client that waits for a 100 before it sends the body would wait for ever.
        ...(when === 'instead' && {
          early: {
            after: request.detail['expects'] === true ? 0 : attributes.drain,
            bytes: closing,
          },
        }),
      },
      detail: { status: chosen, mode, when },
    }
  },
})

function pick(list: readonly string[], random: Random): number {
  const weighed = list.map((each) => {
    const [, code, weight] = status.exec(each)!
    return { item: Number(code), weight: Number(weight ?? 1) }
  })
  return pickWeighted(weighed, random)
}

function answer(
  code: number,
  { retry_after, body, content_type }: HttpErrorAttributes,
  { keeps, hasBody, isAncient = false }: { keeps: boolean; hasBody: boolean; isAncient?: boolean },
): Buffer {
  const name = STATUS_CODES[code] ?? 'Error'
  const content = Buffer.from(body ?? `${code} ${name}\n`)
  const mayHaveBody = code !== 204 && code !== 304
  const lines = [`HTTP/1.1 ${code} ${name}`]
  if (mayHaveBody) lines.push(`Content-Type: ${content_type}`, `Content-Length: ${content.length}`)
  if (retry_after !== null) lines.push(`Retry-After: ${retry_after}`)
  if (!keeps) lines.push('Connection: close')
  else if (isAncient) lines.push('Connection: keep-alive')
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  return hasBody && mayHaveBody ? Buffer.concat([head, content]) : head
}
