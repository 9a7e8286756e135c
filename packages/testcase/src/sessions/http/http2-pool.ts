import type { TargetOptions } from '../../context.ts'
import type { CallOwner, Connection } from './connection.ts'
import type { Dialer } from '../dialer.ts'
import type { HttpCall } from './http-call.ts'
import type { Http2Exchange } from './http2-exchange.ts'
import { Http2Peer, type PeerHome } from './http2-peer.ts'

/** What the origin does for its connections of HTTP/2. */
export interface Http2Home {
  /** A connection of HTTP/1.1 for a request that found no HTTP/2. */
  openHttp1(call: HttpCall, owner: CallOwner): Connection
  forget(connection: Connection): void
  /** There are more places than one. */
  wakeAll(): void
}

/** Servers that were found to speak no HTTP/2, so that not every user has to find out. */
const withoutHttp2 = new WeakMap<TargetOptions, Set<string>>()

/** The connections of HTTP/2 to one origin. */
export class Http2Pool implements PeerHome {
  readonly #home: Http2Home
  readonly #dialer: Dialer
  readonly #origin: string
  readonly #target: TargetOptions
  readonly #peers = new Set<Http2Peer>()
  /** Requests at a time on one connection, as the server said last; null: it has not yet. */
  #streams: number | null = null

  constructor(home: Http2Home, dialer: Dialer, origin: string, target: TargetOptions) {
    this.#home = home
    this.#dialer = dialer
    this.#origin = origin
    this.#target = target
  }

  /** False once the server turned out not to speak it. */
  get spoken(): boolean {
    return withoutHttp2.get(this.#target)?.has(this.#origin) !== true
  }

  /** A place for one request; null where all connections are full and no more are allowed. */
  take(owner: CallOwner): Http2Exchange | null {
    for (const peer of this.#peers) if (peer.free) return peer.take(owner)
    // More than the server takes would be refused: the first connection asks it, and the others wait for that.
    if (this.#streams === null && this.#peers.size > 0) return null
    if (this.#peers.size >= this.#target.connections.most) return null
    const peer = new Http2Peer(this, this.#dialer, this.#origin, owner, this.#streams)
    this.#peers.add(peer)
    return peer.take(owner)
  }

  fallBack(exchanges: readonly Http2Exchange[]): void {
    let origins = withoutHttp2.get(this.#target)
    if (origins === undefined) withoutHttp2.set(this.#target, (origins = new Set()))
    origins.add(this.#origin)
    this.#home.wakeAll()
    for (const exchange of exchanges) exchange.handOver((call, owner) => this.#home.openHttp1(call, owner))
  }

  told(streams: number): void {
    this.#streams = streams
    this.#home.wakeAll()
  }

  left(exchange: Http2Exchange): void {
    this.#home.forget(exchange)
  }

  gone(peer: Http2Peer): void {
    this.#peers.delete(peer)
    this.#home.wakeAll()
  }

  retire(): void {
    for (const peer of this.#peers) peer.retire()
  }

  close(): void {
    for (const peer of this.#peers) peer.close()
  }
}
