import type { UserContext } from '../context.ts'
import { connectorFor, proxyAddressOf, type Connector } from './connector.ts'
import { HttpConnection, type Stop } from './http-connection.ts'

/** Connections of one user to one origin at the same time. Requests beyond it wait for one to be free. */
const maxConnections = 256

/** The connections of one user to one `scheme://host:port`. */
export class HttpOrigin {
  readonly origin: string
  /** Where connections go: the origin, or the proxy for plain HTTP through one. */
  readonly dialed: string
  /** In front of the path of each request: the origin, for plain HTTP through a proxy. */
  readonly pathPrefix: string
  /** Headers that the proxy wants. */
  readonly proxyHeaders: readonly string[]
  readonly connector: Connector
  maxBodyBytes: number
  readonly #context: UserContext
  readonly #all = new Set<HttpConnection>()
  readonly #idle: HttpConnection[] = []
  readonly #waiting: (() => void)[] = []

  constructor(origin: string, context: UserContext, maxBodyBytes: number) {
    this.origin = origin
    this.#context = context
    this.maxBodyBytes = maxBodyBytes
    const secure = origin.startsWith('https:')
    this.connector = connectorFor(context.target, secure)
    if (context.target.proxy !== null && !secure) {
      const { origin: proxy, authorization } = proxyAddressOf(context.target.proxy)
      this.dialed = proxy
      this.pathPrefix = origin
      this.proxyHeaders = [
        'host',
        new URL(origin).host,
        ...(authorization === null ? [] : ['proxy-authorization', authorization]),
      ]
    } else {
      this.dialed = origin
      this.pathPrefix = ''
      this.proxyHeaders = []
    }
  }

  /** An idle connection, or a new one; null when all are busy and no more are allowed. */
  take(): HttpConnection | null {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#all.size >= maxConnections) return null
    const connection = new HttpConnection(this, this.#context)
    this.#all.add(connection)
    return connection
  }

  /** Resolves when it is worth asking again. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  giveBack(connection: HttpConnection): void {
    this.#idle.push(connection)
    this.#waiting.shift()?.()
  }

  forget(connection: HttpConnection): void {
    this.#all.delete(connection)
    const index = this.#idle.indexOf(connection)
    if (index !== -1) this.#idle.splice(index, 1)
    this.#waiting.shift()?.()
  }

  /** Ends what is running; idle connections stay. */
  interrupt(stop: Stop): void {
    for (const connection of this.#all) if (connection.busy) connection.stop(stop)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  close(): void {
    for (const connection of this.#all) connection.discard()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
