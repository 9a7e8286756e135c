import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import WebSocket from 'ws'
import type { UserContext } from '../context.ts'
import { toMillis } from '../duration.ts'
import { InterruptedError, RequestError, UsageError } from '../errors.ts'
import type { HitErrorClass } from '../meter.ts'
import { Tunnel, tlsSettingsOf } from './connector.ts'
import { classify, describeBreak } from './hit-error.ts'
import { routeOf, type Route } from './route.ts'
import type { Server } from './server.ts'
import type { WebSocketOptions } from './websocket-session.ts'

/**
 * Opens a socket; records the handshake as one hit.
 *
 * @param onOpen is called in the turn in which the socket opens, so that no message can slip through before it listens
 * @throws {RequestError} the handshake failed
 * @throws {InterruptedError} the execution was cut
 */
export async function shakeHands<T>(
  context: UserContext,
  server: Server,
  url: string,
  options: WebSocketOptions,
  onOpen: (socket: WebSocket, href: string) => T,
): Promise<T> {
  const { signal, target, meter } = context
  const route = webSocketRoute(url, server)
  const name = options.name ?? route.name
  const href = route.href.replace(/^http/, 'ws')
  if (signal.aborted) throw new InterruptedError(`createWs ${name}`, signal.reason)
  const timeoutMs = options.timeout === undefined ? target.timeoutMs : toMillis(options.timeout)

  return new Promise<T>((resolve, reject) => {
    const startedAt = performance.now()
    const socket = new WebSocket(href, [options.protocols ?? []].flat(), {
      ...tlsSettingsOf(target),
      ...(target.proxy === null ? {} : { createConnection: tunnelThrough(target.proxy, target) as never }),
      headers: {
        ...(route.authorization === null ? {} : { authorization: route.authorization }),
        ...options.headers,
      },
      handshakeTimeout: timeoutMs,
      maxPayload: options.maxMessageBytes ?? 100 * 1024 * 1024,
      // Deflating costs the generator more than the network gains; a test of it can ask for the header itself.
      perMessageDeflate: false,
      followRedirects: false,
    })
    let status: string | null = null
    const record = (word: string, failed: boolean) => {
      const micros = Math.round((performance.now() - startedAt) * 1000)
      meter.hit('websocket', name, 'GET', word, failed, micros, 0, 0, null)
    }
    const onAbort = () => {
      if (status !== null) return
      status = 'interrupted'
      record('interrupted', false)
      socket.terminate()
      reject(new InterruptedError(`createWs ${name}`, signal.reason))
    }
    signal.addEventListener('abort', onAbort)

    socket.once('open', () => {
      signal.removeEventListener('abort', onAbort)
      if (status !== null) return
      status = '101'
      record('101', false)
      resolve(onOpen(socket, href))
      socket.off('error', onError)
    })
    socket.once('unexpected-response', (request, answer: IncomingMessage) => {
      signal.removeEventListener('abort', onAbort)
      if (status !== null) return
      status = String(answer.statusCode)
      record(status, true)
      answer.resume()
      request.destroy()
      const said = `the server answered ${status} to the WebSocket handshake, not 101`
      reject(
        new RequestError(`GET ${href}: ${said}`, {
          class: 'protocol',
          method: 'GET',
          url: href,
          cause: undefined,
        }),
      )
    })
    const onError = (error: Error) => {
      signal.removeEventListener('abort', onAbort)
      if (status !== null) return
      const hitClass = handshakeClass(error)
      status = hitClass
      record(hitClass, true)
      const message = describeBreak('GET', href, hitClass, error)
      reject(new RequestError(message, { class: hitClass, method: 'GET', url: href, cause: error }))
    }
    socket.on('error', onError)
  })
}

/** `ws` and `wss` URLs go where their `http` and `https` twins go, and are named like them but for the scheme. */
function webSocketRoute(url: string, server: Server): Route {
  if (/^https?:/i.test(url))
    throw new UsageError(`"${url}": createWs speaks ws:// and wss://; a relative URL will do too`)
  const route = routeOf(url.replace(/^ws(s?):\/\//i, 'http$1://'), server)
  return { ...route, name: route.name.replace(/^http/, 'ws') }
}

/** Connects through an HTTP proxy, in the form that `http.request` asks for. */
function tunnelThrough(proxy: string, target: UserContext['target']) {
  return (options: TunnelOptions, callback: (error: Error | null, socket?: Duplex) => void) => {
    const secure = options.protocol === 'https:' || options.defaultPort === 443
    const host = options.host ?? 'localhost'
    new Tunnel(proxy, host, Number(options.port ?? (secure ? 443 : 80))).open().then((socket) => {
      if (!secure) return callback(null, socket)
      const servername = isIP(host) === 0 ? host : ''
      callback(null, connect({ ...tlsSettingsOf(target), socket, servername }))
    }, callback)
    return undefined
  }
}

interface TunnelOptions {
  host?: string | null
  port?: string | number | null
  protocol?: string | null
  defaultPort?: string | number
}

function handshakeClass(error: Error): HitErrorClass {
  if (error.message === 'Opening handshake has timed out') return 'timeout'
  return classify(error, { reused: false, answered: false, idleMs: 0, elapsedMs: 0 })
}
