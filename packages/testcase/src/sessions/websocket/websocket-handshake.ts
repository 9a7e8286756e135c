import type WebSocket from 'ws'
import type { UserContext } from '../../context.ts'
import { toMillis, toTimerMillis } from '../../duration.ts'
import { InterruptedError, RequestError, UsageError } from '../../errors.ts'
import type { HitErrorClass } from '../../meter.ts'
import { AbortWatch } from '../abort-watch.ts'
import { tlsSettingsOf } from '../connector.ts'
import type { Cookies } from '../http/cookies.ts'
import { classify, describeBreak, withoutQuery } from '../hit-error.ts'
import { ws } from '../libraries.ts'
import { routeOf, type Route } from '../http/route.ts'
import type { Server } from '../server.ts'
import { traceParentOf } from '../trace-header.ts'
import { tunnelThrough } from '../http/tunnel-connection.ts'
import type { WebSocketOptions } from './websocket-session.ts'

/** What the handshake of one socket is made of. */
export interface Handshake {
  readonly route: Route
  readonly name: string
  /** With `ws:` or `wss:`, without credentials. */
  readonly href: string
  readonly timeoutMs: number
}

/**
 * @throws {UsageError} a URL or a timeout that cannot be
 * @throws {ServerUrlError} relative, and no server is known
 */
export function planHandshake(
  context: UserContext,
  server: Server,
  url: string,
  options: WebSocketOptions,
): Handshake {
  const route = webSocketRoute(url, server)
  return {
    route,
    name: options.name ?? route.name,
    href: route.href.replace(/^http/, 'ws'),
    timeoutMs: toTimerMillis(
      options.timeout === undefined ? context.target.timeoutMs : toMillis(options.timeout),
    ),
  }
}

/** How a handshake ended: with what `onOpen` made, with a status other than 101, or with an error. */
type Ending<T> =
  { opened: T } | { refused: number; setCookies: string[] } | { class: HitErrorClass; cause: Error }

/**
 * Opens a socket; records the handshake as one hit.
 *
 * @param cookies the user's, which go with the handshake and learn from its answer
 * @param onOpen is called in the turn in which the socket opens, so that no message can slip through before it listens
 * @throws {RequestError} the handshake failed
 * @throws {InterruptedError} the execution was cut
 */
export async function shakeHands<T>(
  { route, name, href, timeoutMs }: Handshake,
  context: UserContext,
  cookies: Cookies,
  options: WebSocketOptions,
  onOpen: (socket: WebSocket, href: string, startedAt: number) => T,
): Promise<T> {
  const { signal, target, meter } = context
  if (signal.aborted) throw new InterruptedError(`createWs ${name}`, signal.reason)
  const { WebSocket } = ws()
  const traceParent = traceParentOf(context)
  const socket = new WebSocket(href, [options.protocols ?? []].flat(), {
    ...tlsSettingsOf(target),
    ...(target.proxy === null ? {} : { createConnection: tunnelThrough(target.proxy, target) as never }),
    headers: {
      ...(route.authorization === null ? {} : { authorization: route.authorization }),
      ...(cookies.isEmpty ? {} : { cookie: cookies.header(route.href) }),
      ...(traceParent === null ? {} : { traceparent: traceParent }),
      ...options.headers,
    },
    maxPayload: options.maxMessageBytes ?? 100 * 1024 * 1024,
    // Deflating costs the generator more than the network gains.
    perMessageDeflate: false,
    followRedirects: false,
  })
  const startedAt = performance.now()
  const ending = await new Promise<Ending<T>>((resolve) => {
    let ended = false
    /** Takes the first ending: records it and lets go of everything. Whatever follows is part of it. */
    const end = (status: string, make: () => Ending<T>) => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      watch.follow(null)
      const micros = Math.round((performance.now() - startedAt) * 1000)
      meter.hit(
        'websocket',
        name,
        'GET',
        status,
        status !== '101' && status !== 'interrupted',
        micros,
        0,
        0,
        null,
      )
      resolve(make())
    }
    const stop = (hitClass: HitErrorClass, message: string) => {
      end(hitClass, () => ({ class: hitClass, cause: new Error(message) }))
      socket.terminate()
    }
    const timer = setTimeout(() => stop('timeout', `no handshake after ${timeoutMs} ms`), timeoutMs)
    const watch = new AbortWatch(() => stop('interrupted', 'the execution was cut'))
    watch.follow(signal)

    socket.once('upgrade', (answer) => {
      for (const cookie of answer.headers['set-cookie'] ?? []) cookies.store(cookie, route.href)
    })
    socket.once('open', () => end('101', () => ({ opened: onOpen(socket, href, startedAt) })))
    socket.once('unexpected-response', (request, answer) => {
      const refused = answer.statusCode ?? 0
      end(String(refused), () => ({ refused, setCookies: answer.headers['set-cookie'] ?? [] }))
      answer.resume()
      request.destroy()
    })
    // Stays after the handshake: an open socket's errors are the session's, which listens too.
    socket.on('error', (cause) => {
      const hitClass = classify(cause, { reused: false, answered: false, idleMs: 0, elapsedMs: 0 })
      end(hitClass, () => ({ class: hitClass, cause }))
    })
  })
  if ('opened' in ending) return ending.opened
  if ('refused' in ending) {
    for (const cookie of ending.setCookies) cookies.store(cookie, route.href)
    const message = `GET ${withoutQuery(href)}: the server answered ${ending.refused} to the handshake, not 101`
    throw new RequestError(message, { class: 'protocol', method: 'GET', url: href, cause: undefined })
  }
  if (ending.class === 'interrupted') throw new InterruptedError(`createWs ${name}`, ending.cause)
  throw new RequestError(describeBreak('GET', href, ending.class, ending.cause), {
    class: ending.class,
    method: 'GET',
    url: href,
    cause: ending.cause,
  })
}

/** `ws` and `wss` URLs go where their `http` and `https` twins go, and are named like them but for the scheme. */
function webSocketRoute(url: string, server: Server): Route {
  if (/^https?:/i.test(url))
    throw new UsageError(`"${url}": createWs speaks ws:// and wss://; a relative URL will do too`)
  const route = routeOf(url.replace(/^ws(s?):\/\//i, 'http$1://'), server)
  return { ...route, name: route.name.replace(/^http/, 'ws') }
}
