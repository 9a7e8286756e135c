import type { TargetOptions } from '../../context.ts'
import type { CallOwner, Connection, ConnectionHome, Stop } from './connection.ts'
import { connectorFor, proxyAddressOf, type Connector } from '../connector.ts'
import { Dialer } from '../dialer.ts'
import type { HttpCall } from './http-call.ts'
import { Http2Pool, type Http2Home } from './http2-pool.ts'
import { SocketConnection } from './socket-connection.ts'
import { UndiciConnection } from './undici-connection.ts'

/** One that waits for a connection. */
export interface Waiter {
  owner: CallOwner
  /** Null where it waits no more. */
  wake: (() => void) | null
}

/** The connections to one `scheme://host:port`: of one user, or of the users of a load thread that share them. */
export class HttpOrigin implements ConnectionHome, Http2Home {
  readonly origin: string
  /** In front of the path of each request: the origin, for plain HTTP through a proxy. */
  readonly pathPrefix: string
  /** Headers that the proxy wants. */
  readonly proxyHeaders: readonly string[]
  /** Whether requests go over sockets of our own where they can. */
  readonly plain: boolean
  readonly #target: TargetOptions
  readonly #dialer: Dialer | null
  readonly #http2: Http2Pool | null
  /** Where undici's connections go: the origin, or the proxy for plain HTTP through one. */
  readonly #dialed: string
  #connector: Connector | null = null
  readonly #all = new Set<Connection>()
  readonly #retired = new WeakSet<Connection>()
  readonly #idleSockets: SocketConnection[] = []
  readonly #idleOthers: UndiciConnection[] = []
  #waiting: Waiter[] = []
  /** Waiters before it have been served. */
  #served = 0

  constructor(origin: string, target: TargetOptions) {
    this.origin = origin
    this.#target = target
    // For a look at how undici does: what is behind both must behave alike.
    const overUndici = process.env['LOADS_HTTP_CLIENT'] === 'undici'
    this.plain = target.proxy === null && !overUndici
    this.#dialer = this.plain ? new Dialer(origin, target) : null
    this.#http2 =
      target.http2 && this.#dialer !== null ? new Http2Pool(this, this.#dialer, origin, target) : null
    if (target.proxy !== null && !origin.startsWith('https:')) {
      const { origin: proxy, authorization } = proxyAddressOf(target.proxy)
      this.#dialed = proxy
      this.pathPrefix = origin
      this.proxyHeaders = [
        'host',
        new URL(origin).host,
        ...(authorization === null ? [] : ['proxy-authorization', authorization]),
      ]
    } else {
      this.#dialed = origin
      this.pathPrefix = ''
      this.proxyHeaders = []
    }
  }

  /** An idle connection, or a new one; null when all are busy and no more are allowed. */
  take(call: HttpCall, owner: CallOwner): Connection | null {
    if (this.#http2 !== null && this.#http2.spoken) {
      const exchange = this.#http2.take(owner)
      if (exchange !== null) this.#all.add(exchange)
      return exchange
    }
    const idle = call.wire === null ? this.#idleOthers : this.#idleSockets
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      if (connection.usable) return connection
      connection.discard()
    }
    if (this.#all.size >= this.#target.connections.most) {
      // An idle one of the other kind makes room, or nobody would ever wake this request.
      const other = (call.wire === null ? this.#idleSockets : this.#idleOthers).pop()
      if (other === undefined) return null
      other.discard()
    }
    return this.openHttp1(call, owner)
  }

  openHttp1(call: HttpCall, owner: CallOwner): Connection {
    const connection =
      call.wire === null ? this.#newOther(owner) : new SocketConnection(this, this.#dialer!, owner)
    this.#all.add(connection)
    return connection
  }

  #newOther(owner: CallOwner): UndiciConnection {
    this.#connector ??= connectorFor(this.#target, this.origin.startsWith('https:'))
    return new UndiciConnection(this, this.#dialed, this.#connector, owner)
  }

  /** Resolves when it is worth asking again. */
  wait(owner: CallOwner): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ owner, wake: resolve })
    })
  }

  giveBack(connection: Connection): void {
    if (this.#retired.has(connection)) return connection.discard()
    if (connection instanceof SocketConnection) this.#idleSockets.push(connection)
    else this.#idleOthers.push(connection as UndiciConnection)
    this.#wakeOne()
  }

  forget(connection: Connection): void {
    this.#all.delete(connection)
    const idle: Connection[] = connection instanceof SocketConnection ? this.#idleSockets : this.#idleOthers
    const index = idle.indexOf(connection)
    if (index !== -1) idle.splice(index, 1)
    this.#wakeOne()
  }

  #wakeOne(): void {
    while (this.#served < this.#waiting.length) {
      const waiter = this.#waiting[this.#served++]!
      if (this.#served === this.#waiting.length) {
        this.#waiting = []
        this.#served = 0
      } else if (this.#served > 1000 && this.#served * 2 > this.#waiting.length) {
        this.#waiting.splice(0, this.#served)
        this.#served = 0
      }
      if (waiter.wake === null) continue
      waiter.wake()
      return
    }
  }

  wakeAll(): void {
    const waiting = this.#waiting.slice(this.#served)
    this.#waiting = []
    this.#served = 0
    for (const { wake } of waiting) wake?.()
  }

  /** Ends what runs for one user; idle connections stay. */
  interrupt(owner: CallOwner, stop: Stop): void {
    for (const connection of this.#all) {
      if (connection.busy && connection.owner === owner) connection.stop(stop)
    }
    for (let index = this.#served; index < this.#waiting.length; index++) {
      const waiter = this.#waiting[index]!
      if (waiter.owner !== owner) continue
      waiter.wake?.()
      waiter.wake = null
    }
  }

  /** Closes what is idle now, and what is busy as soon as it is not. */
  retire(): void {
    for (const connection of this.#all) {
      if (connection.busy) this.#retired.add(connection)
      else connection.discard()
    }
    this.#http2?.retire()
  }

  /** Ends everything. */
  close(): void {
    for (const connection of this.#all) connection.discard()
    this.#http2?.close()
    this.wakeAll()
  }
}
