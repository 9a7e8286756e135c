import type { Client, Dispatcher } from 'undici'
import type { UserContext } from '../context.ts'
import type { HitErrorClass } from '../meter.ts'
import { classify } from './hit-error.ts'
import { isExpected, type HttpCall } from './http-call.ts'
import type { HttpOrigin } from './http-origin.ts'
import { undici } from './libraries.ts'
import { HttpResponse } from './response.ts'

/** An attempt without a complete answer. */
export class BrokenCall {
  /** Null where nothing was sent and nothing recorded: the test's own mistake. */
  readonly class: HitErrorClass | null
  readonly cause: unknown

  constructor(hitClass: HitErrorClass | null, cause: unknown) {
    this.class = hitClass
    this.cause = cause
  }
}

export type Outcome = HttpResponse | BrokenCall

/** Why we ended an attempt ourselves. */
export class Stop extends Error {
  readonly class: HitErrorClass

  constructor(hitClass: HitErrorClass, message: string) {
    super(message)
    this.class = hitClass
  }
}

/** undici refuses a request that cannot be sent (a bad header, a wrong length) before anything goes out. */
const refusals: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
])

const statusNames: string[] = []
for (let status = 0; status < 600; status++) statusNames.push(String(status))

/**
 * One keep-alive connection of one user, with one request at a time on it.
 *
 * It is undici's handler itself and keeps the running request in its fields, so a request costs a promise and a
 * response, and no closure. undici's older handler interface is used on purpose: the newer one parses all headers of
 * each answer into an object, which costs about 15 % of the throughput.
 *
 *     send() -> onConnect (written) -> onHeaders -> onData* -> onComplete -> the hit is recorded, the promise resolves
 *                  \____________________\____________\______-> onError
 */
export class HttpConnection implements Dispatcher.DispatchHandler {
  readonly #origin: HttpOrigin
  readonly #context: UserContext
  readonly #client: Client
  /** The socket while it is being connected: undici does not close it when it is given up. */
  #connecting: { destroy(): void } | undefined
  #open = false
  #discarded = false
  #lastUsed = 0

  #call: HttpCall | null = null
  #resolve: ((outcome: Outcome) => void) | null = null
  #abort: ((error?: Error) => void) | null = null
  #stop: Stop | null = null
  #bodyError: { error: unknown } | null = null
  #reused = false
  #startedAt = 0
  #status = 0
  #headers: Buffer[] = []
  #first: Buffer | null = null
  #rest: Buffer[] | null = null
  #bodyBytes = 0
  #bytesIn = 0
  #bytesOut = 0

  #timer: NodeJS.Timeout | null = null
  #timerMs = 0

  constructor(origin: HttpOrigin, context: UserContext) {
    this.#origin = origin
    this.#context = context
    const { connector } = origin
    const { Client } = undici()
    this.#client = new Client(origin.dialed, {
      connect: (options, callback) => {
        this.#connecting = connector(options, callback)
      },
      headersTimeout: 0,
      bodyTimeout: 0,
      // As long as browsers keep one; a shorter time that the server announces wins, less the threshold.
      keepAliveTimeout: 300_000,
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

  /** Sends a request and resolves with what came of it. Never rejects. */
  send(call: HttpCall): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.#call = call
      this.#reused = this.#open
      this.#status = 0
      this.#first = null
      this.#rest = null
      this.#bodyBytes = 0
      this.#bytesIn = 0
      this.#bytesOut = call.bytesOut
      this.#startedAt = performance.now()
      this.#armTimer(call.timeoutMs)
      this.#client.dispatch(call as Dispatcher.DispatchOptions, this)
    })
  }

  get busy(): boolean {
    return this.#resolve !== null
  }

  /** Ends the running request, if there is one, and the connection. */
  stop(stop: Stop): void {
    this.#stop ??= stop
    this.discard()
  }

  /** Tells that the test's own body stream broke: that is no failure of the server. */
  failBody(error: unknown): void {
    this.#bodyError ??= { error }
  }

  /** Closes the connection. */
  discard(): void {
    if (this.#discarded) return
    this.#discarded = true
    this.#origin.forget(this)
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
    if (this.#stop !== null) abort(this.#stop)
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
    // Informational answers come before the real one.
    if (status < 200) return true
    this.#status = status
    this.#headers = headers
    return true
  }

  onData(chunk: Buffer): boolean {
    this.#bodyBytes += chunk.length
    if (this.#bodyBytes > this.#origin.maxBodyBytes) {
      this.stop(
        new Stop(
          'protocol',
          `the body is larger than ${this.#origin.maxBodyBytes} bytes (session.maxBodyBytes)`,
        ),
      )
      return true
    }
    if (this.#first === null) this.#first = chunk
    else if (this.#rest === null) this.#rest = [chunk]
    else this.#rest.push(chunk)
    return true
  }

  onComplete(): void {
    const now = performance.now()
    const call = this.#call!
    const status = this.#status
    const millis = now - this.#startedAt
    const bytesIn = this.#bytesIn + this.#bodyBytes
    let outcome: Outcome = new HttpResponse(
      call,
      status,
      this.#headers,
      this.#first,
      this.#rest,
      bytesIn,
      millis,
    )
    let failed = status >= 400
    if (failed && call.expected !== null) {
      try {
        failed = !isExpected(status, call.expected)
      } catch (error) {
        outcome = new BrokenCall(null, error)
      }
    }
    this.#context.meter.hit(
      'http',
      call.name,
      call.method,
      statusNames[status] ?? String(status),
      failed,
      Math.round(millis * 1000),
      bytesIn,
      this.#bytesOut,
      call.tags,
    )
    this.#lastUsed = now
    this.#finish(outcome)
  }

  onError(error: Error): void {
    const call = this.#call
    if (call === null) return
    const now = performance.now()
    const elapsedMs = now - this.#startedAt
    const code: unknown = (error as { code?: unknown }).code
    if (this.#bodyError !== null) return this.#finish(new BrokenCall(null, this.#bodyError.error))
    if (this.#stop === null && refusals.has(code)) return this.#finish(new BrokenCall(null, error))
    const hitClass =
      this.#stop?.class ??
      classify(error, {
        reused: this.#reused,
        answered: this.#bytesIn > 0,
        idleMs: this.#reused ? this.#startedAt - this.#lastUsed : 0,
        elapsedMs,
      })
    this.#context.meter.hit(
      'http',
      call.name,
      call.method,
      hitClass,
      hitClass !== 'interrupted',
      Math.round(elapsedMs * 1000),
      this.#bytesIn + this.#bodyBytes,
      // Nothing was written where there was no connection.
      this.#abort === null ? 0 : this.#bytesOut,
      call.tags,
    )
    this.#finish(new BrokenCall(hitClass, this.#stop ?? error))
  }

  #finish(outcome: Outcome): void {
    const resolve = this.#resolve
    this.#resolve = null
    this.#call = null
    this.#abort = null
    this.#bodyError = null
    this.#first = null
    this.#rest = null
    if (!this.#discarded) this.#origin.giveBack(this)
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

function onTimer(connection: HttpConnection): void {
  connection.onTimeout()
}
