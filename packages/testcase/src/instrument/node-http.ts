import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { HttpHit } from './http-hit.ts'
import { runningUser } from './running-user.ts'

interface Message {
  readonly request: ClientRequest
  readonly response: IncomingMessage
  readonly error: unknown
}

/** Counts the requests of node:http and node:https, and of the clients that are built on them. */
export function instrumentNodeHttp(): void {
  const hits = new WeakMap<ClientRequest, HttpHit>()
  /** Bytes of a connection that belong to requests before. */
  const counted = new WeakMap<Socket, { read: number; written: number }>()
  const begin = (request: ClientRequest): HttpHit | undefined => {
    let hit = hits.get(request)
    if (hit !== undefined) return hit
    const user = runningUser('http')
    if (user === null || request.method === 'CONNECT') return undefined
    const host = request.getHeader('host') ?? request.host
    hit = new HttpHit(user, request.method, `${request.protocol}//${String(host)}`, request.path)
    hits.set(request, hit)
    return hit
  }
  const on = (event: string, listener: (message: Message) => void) =>
    subscribe(`http.client.${event}`, (message) => listener(message as Message))

  // Where Node does not tell of the making of a request, it tells of its sending.
  on('request.created', ({ request }) => void begin(request))
  on('request.start', ({ request }) => void begin(request))
  // A connection that is refused may be all that is ever said of a request.
  on('request.error', ({ request, error }) => begin(request)?.broken(error))
  on('response.finish', ({ request, response }) => {
    const hit = hits.get(request)
    if (hit === undefined) return
    hit.answered(response.statusCode ?? 0)
    const { socket } = response
    let ended = false
    const end = () => {
      if (ended) return
      ended = true
      const before = counted.get(socket) ?? { read: 0, written: 0 }
      const now = { read: socket.bytesRead, written: socket.bytesWritten }
      counted.set(socket, now)
      hit.bytesIn = now.read - before.read
      hit.bytesOut = now.written - before.written
      if (response.complete) hit.complete()
      else if (response.errored) hit.broken(response.errored)
      else hit.cutOff()
    }
    // Both, because a body that nobody reads to its end has no end, and one that is read may close much later.
    response.once('end', end)
    response.once('close', end)
  })
  // The head is the whole answer to an upgrade, and is told of by the end of the request alone.
  on('request.start', ({ request }) => {
    const hit = hits.get(request)
    if (hit === undefined || !request.hasHeader('upgrade')) return
    request.once('close', () => {
      const status = (request as { res?: IncomingMessage }).res?.statusCode
      if (status !== 101) return
      hit.answered(status)
      hit.complete()
    })
  })
}
