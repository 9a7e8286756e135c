import type { FaultDefinition } from '../faults/definition.ts'
import { HeadBytes } from './head-bytes.ts'
import { httpError } from './http-error.ts'
import { HttpFramer, longestHead } from './http-framer.ts'
import {
  HttpReply,
  HttpRequest,
  mayBecomeReply,
  mayBecomeRequest,
  NotHttp,
  type BodyLength,
} from './http-head.ts'
import { defineProtocol, type Dialogue, type Talk } from './protocol.ts'

/**
 * HTTP/1.0 and 1.1 of both directions (RFC 9112). What it does not understand without a guess goes through as it is: HTTP/2,
 * TLS, contradictory lengths, a tunnel after CONNECT or an upgrade.
 */
class HttpDialogue implements Dialogue {
  readonly #talk: Talk
  readonly #client: HttpFramer
  readonly #backend: HttpFramer
  /** A request after which the connection may be something else: what follows it waits for the reply. */
  #gate: HttpRequest | null = null
  readonly #gated = new HeadBytes()
  /** The reply that the gate waits for has begun, and opens no tunnel. */
  #isGateRefused = false
  /** Why the reply that is being told is the last one of HTTP. */
  #tunnel: string | null = null
  #isOpaque = false
  /** Bytes of the backend that are to be read next. */
  #rest: Buffer | null = null
  readonly #isClientStopped = () => this.#gate !== null
  readonly #isBackendStopped = () => this.#tunnel !== null || this.#gate !== null

  constructor(talk: Talk) {
    this.#talk = talk
    this.#client = new HttpFramer({
      head: (bytes, from, end) => this.#request(bytes, from, end),
      bytes: (bytes) => talk.requestBytes(bytes),
      ends: () => talk.requestEnds(),
      mayBecome: mayBecomeRequest,
    })
    this.#backend = new HttpFramer({
      head: (bytes, from, end) => this.#reply(bytes, from, end),
      bytes: (bytes) => talk.replyBytes(bytes),
      ends: () => talk.replyEnds(),
      mayBecome: mayBecomeReply,
    })
  }

  fromClient(bytes: Buffer): void {
    if (this.#gate !== null && !this.#client.isWithinBody) {
      this.#wait(bytes)
      return
    }
    try {
      const told = this.#client.push(bytes, this.#isClientStopped)
      if (told < bytes.length) this.#wait(bytes.subarray(told))
    } catch (error) {
      if (!(error instanceof NotHttp)) throw error
      this.#opaque(
        `from the client: ${error.message}`,
        this.#client.takeRest(bytes),
        this.#backend.takePartial(),
      )
    }
  }

  fromBackend(bytes: Buffer): void {
    let at = 0
    try {
      while (at < bytes.length && !this.#isOpaque) {
        const rest = at === 0 ? bytes : bytes.subarray(at)
        at += this.#backend.push(rest, this.#isBackendStopped)
        if (this.#tunnel !== null)
          this.#opaque(this.#tunnel, null, at < bytes.length ? bytes.subarray(at) : null)
        else {
          this.#rest = at < bytes.length ? bytes.subarray(at) : null
          this.#openGate()
          this.#rest = null
        }
      }
    } catch (error) {
      if (!(error instanceof NotHttp)) throw error
      const rest = this.#backend.takeRest(at === 0 ? bytes : bytes.subarray(at))
      this.#opaque(`from the backend: ${error.message}`, null, rest)
    }
  }

  clientEnded(): void {
    if (this.#isOpaque) return
    const partial = this.#client.takePartial()
    if (partial !== null || this.#gated.length > 0)
      this.#opaque('the client ended within a head', partial, this.#backend.takePartial())
  }

  backendEnded(): void {
    if (this.#isOpaque) return
    this.#backend.end()
    this.#openGate()
    const partial = this.#backend.takePartial()
    if (partial !== null) this.#opaque('the backend ended within a head', null, partial)
  }

  #request(bytes: Buffer, from: number, end: number): BodyLength {
    const head = new HttpRequest(bytes, from, end)
    this.#talk.requestBegins(head)
    if (head.tunnels) this.#gate = head
    return head.body
  }

  #reply(bytes: Buffer, from: number, end: number): BodyLength {
    const head = new HttpReply(bytes, from, end)
    if (head.isInterim) {
      // It does not end its request's wait, nor is it late when the reply is to be.
      this.#talk.replyBegins(null)
      return 0
    }
    const to = this.#talk.answering()
    const method = to?.verb ?? 'GET'
    this.#talk.replyBegins(to)
    if (head.tunnelsFor(method)) {
      this.#tunnel = method === 'CONNECT' ? 'a tunnel' : `an upgrade to ${head.upgrade ?? 'something else'}`
      return 0
    }
    if (to !== null && to === this.#gate) this.#isGateRefused = true
    return head.bodyFor(method)
  }

  /** What waited for the reply is HTTP as before. */
  #openGate(): void {
    if (!this.#isGateRefused || this.#backend.isWithinBody) return
    this.#isGateRefused = false
    this.#gate = null
    const waited = this.#gated.take()
    if (waited !== null) this.fromClient(waited)
  }

  #wait(bytes: Buffer): void {
    this.#gated.add(bytes)
    if (this.#gated.length > longestHead)
      this.#opaque('a tunnel that did not wait for its grant', null, this.#backend.takePartial())
  }

  #opaque(reason: string, client: Buffer | null, backend: Buffer | null): void {
    this.#isOpaque = true
    const waited = this.#gated.take()
    const rest = client ?? this.#client.takePartial()
    const all = waited === null || rest === null ? (rest ?? waited) : Buffer.concat([rest, waited])
    this.#talk.opaque(reason, all, backend ?? this.#rest)
  }
}

export const http = defineProtocol({
  name: 'http',
  summary: 'HTTP/1.0 and 1.1: a request and its reply',
  error: httpError as FaultDefinition<never>,
  open: (talk) => new HttpDialogue(talk),
})
