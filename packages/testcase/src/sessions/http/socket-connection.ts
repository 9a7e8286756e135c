import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { UsageError } from '../../errors.ts'
import type { HitErrorClass } from '../../meter.ts'
import { AnswerParser, BodyTooLarge } from './answer-parser.ts'
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
import type { Dialer } from '../dialer.ts'
import { readBuffer } from './read-buffer.ts'
import type { HttpCall } from './http-call.ts'
import { requestBegins, requestEnds } from '../loop-keeper.ts'
import { PhaseClock } from './phase-clock.ts'
import { HttpResponse } from './response.ts'
import { writeAfterTurn } from './write-batch.ts'

/** Milliseconds before the time that a server announced for idle connections in which none is used any more. */
const keepAliveMarginMs = 500

/**
 * One keep-alive connection of plain HTTP/1.1 over a socket of its own, with one request at a time on it. It lives from
 * its first request until either side closes it.
 *
 *     send() -> (dial) -> write -> bytes into the thread's read buffer -> parser -> the hit is recorded, the promise resolves
 *
 * Next to undici it saves a parser in WebAssembly, a copy per read, and a promise and some objects per request; with 64
 * connections to nginx it makes about twice as many requests on one processor (`packages/testcase/benchmark`).
 */
export class SocketConnection implements Connection {
  owner: CallOwner | null = null
  readonly #home: ConnectionHome
  readonly #dialer: Dialer
  readonly #keepAliveMs: number
  /** Requests that it may still carry. */
  #requestsLeft: number
  readonly #parser = new AnswerParser()
  #socket: Socket | null = null
  #counted = false
  #discarded = false
  #used = 0
  readonly #phases: PhaseClock | null

  #call: HttpCall | null = null
  #resolve: ((outcome: Outcome) => void) | null = null
  #stop: Stop | null = null
  #startedAt = 0
  #lastUsed = 0
  #bytesIn = 0
  #sent = false
  /** Until when it may be used once it is idle, by performance.now(). */
  #idleUntil = Infinity

  #timer: NodeJS.Timeout | null = null
  /** When the timer fires, by performance.now(): never later than the time that it is for. */
  #timerAt = Infinity

  constructor(home: ConnectionHome, dialer: Dialer, owner: CallOwner) {
    this.#home = home
    this.#dialer = dialer
    const { connections, phases } = owner.context.target
    this.#keepAliveMs = connections.keepAliveMs
    this.#requestsLeft = connections.mostRequests ?? Infinity
    this.#phases = phases ? new PhaseClock() : null
  }

  get busy(): boolean {
    return this.#resolve !== null
  }

  blocked(millis: number): void {
    if (this.#phases !== null) this.#phases.blockedMs = millis
  }

  send(call: HttpCall, owner: CallOwner): Promise<Outcome> {
    const promise = new Promise<Outcome>(leaveResolver)
    this.#resolve = takeResolver()
    requestBegins()
    this.#call = call
    this.owner = owner
    this.#bytesIn = 0
    this.#sent = false
    this.#requestsLeft--
    this.#parser.begin(call.method === 'HEAD', owner.maxBodyBytes, call.memo)
    this.#startedAt = performance.now()
    this.#wakeAt(this.#startedAt + call.timeoutMs)
    if (this.#used > 1) writeAfterTurn(this)
    else if (this.#used === 1) this.#writeLater(call)
    else this.#dial()
    return promise
  }

  stop(stop: Stop): void {
    this.#stop ??= stop
    this.discard()
  }

  failBody(): void {
    // Streams go over undici.
  }

  /** Whether it can still be used: not where the server was to close it about now. */
  get usable(): boolean {
    return performance.now() < this.#idleUntil
  }

  discard(): void {
    if (this.#discarded) return
    this.#discarded = true
    this.#home.forget(this)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#resolve !== null) {
      this.#stop ??= new Stop('interrupted', 'the session was closed')
      this.#settleBroken(this.#stop)
    }
    this.#socket?.destroy()
    this.#countClosed()
  }

  #dial(): void {
    const dialedAt = performance.now()
    let socket: Socket
    try {
      socket = this.#dialer.dial((length) => this.#read(length), ['http/1.1'])
    } catch (error) {
      // What TLS or the socket refuse to try: an option that cannot be.
      return this.#refuse(error)
    }
    this.#socket = socket
    this.#phases?.watch(socket, dialedAt)
    // Requests keep the process up, connections do not.
    socket.unref()
    socket.on('connect', () => this.#connected())
    if (this.#dialer.secure) socket.on('secureConnect', () => this.#secured())
    const gone = (error: Error | null) => {
      // A socket that was given up has nothing to say any more.
      if (this.#socket === socket) this.#gone(error)
    }
    socket.on('error', gone)
    socket.on('end', () => gone(null))
    socket.on('close', () => gone(null))
  }

  #connected(): void {
    this.#counted = true
    this.owner!.context.meter.connection('opened')
    if (!this.#dialer.secure) this.#ready()
  }

  #secured(): void {
    const resumed = (this.#socket as TLSSocket).isSessionReused()
    this.owner!.context.meter.connection(resumed ? 'tls-resumed' : 'tls')
    this.#ready()
  }

  #countClosed(): void {
    if (!this.#counted) return
    this.#counted = false
    this.owner!.context.meter.connection('closed')
  }

  #ready(): void {
    if (this.#call !== null) this.#write(this.#call)
  }

  /**
   * Some servers close after each answer and do not say so. They are seen after the first one, if the loop gets a turn
   * to look; later requests need not wait.
   */
  #writeLater(call: HttpCall): void {
    setImmediate(() =>
      setImmediate(() => {
        if (this.#call === call) this.writeNow()
      }),
    )
  }

  /** @internal Writes what was to be sent, unless that was given up since. The clock starts here. */
  writeNow(): void {
    const call = this.#call
    // Not used: it is being dialed again, and writes when it is connected.
    if (call === null || this.#sent || this.#used === 0) return
    this.#startedAt = performance.now()
    this.#write(call)
  }

  #write(call: HttpCall): void {
    this.#sent = true
    const socket = this.#socket!
    this.#phases?.sending()
    const { wire, wireBody } = call
    if (this.#phases !== null) {
      const written = () => this.#phases!.sent()
      if (wireBody === null) socket.write(wire!, written)
      else {
        socket.write(wire!)
        socket.write(wireBody, written)
      }
    } else {
      socket.write(wire!)
      if (wireBody !== null) socket.write(wireBody)
    }
  }

  #read(length: number): void {
    if (this.#resolve === null || !this.#sent) {
      // Nobody asked for this. It must never be taken for the next answer.
      if (this.#resolve === null) this.discard()
      else this.#dialAgain()
      return
    }
    this.#phases?.received()
    const parser = this.#parser
    try {
      const stop = parser.feed(readBuffer, 0, length)
      this.#bytesIn += stop
      if (parser.done) this.#complete(stop === length)
    } catch (error) {
      this.#bytesIn += length
      this.#settleBreak(error instanceof BodyTooLarge ? new Stop('protocol', error.message) : error)
    }
  }

  /** @param clean no bytes came after the answer */
  #complete(clean: boolean): void {
    const now = performance.now()
    const parser = this.#parser
    const call = this.#call!
    const answer = new HttpResponse(
      call,
      parser.head.status,
      parser.headText,
      parser.body,
      this.#bytesIn,
      now - this.#startedAt,
      parser.head.setsCookies,
    )
    this.#phases?.record(this.owner!, call)
    const outcome = recordAnswer(this.owner!, call, answer, bytesOutOf(call))
    const resolve = this.#resolve!
    this.#resolve = null
    requestEnds()
    this.#call = null
    parser.body = null
    this.#used++
    this.#lastUsed = now
    const unsent = call.wireBody !== null && this.#socket!.writableLength > 0
    if (!clean || unsent || !parser.reusable || this.#requestsLeft <= 0 || !this.#staysUntil(now))
      this.discard()
    else this.#home.giveBack(this)
    resolve(outcome)
  }

  /** Works out how long it may idle from now. False where the server wants none of that. */
  #staysUntil(now: number): boolean {
    const hint = this.#parser.head.keepAliveSeconds
    const idleMs =
      hint === -1 ? this.#keepAliveMs : Math.min(this.#keepAliveMs, hint * 1000 - keepAliveMarginMs)
    if (idleMs <= 0) return false
    this.#idleUntil = now + idleMs
    this.#wakeAt(this.#idleUntil)
    return true
  }

  /** The other side has closed, or the connection broke. */
  #gone(error: Error | null): void {
    if (this.#call === null) return this.discard()
    if (!this.#sent && this.#used > 0) return this.#dialAgain()
    if (error === null && this.#sent && this.#parser.end()) this.#complete(true)
    else this.#settleBreak(error ?? new Error('other side closed'))
  }

  /** The connection went while a request waited to be written. Nothing was sent, so a new one takes it. */
  #dialAgain(): void {
    this.#countClosed()
    const { connections } = this.owner!.context.target
    const old = this.#socket
    this.#socket = null
    old?.destroy()
    this.#used = 0
    this.#requestsLeft = (connections.mostRequests ?? Infinity) - 1
    this.#dial()
  }

  #settleBreak(cause: unknown): void {
    this.#settleBroken(cause)
    this.discard()
  }

  #settleBroken(cause: unknown): void {
    const call = this.#call!
    const reused = this.#used > 0
    this.#phases?.record(this.owner!, call)
    const broken = recordBreak(
      this.owner!,
      call,
      cause,
      {
        reused,
        answered: this.#bytesIn > 0,
        idleMs: reused ? this.#startedAt - this.#lastUsed : 0,
        elapsedMs: performance.now() - this.#startedAt,
      },
      this.#bytesIn,
      this.#sent ? bytesOutOf(call) : 0,
    )
    this.#finish(broken)
  }

  #refuse(error: unknown): void {
    const cause =
      error instanceof UsageError
        ? error
        : new UsageError(
            `${this.#call!.method} ${this.#call!.href} cannot be sent: ${(error as Error).message}`,
          )
    this.#finish(new BrokenCall(this.#call!, null, cause))
    this.discard()
  }

  #finish(broken: BrokenCall): void {
    const resolve = this.#resolve!
    this.#resolve = null
    requestEnds()
    this.#call = null
    resolve(broken)
  }

  /** One timer for the connection, which is set anew only when it must fire earlier: most requests need not touch it. */
  #wakeAt(at: number): void {
    if (at >= this.#timerAt) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#setTimer(at)
  }

  #setTimer(at: number): void {
    this.#timerAt = at
    const millis = Math.max(1, Math.min(at - performance.now(), longestTimer))
    this.#timer = setTimeout(onTimer, millis, this).unref()
  }

  /** @internal */
  onTime(): void {
    const now = performance.now()
    const call = this.#call
    const at = call === null ? this.#idleUntil : this.#startedAt + call.timeoutMs
    // Node counts from the start of a turn, which may lie before the sending: where time is left, it is waited for.
    if (at - now > 1) return this.#setTimer(at)
    this.#timerAt = Infinity
    this.#timer = null
    if (call === null) this.discard()
    else
      this.stop(new Stop('timeout' satisfies HitErrorClass, `no complete answer after ${call.timeoutMs} ms`))
  }
}

const longestTimer = 2 ** 31 - 1

function onTimer(connection: SocketConnection): void {
  connection.onTime()
}

function bytesOutOf(call: HttpCall): number {
  return call.wire!.length + (call.wireBody === null ? 0 : call.wireBody.byteLength)
}
