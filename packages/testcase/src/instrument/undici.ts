import { subscribe } from 'node:diagnostics_channel'
import { HttpHit } from './http-hit.ts'
import { runningUser } from './running-user.ts'

/** What is read of undici's requests, of Node's own copy (`fetch`) and of any other. */
interface UndiciRequest {
  readonly method: string
  readonly origin: string | URL | null | undefined
  readonly path: string
  readonly contentLength?: number | null
}

interface Message {
  readonly request: UndiciRequest
  readonly response: { readonly statusCode: number; readonly headers: readonly (Buffer | string)[] }
  readonly chunk: string | Uint8Array
  readonly error: unknown
}

/** Counts the requests of `fetch` and of undici: `undici:request:*`. Each hop of a redirect is one. */
export function instrumentUndici(): void {
  // By request, because the answer comes in the asynchronous context of the connection, not of the test.
  const hits = new WeakMap<object, { hit: HttpHit; counted: boolean }>()
  const on = (event: string, listener: (message: Message) => void) =>
    subscribe(`undici:request:${event}`, (message) => listener(message as Message))

  on('create', ({ request }) => {
    const user = runningUser('undici')
    // CONNECT opens the way through a proxy; the request that it is for comes after.
    if (user === null || request.method === 'CONNECT') return
    const hit = new HttpHit(user, request.method, originOf(request.origin), request.path)
    hit.bytesOut = request.contentLength ?? 0
    hits.set(request, { hit, counted: false })
  })
  on('headers', ({ request, response }) => {
    const known = hits.get(request)
    if (known === undefined || response.statusCode < 101) return
    known.hit.answered(response.statusCode)
    if (request.method !== 'HEAD') known.hit.bytesIn = contentLength(response.headers)
  })
  // Later versions tell the bytes of the body, earlier ones only what the head says of them.
  on('bodyChunkReceived', ({ request, chunk }) => {
    const known = hits.get(request)
    if (known === undefined) return
    known.hit.bytesIn = (known.counted ? known.hit.bytesIn : 0) + chunk.length
    known.counted = true
  })
  on('trailers', ({ request }) => hits.get(request)?.hit.complete())
  on('error', ({ request, error }) => hits.get(request)?.hit.broken(error))
}

function originOf(origin: UndiciRequest['origin']): string {
  if (origin instanceof URL) return origin.origin
  return typeof origin === 'string' ? origin : ''
}

/** Names and values in turn, as they came. */
function contentLength(headers: readonly (Buffer | string)[]): number {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (String(headers[index]).toLowerCase() === 'content-length')
      return Number(String(headers[index + 1])) || 0
  }
  return 0
}
