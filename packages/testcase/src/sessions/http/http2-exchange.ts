import { constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import { UsageError } from '../../errors.ts'
import { BodyTooLarge } from './answer-parser.ts'
import { BodyBuffer } from './body-buffer.ts'
import {
  BrokenCall,
  recordAnswer,
  recordBreak,
  Stop,
  type CallOwner,
  type Connection,
  type Outcome,
} from './connection.ts'
import type { HttpCall } from './http-call.ts'
import { http2HeadersOf } from './http2-headers.ts'
import type { Http2Peer } from './http2-peer.ts'
import { requestBegins, requestEnds } from '../loop-keeper.ts'
import { PhaseClock } from './phase-clock.ts'
import { HttpResponse } from './response.ts'

/**
 * One request over a connection of HTTP/2, that others share. It is made for each request.
 *
 * It stands on node:http2: undici's HTTP/2 is marked experimental and has lost requests around GOAWAY.
 */
export class Http2Exchange implements Connection {
  owner: CallOwner | null
  readonly #peer: Http2Peer
  readonly #phases: PhaseClock | null
  #call: HttpCall | null = null
  #resolve: ((outcome: Outcome) => void) | null = null
  #stream: ClientHttp2Stream | null = null
  /** Takes over where the server speaks no HTTP/2. */
  #other: Connection | null = null
  #bodyError: { error: unknown } | null = null
  #timer: NodeJS.Timeout | null = null
  #startedAt = 0
  #status = 0
  #headers: string[] = []
  #body: BodyBuffer | null = null
  #bytesIn = 0
  #bytesOut = 0

  constructor(peer: Http2Peer, owner: CallOwner) {
    this.#peer = peer
    this.owner = owner
    this.#phases = owner.context.target.phases ? new PhaseClock() : null
  }

  get busy(): boolean {
    return this.#resolve !== null
  }

  get usable(): boolean {
    return false
  }

  blocked(millis: number): void {
    if (this.#phases !== null) this.#phases.blockedMs = millis
  }

  send(call: HttpCall, owner: CallOwner): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#resolve = resolve
      requestBegins()
      this.#call = call
      this.owner = owner
      this.#startedAt = performance.now()
      this.#timer = setTimeout(
        () => this.stop(new Stop('timeout', `no complete answer after ${call.timeoutMs} ms`)),
        call.timeoutMs,
      ).unref()
      this.#peer.run(this, this.#phases)
    })
  }

  /** The peer is connected: the request goes out. A new connection counts as part of the requests that waited for it. */
  begin(session: ClientHttp2Session, waited: boolean): void {
    const call = this.#call!
    if (!waited) this.#startedAt = performance.now()
    try {
      const { body } = call
      const stream = session.request(http2HeadersOf(call), { endStream: body === null })
      this.#stream = stream
      this.#bytesOut = call.bytesOut
      this.#phases?.sending()
      this.#listen(stream)
      if (body === null) this.#phases?.sent()
      else this.#sendBody(stream, body)
    } catch (error) {
      const refused =
        error instanceof UsageError || !(error as { code?: string }).code?.startsWith('ERR_HTTP2_')
      if (refused) this.#finish(new BrokenCall(call, null, error))
      else this.fail(error)
    }
  }

  /** The server speaks no HTTP/2: another connection sends the request. */
  handOver(open: (call: HttpCall, owner: CallOwner) => Connection): void {
    const [call, resolve] = [this.#call!, this.#resolve!]
    const connection = open(call, this.owner!)
    this.#other = connection
    this.#release()
    void connection.send(call, this.owner!).then(resolve)
  }

  /** No answer will come. */
  fail(cause: unknown): void {
    const call = this.#call
    if (call === null) return
    if (this.#bodyError !== null) {
      this.#finish(new BrokenCall(call, null, this.#bodyError.error))
      return
    }
    const at = {
      reused: false,
      answered: this.#bytesIn > 0,
      idleMs: 0,
      elapsedMs: performance.now() - this.#startedAt,
    }
    this.#phases?.record(this.owner!, call)
    this.#finish(recordBreak(this.owner!, call, cause, at, this.#bytesIn, this.#bytesOut))
  }

  stop(stop: Stop): void {
    if (this.#other !== null) this.#other.stop(stop)
    this.fail(stop)
  }

  failBody(error: unknown): void {
    if (this.#other !== null) this.#other.failBody(error)
    this.#bodyError ??= { error }
  }

  discard(): void {
    this.stop(new Stop('interrupted', 'the session was closed'))
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on('headers', () => this.#phases?.received())
    stream.on('response', (headers, _flags, raw?: string[]) => {
      this.#phases?.received()
      this.#status = headers[':status'] ?? 0
      this.#headers = (raw ?? []).slice()
      // Pseudo-headers stand first.
      while (this.#headers[0]?.startsWith(':') === true) this.#headers.splice(0, 2)
      for (const part of this.#headers) this.#bytesIn += part.length + 2
    })
    stream.on('data', (chunk: Buffer) => {
      this.#bytesIn += chunk.length
      this.#body ??= new BodyBuffer(chunk.length)
      this.#body.append(chunk, 0, chunk.length)
      const { maxBodyBytes } = this.owner!
      if (this.#body.length > maxBodyBytes)
        this.fail(new Stop('protocol', new BodyTooLarge(maxBodyBytes).message))
    })
    stream.on('error', (error) => this.fail(error))
    stream.on('end', () => {
      // The end of a stream that was reset comes as an end, too.
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR && this.#status !== 0) this.#complete()
    })
    stream.on('close', () => {
      // Node takes a stream that the server cancels for no error.
      const { rstCode } = stream
      if (rstCode === constants.NGHTTP2_NO_ERROR || rstCode === undefined)
        this.fail(new Error('other side closed'))
      else this.fail(new Stop('reset', `the server reset the stream with code ${rstCode}`))
    })
  }

  #sendBody(stream: ClientHttp2Stream, body: NonNullable<HttpCall['body']>): void {
    if (typeof body === 'string' || body instanceof Uint8Array) {
      stream.end(body, () => this.#phases?.sent())
      return
    }
    const source = body instanceof Readable ? body : Readable.from(body)
    source.on('data', (chunk: string | Buffer) => (this.#bytesOut += Buffer.byteLength(chunk)))
    source.on('end', () => this.#phases?.sent())
    source.on('error', (error) => {
      this.#bodyError ??= { error }
      this.fail(error)
    })
    source.pipe(stream)
  }

  #complete(): void {
    const call = this.#call
    if (call === null) return
    const body = this.#body === null ? null : this.#body.take()
    const millis = performance.now() - this.#startedAt
    const answer = new HttpResponse(call, this.#status, this.#headers, body, this.#bytesIn, millis, true)
    this.#phases?.record(this.owner!, call)
    this.#finish(recordAnswer(this.owner!, call, answer, this.#bytesOut))
  }

  #finish(outcome: Outcome): void {
    const resolve = this.#resolve!
    const stream = this.#stream
    this.#release()
    // An answer may be complete before the request is: the rest of it is not sent.
    if (stream !== null && !stream.closed && (outcome instanceof BrokenCall || !stream.writableFinished)) {
      stream.close(constants.NGHTTP2_CANCEL)
    }
    resolve(outcome)
  }

  #release(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#resolve = null
    this.#call = null
    requestEnds()
    this.#peer.leave(this)
  }
}
