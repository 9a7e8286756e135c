import type { Client, Dispatcher } from 'undici'
import type { TLSSocket } from 'node:tls'
import { BodyBuffer } from './body-buffer.ts'
import { BodyTooLarge } from './answer-parser.ts'
import { maxHeadBytes } from './answer-head.ts'
import {
  BrokenCall,
  leaveResolver,
  recordAnswer,
  recordBreak,
  Stop,
  takeResolver,
  type CallOwner,
  type Connection,
  type ConnectionHome,
  type Outcome,
} from './connection.ts'
import type { Connector } from '../connector.ts'
import type { HttpCall } from './http-call.ts'
import { undici } from '../libraries.ts'
import { PhaseClock } from './phase-clock.ts'
import { HttpResponse } from './response.ts'

/** undici refuses a request that cannot be sent (a bad header, a wrong length) before anything goes out. */
const refusals: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
])

/** What undici reads besides the fields of a call. */
interface Dispatched extends HttpCall {
  /** Keep the connection after HEAD, and after a body that the method does not expect. */
  readonly reset: false
  /** Only one request at a time is on a connection: undici need not look after the next. */
  readonly blocking: false
}

/**
 * One keep-alive connection on undici, with one request at a time on it: for proxies, streamed bodies and requests that
 * are unusual otherwise.
 *
 * It is undici's handler itself and keeps the running request in its fields. undici's older handler interface is used on
 * purpose: the newer one parses all headers of each answer into an object, which costs about 15 % of the throughput.
 *
 *     send() -> onConnect (written) -> onHeaders -> onData* -> onComplete -> the hit is recorded, the promise resolves
 *                  \____________________\____________\______-> onError
 */
export class UndiciConnection implements Connection, Dispatcher.DispatchHandler {
  owner: CallOwner | null = null
  readonly #home: ConnectionHome
  readonly #client: Client
  readonly #phases: PhaseClock | null
  /** The socket while it is being connected: undici does not close it when it is given up. */
  #connecting: { destroy(): void } | undefined
  #socket: TLSSocket | null = null
  #open = false
  #discarded = false
  #lastUsed = 0
  #requestsLeft: number

  #call: HttpCall | null = null
  #resolve: ((outcome: Outcome) => void) | null = null
  #abort: ((error?: Error) => void) | null = null
  #stop: Stop | null = null
  #bodyError: { error: unknown } | null = null
  #reused = false
  #startedAt = 0
  #status = 0
  #headers: Buffer[] = []
  #body: BodyBuffer | null = null
  #bodyBytes = 0
  #bytesIn = 0
  #bytesOut = 0

  #timer: NodeJS.Timeout | null = null
  #timerMs = 0

  /** @param dialed where connections go: `scheme://host:port` of the server, or of a proxy */
  constructor(home: ConnectionHome, dialed: string, connector: Connector, owner: CallOwner) {
    this.#home = home
    const { connections, phases } = owner.context.target
    this.owner = owner
    this.#requestsLeft = connections.mostRequests ?? Infinity
    this.#phases = phases ? new PhaseClock() : null
    const { Client } = undici()
    this.#client = new Client(dialed, {
      connect: (options, callback) => {
        const dialedAt = performance.now()
        this.#connecting = connector(options, (error, socket) => {
          // undici gives null or nothing at all where there is none.
          if (socket) this.#connected(socket)
          ;(callback as (error: Error | null, socket: unknown) => void)(error, socket)
        })
        if (this.#phases !== null && this.#connecting !== undefined && 'once' in this.#connecting) {
          this.#phases.watch(this.#connecting as TLSSocket, dialedAt)
        }
      },
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: maxHeadBytes,
      // A shorter time that the server announces wins, less the threshold.
      keepAliveTimeout: Math.max(1, connections.keepAliveMs),
      keepAliveMaxTimeout: Math.max(1, connections.keepAliveMs),
      keepAliveTimeoutThreshold: 500,
    })
    this.#client.on('connect', () => {
      this.#open = true
      this.#reused = false
      this.#connecting = undefined
    })
    this.#client.on('disconnect', () => {
      this.#open = false
    })
  }

  #connected(socket: object): void {
    this.#socket = socket as TLSSocket
    const { meter } = this.owner!.context
    meter.connection('opened')
    const tls = socket as Partial<TLSSocket>
    if (tls.encrypted === true) meter.connection(tls.isSessionReused!() ? 'tls-resumed' : 'tls')
    // The user that it was used for last.
    tls.once!('close', () => this.owner!.context.meter.connection('closed'))
  }

  send(call: HttpCall, owner: CallOwner): Promise<Outcome> {
    const promise = new Promise<Outcome>(leaveResolver)
    this.#resolve = takeResolver()
    this.#call = call
    this.owner = owner
    this.#requestsLeft--
    this.#reused = this.#open
    this.#status = 0
    this.#body = null
    this.#bodyBytes = 0
    this.#bytesIn = 0
    this.#bytesOut = call.bytesOut
    this.#startedAt = performance.now()
    this.#armTimer(call.timeoutMs)
    const dispatched: Dispatched = { ...call, reset: false, blocking: false }
    this.#client.dispatch(dispatched as Dispatcher.DispatchOptions, this)
    return promise
  }

  get busy(): boolean {
    return this.#resolve !== null
  }

  /** undici looks after idle connections itself, and opens new ones. */
  get usable(): boolean {
    return true
  }

  blocked(millis: number): void {
    if (this.#phases !== null) this.#phases.blockedMs = millis
  }

  stop(stop: Stop): void {
    this.#stop ??= stop
    this.discard()
  }

  failBody(error: unknown): void {
    this.#bodyError ??= { error }
  }

  discard(): void {
    if (this.#discarded) return
    this.#discarded = true
    this.#home.forget(this)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const reason = this.#stop ?? new Stop('interrupted', 'the session was closed')
    this.#stop ??= reason
    if (this.#abort !== null) this.#abort(reason)
    this.#client.destroy(reason, () => {})
    this.#connecting?.destroy()
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort
    // On an open connection the clock starts with the writing; a new connection counts as part of its first request.
    if (this.#reused && this.#open) this.#startedAt = performance.now()
    this.#phases?.sending()
    if (this.#stop !== null) abort(this.#stop)
  }

  onRequestSent(): void {
    this.#phases?.sent()
  }

  onBodySent(chunk: unknown): void {
    if (!this.#call?.streamed) return
    this.#bytesOut += typeof chunk === 'string' ? Buffer.byteLength(chunk) : (chunk as Uint8Array).length
  }

  onHeaders(status: number, headers: Buffer[], _resume: () => void, statusText: string): boolean {
    // "HTTP/1.1 200 " and its line end, then ": " and a line end for each header, then the empty line.
    let bytes = 17 + statusText.length + headers.length * 2
    for (let index = 0; index < headers.length; index++) bytes += headers[index]!.length
    this.#bytesIn += bytes
    this.#phases?.received()
    // Informational answers come before the real one.
    if (status < 200) return true
    this.#status = status
    this.#headers = headers
    return true
  }

  onData(chunk: Buffer): boolean {
    this.#bodyBytes += chunk.length
    const { maxBodyBytes } = this.owner!
    if (this.#bodyBytes > maxBodyBytes) {
      this.stop(new Stop('protocol', new BodyTooLarge(maxBodyBytes).message))
      return true
    }
    this.#body ??= new BodyBuffer(chunk.length)
    this.#body.append(chunk, 0, chunk.length)
    return true
  }

  onComplete(): void {
    const now = performance.now()
    const call = this.#call!
    const answer = new HttpResponse(
      call,
      this.#status,
      this.#headers,
      this.#body === null ? null : this.#body.take(),
      this.#bytesIn + this.#bodyBytes,
      now - this.#startedAt,
      true,
    )
    this.#phases?.record(this.owner!, call)
    this.#lastUsed = now
    this.#finish(recordAnswer(this.owner!, call, answer, this.#bytesOut))
  }

  onError(error: Error): void {
    const call = this.#call
    if (call === null) return
    const code: unknown = (error as { code?: unknown }).code
    if (this.#bodyError !== null) return this.#finish(new BrokenCall(call, null, this.#bodyError.error))
    if (this.#stop === null && refusals.has(code)) return this.#finish(new BrokenCall(call, null, error))
    this.#phases?.record(this.owner!, call)
    const broken = recordBreak(
      this.owner!,
      call,
      this.#stop ?? error,
      {
        reused: this.#reused,
        answered: this.#bytesIn > 0,
        idleMs: this.#reused ? this.#startedAt - this.#lastUsed : 0,
        elapsedMs: performance.now() - this.#startedAt,
      },
      this.#bytesIn + this.#bodyBytes,
      // Nothing was written where there was no connection.
      this.#abort === null ? 0 : this.#bytesOut,
    )
    this.#finish(broken)
  }

  #finish(outcome: Outcome): void {
    const resolve = this.#resolve
    this.#resolve = null
    this.#call = null
    this.#abort = null
    this.#bodyError = null
    this.#body = null
    // What is left of a request that was answered early would stand before the next one.
    const unsent = this.#socket !== null && this.#socket.writableLength > 0
    if (this.#requestsLeft <= 0 || unsent) this.discard()
    if (!this.#discarded) this.#home.giveBack(this)
    resolve?.(outcome)
  }

  /** One timer per connection, moved on for each request: far cheaper than one per request. */
  #armTimer(ms: number): void {
    if (this.#timer !== null && this.#timerMs === ms) {
      this.#timer.refresh()
      return
    }
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerMs = ms
    this.#timer = setTimeout(onTimer, ms, this).unref()
  }

  /** @internal */
  onTimeout(): void {
    if (this.#resolve === null) return
    const { timeoutMs } = this.#call!
    // Node counts from the start of the turn: where that turn was long before the sending, time is left.
    const leftMs = timeoutMs - (performance.now() - this.#startedAt)
    if (leftMs > 1) {
      this.#timerMs = leftMs
      this.#timer = setTimeout(onTimer, leftMs, this).unref()
      return
    }
    this.stop(new Stop('timeout', `no complete answer after ${timeoutMs} ms`))
  }
}

function onTimer(connection: UndiciConnection): void {
  connection.onTimeout()
}
