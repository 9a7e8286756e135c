import { subscribe } from 'node:diagnostics_channel'
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { HttpHit } from './http-hit.ts'
import { runningUser } from './running-user.ts'

interface Message {
  readonly stream: ClientHttp2Stream
  readonly headers: IncomingHttpHeaders & Readonly<Record<string, unknown>>
  readonly error: unknown
}

/** Counts the requests of node:http2, in versions of Node that publish them (22.17 and 24.2 on). */
export function instrumentNodeHttp2(): void {
  const hits = new WeakMap<ClientHttp2Stream, HttpHit>()
  const on = (event: string, listener: (message: Message) => void) =>
    subscribe(`http2.client.stream.${event}`, (message) => listener(message as Message))
  const begin = ({ stream, headers }: Message) => {
    if (hits.has(stream)) return
    const user = runningUser('http2')
    if (user === null) return
    const origin = `${word(headers[':scheme']) ?? 'https'}://${word(headers[':authority']) ?? ''}`
    const method = word(headers[':method']) ?? 'GET'
    hits.set(stream, new HttpHit(user, method, origin, word(headers[':path']) ?? '/'))
  }

  on('created', begin)
  on('start', begin)
  on('finish', ({ stream, headers }) => hits.get(stream)?.answered(Number(headers[':status'] ?? 0)))
  on('error', ({ stream, error }) => hits.get(stream)?.broken(error))
  on('close', ({ stream }) => {
    const hit = hits.get(stream)
    // NGHTTP2_NO_ERROR: the whole answer has come.
    if (stream.rstCode === 0) hit?.complete()
    else hit?.cutOff()
  })
}

function word(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
