import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { BlockList, isIPv6, type AddressInfo, type Socket } from 'node:net'
import { ChaosError } from '../errors.ts'
import { showAddress } from '../proxy/address.ts'
import { bindReason } from '../proxy/listener.ts'
import type { Proxies } from '../proxy/proxies.ts'
import { eventRoutes } from './event-routes.ts'
import { Gate } from './gate.ts'
import { metricsRoutes } from './metrics-routes.ts'
import { proxyRoutes } from './proxy-routes.ts'
import { Refusal, refusalOf } from './refusal.ts'
import { Call, type Answer, type RouteModule } from './route.ts'
import { Router } from './router.ts'
import { scopeRoutes } from './scope-routes.ts'
import { toxicRoutes } from './toxic-routes.ts'
import { vaurienRoutes } from './vaurien-routes.ts'
import { versionRoute } from './version-route.ts'

export interface ControlOptions {
  proxies: Proxies
  /** By default 127.0.0.1. */
  host?: string
  /** By default 8474, Toxiproxy's; 0 takes any. */
  port?: number
  /** Whoever calls must have it: `Authorization: Bearer TOKEN`. */
  token?: string
  /** Of the package. */
  version: string
  /** Further routes. */
  modules?: readonly RouteModule[]
}

/** Proxies driven over HTTP: Toxiproxy's API, Vaurien's routes, metrics and events. It holds up no proxy, and none holds it up. */
export class ControlServer implements AsyncDisposable {
  readonly #server: Server
  readonly #modules: readonly RouteModule[]
  readonly #router: Router
  readonly #token: string | null
  #gate: Gate | null = null

  /** Listens when it resolves. @throws {ChaosError} CHAOS_BIND */
  static async start(options: ControlOptions): Promise<ControlServer> {
    const server = new ControlServer(options)
    await server.#listen(options.host ?? '127.0.0.1', options.port ?? 8474)
    return server
  }

  private constructor({ proxies, token, version, modules = [] }: ControlOptions) {
    this.#token = token ?? null
    this.#modules = [
      proxyRoutes(proxies),
      toxicRoutes(proxies),
      scopeRoutes(proxies),
      versionRoute(version),
      metricsRoutes(proxies),
      eventRoutes(proxies),
      vaurienRoutes(proxies),
      ...modules,
    ]
    this.#router = new Router(this.#modules)
    // Half a request, or one that comes byte by byte, is not waited for.
    this.#server = createServer(
      {
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        keepAliveTimeout: 60_000,
        connectionsCheckingInterval: 1000,
        keepAlive: true,
      },
      (request, response) => void this.#answer(request, response),
    )
    // Nor is a client that does not read its answer.
    this.#server.timeout = 60_000
    this.#server.maxConnections = 5000
    this.#server.on('clientError', refuseGarbage)
  }

  get address(): { host: string; port: number } {
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  get url(): string {
    const { host, port } = this.address
    return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`
  }

  /** Streams of events end; proxies stay. */
  async close(): Promise<void> {
    for (const module of this.#modules) module.close?.()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeIdleConnections()
      // What is being answered may end; after that nobody keeps us.
      setTimeout(() => this.#server.closeAllConnections(), 500).unref()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #listen(host: string, port: number): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(port, host, () => {
          this.#server.off('error', reject)
          resolve()
        })
      })
    } catch (error) {
      for (const module of this.#modules) module.close?.()
      throw new ChaosError(
        'CHAOS_BIND',
        `the control server cannot listen on ${showAddress({ host, port })}: ${bindReason(error)}; give another address or port (port 0 takes any)`,
        { cause: error },
      )
    }
    // Out of file handles, for one: one call fails, the server goes on.
    this.#server.on('error', () => {})
    this.#gate = new Gate({ token: this.#token, host, isLoopback: isLoopback(this.address.host) })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-toxiproxy-request-id', randomUUID())
    response.on('error', () => {})
    let module: RouteModule | null = null
    try {
      this.#gate!.admit(request)
      const { path, query } = targetOf(request.url ?? '/')
      const found = this.#router.find(request.method ?? 'GET', path)
      ;({ module } = found)
      give(response, await found.route.answer(new Call(request, query, found.parts)))
    } catch (error) {
      const refusal = refusalOf(error, 'proxy')
      if (response.headersSent) {
        response.destroy()
        return
      }
      for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value)
      give(response, { status: refusal.status, json: module?.explain?.(refusal) ?? refusal })
    }
  }
}

function give(response: ServerResponse, answer: Answer): void {
  if ('stream' in answer) {
    answer.stream(response)
    return
  }
  if (!('json' in answer) && !('text' in answer)) {
    response.writeHead(answer.status).end()
    return
  }
  const [text, type] =
    'json' in answer ? [JSON.stringify(answer.json), 'application/json'] : [answer.text, answer.type]
  response
    .writeHead(answer.status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
    .end(text)
}

/** Also of a request that names the whole URL, as those to a proxy do. */
function targetOf(url: string): { path: string; query: URLSearchParams } {
  const target = url.replace(/^https?:\/\/[^/?]*/i, '')
  const [path = '', query = ''] = target.split(/\?(.*)/s, 2)
  return { path: path === '' ? '/' : path, query: new URLSearchParams(query) }
}

const garbage: Readonly<Record<string, [number, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long'],
  HPE_HEADER_OVERFLOW: [431, 'the headers are too large'],
}

/** What is no HTTP, or took too long. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const [status, text] = garbage[error.code ?? ''] ?? [400, 'that is no HTTP request']
  const body = JSON.stringify(new Refusal(status, text))
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
