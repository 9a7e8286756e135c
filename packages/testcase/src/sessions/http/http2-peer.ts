import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { CallOwner } from './connection.ts'
import type { Dialer } from '../dialer.ts'
import { Http2Exchange } from './http2-exchange.ts'
import type { PhaseClock } from './phase-clock.ts'

/** Bytes of bodies that a server may send ahead, per connection: the standard's 64 KiB would slow many streams. */
const windowBytes = 16 * 1024 * 1024

/** What a peer asks of the pool it belongs to. */
export interface PeerHome {
  /** It was found that the server speaks no HTTP/2. */
  fallBack(exchanges: readonly Http2Exchange[]): void
  /** The server said how many requests it takes at a time. */
  told(streams: number): void
  /** A place may be free. */
  left(exchange: Http2Exchange): void
  gone(peer: Http2Peer): void
}

/** One connection of HTTP/2, with many requests at a time on it. */
export class Http2Peer {
  readonly #home: PeerHome
  readonly #dialer: Dialer
  readonly #origin: string
  /** Who opened it: connections are counted for that user. */
  readonly #owner: CallOwner
  readonly #exchanges = new Set<Http2Exchange>()
  /** Those that wait for the connection. */
  readonly #waiting = new Set<Http2Exchange>()
  #requestsLeft: number
  /** Requests that it takes at a time: one, until the server has said how many. */
  #streams: number
  #socket: Socket | null = null
  #session: ClientHttp2Session | null = null
  #counted = false
  #closing = false
  #gone = false
  #idleTimer: NodeJS.Timeout | null = null

  /** @param streams what another connection to this server was told; null: nothing yet */
  constructor(home: PeerHome, dialer: Dialer, origin: string, owner: CallOwner, streams: number | null) {
    this.#streams = streams ?? 1
    this.#home = home
    this.#dialer = dialer
    this.#origin = origin
    this.#owner = owner
    this.#requestsLeft = owner.context.target.connections.mostRequests ?? Infinity
  }

  /** Whether it takes one more request now. */
  get free(): boolean {
    if (this.#closing || this.#requestsLeft <= 0) return false
    return this.#exchanges.size < this.#streams
  }

  /** A place for a request. */
  take(owner: CallOwner): Http2Exchange {
    const exchange = new Http2Exchange(this, owner)
    this.#requestsLeft--
    this.#exchanges.add(exchange)
    return exchange
  }

  /** @internal Begins an exchange, now or when there is a connection. */
  run(exchange: Http2Exchange, phases: PhaseClock | null): void {
    if (this.#session !== null) return exchange.begin(this.#session, false)
    this.#waiting.add(exchange)
    if (this.#socket === null) this.#dial(phases)
  }

  /** @internal An exchange is over. */
  leave(exchange: Http2Exchange): void {
    if (!this.#exchanges.delete(exchange)) return
    this.#waiting.delete(exchange)
    this.#home.left(exchange)
    if (this.#exchanges.size > 0) return
    if (this.#closing || this.#session === null || this.#requestsLeft <= 0) return this.close()
    const { keepAliveMs } = this.#owner.context.target.connections
    this.#idleTimer ??= setTimeout(() => this.#idled(), Math.min(keepAliveMs, 2 ** 31 - 1)).unref()
    this.#idleTimer.refresh()
  }

  /** Takes no more requests, and closes after the last. */
  retire(): void {
    this.#closing = true
    if (this.#exchanges.size === 0) this.close()
  }

  /** Closes the connection, whatever runs on it. */
  close(): void {
    this.#closing = true
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#idleTimer = null
    this.#session?.destroy()
    this.#socket?.destroy()
    this.#ended(new Error('other side closed'))
  }

  #idled(): void {
    if (this.#exchanges.size === 0) this.close()
  }

  #dial(phases: PhaseClock | null): void {
    const { secure } = this.#dialer
    const { meter } = this.#owner.context
    const dialedAt = performance.now()
    const socket = this.#dialer.dial(null, ['h2', 'http/1.1'])
    this.#socket = socket
    // Requests keep the process up, connections do not.
    socket.unref()
    phases?.watch(socket, dialedAt)
    socket.once('connect', () => {
      this.#counted = true
      meter.connection('opened')
      if (!secure) this.#start(socket)
    })
    socket.once('secureConnect', () => {
      const tls = socket as TLSSocket
      meter.connection(tls.isSessionReused() ? 'tls-resumed' : 'tls')
      if (tls.alpnProtocol === 'h2') this.#start(socket)
      else this.#fallBack()
    })
    socket.on('error', (error) => this.#ended(error))
    socket.once('close', () => {
      if (this.#counted) meter.connection('closed')
      this.#counted = false
      this.#ended(new Error('other side closed'))
    })
  }

  #start(socket: Socket): void {
    const session = connectHttp2(this.#origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    })
    this.#session = session
    session.setLocalWindowSize(windowBytes)
    session.on('remoteSettings', ({ maxConcurrentStreams = Infinity }) => {
      this.#streams = maxConcurrentStreams
      this.#home.told(maxConcurrentStreams)
    })
    session.on('goaway', () => this.retire())
    session.on('error', (error) => this.#ended(error))
    session.on('close', () => this.#ended(new Error('other side closed')))
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const exchange of waiting) exchange.begin(session, true)
  }

  #fallBack(): void {
    const waiting = [...this.#waiting]
    this.#closing = true
    this.#home.fallBack(waiting)
    this.close()
  }

  #ended(error: Error): void {
    this.#closing = true
    if (!this.#gone) {
      this.#gone = true
      this.#home.gone(this)
    }
    for (const exchange of this.#exchanges) exchange.fail(error)
    if (this.#session !== null && !this.#session.destroyed) this.#session.destroy()
    this.#socket?.destroy()
  }
}
