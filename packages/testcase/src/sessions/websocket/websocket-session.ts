import type WebSocket from 'ws'
import type { UserContext } from '../../context.ts'
import { toMillis } from '../../duration.ts'
import { InterruptedError, WebSocketError } from '../../errors.ts'
import { Guard } from '../../forgotten-promise.ts'
import { AbortWatch } from '../abort-watch.ts'
import { Inbox } from '../inbox.ts'

/** Text as a string, binary as bytes. */
export type Message = string | Buffer

export interface WebSocketOptions {
  /** Called for each text message. What it throws is thrown again in the test. */
  onMessage?: (text: string, socket: WebSocketSession) => unknown
  /** Called for each binary message, likewise. */
  onBinary?: (bytes: Buffer, socket: WebSocketSession) => unknown
  protocols?: string | readonly string[]
  headers?: Readonly<Record<string, string>>
  /** Time for the handshake: milliseconds or `'5s'`. Default: `--timeout`, else 30 s. */
  timeout?: number | string
  /** Name of the handshake's series, in place of the path. */
  name?: string
  /** Longest message taken, in bytes; a longer one is an error and ends the socket. Default 100 MiB. */
  maxMessageBytes?: number
}

/** How a socket ended. */
export interface WebSocketEnd {
  /** 1005: closed without a code; 1006: cut without a goodbye. */
  code: number
  reason: string
}

/** `WebSocket.OPEN` of the standard. */
const openState = 1

/** How long a socket has to say goodbye when its user ends, in milliseconds. */
const releaseMs = 1000

/**
 * An open WebSocket of one user. The time from the beginning of the handshake to the first message is the timing
 * `websocket.first-message`. Each message goes to the callback and to `receive()`, in order. When 10,000 messages
 * wait for `receive()` that is an error, thrown in the test; with a callback it is one only if `receive()` is called
 * after 256 messages went to the callback alone.
 *
 *     const ws = await this.createWs('/chat')
 *     await ws.send('hello')
 *     this.assertEqual(await ws.receive(), 'hello')
 */
export class WebSocketSession {
  /** Settles when the socket is closed; never rejects. */
  readonly closed: Promise<WebSocketEnd>
  readonly url: string
  readonly #socket: WebSocket
  readonly #context: UserContext
  readonly #inbox: Inbox<Message>
  #end: WebSocketEnd | null = null
  #leaving = false
  /** By performance.now(); null once a message has come. */
  #awaitsFirst: number | null
  readonly #watch = new AbortWatch(() => this.#inbox.interrupt())

  /** @internal `startedAt`: of the handshake, by performance.now(). */
  constructor(
    socket: WebSocket,
    url: string,
    context: UserContext,
    options: WebSocketOptions,
    startedAt: number,
  ) {
    this.url = url
    this.#socket = socket
    this.#context = context
    this.#awaitsFirst = startedAt
    const { onMessage, onBinary } = options
    this.#inbox = new Inbox<Message>({
      what: `WebSocket ${url}`,
      onMessage:
        onMessage === undefined && onBinary === undefined
          ? null
          : (message) =>
              typeof message === 'string' ? onMessage?.(message, this) : onBinary?.(message, this),
      error: (message) => new WebSocketError(message, url),
    })
    const { meter } = context
    meter.socket('opened', 0)
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      meter.socket('message-received', data.length)
      this.#markFirst()
      this.#inbox.deliver(isBinary ? data : data.toString())
    })
    socket.on('error', (cause) => {
      // The close that follows is part of it.
      this.#leaving = true
      this.#inbox.fail(new WebSocketError(cause.message, url, cause))
    })
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#end = { code, reason: reason.toString() }
        meter.socket('closed', 0)
        this.#watch.follow(null)
        // 1006 is a connection cut without goodbye: an error, unless we were leaving anyway.
        if (code === 1006 && !this.#leaving) this.#inbox.fail(this.#closedError())
        this.#inbox.end(() => this.#closedError())
        resolve(this.#end)
      })
    })
  }

  /** The subprotocol that the server chose; '' without one. */
  get protocol(): string {
    return this.#socket.protocol
  }

  get readyState(): 'open' | 'closing' | 'closed' {
    if (this.#socket.readyState === openState) return 'open'
    return this.#end === null ? 'closing' : 'closed'
  }

  /** Bytes that are sent and not yet handed to the network. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  /**
   * Sends text as a text message, bytes as a binary one. Resolves when it was given to the network.
   *
   * @throws the first error of the socket or of the callback that the test has not seen
   * @throws {WebSocketError} the socket is not open
   */
  send(data: string | Uint8Array): Promise<void> {
    const guard = new Guard()
    return guard.keep(this.#sendGuarded(guard, data))
  }

  async #sendGuarded(guard: Guard, data: string | Uint8Array): Promise<void> {
    try {
      await this.#send(data)
    } catch (error) {
      throw guard.failed(error)
    }
  }

  #send(data: string | Uint8Array): Promise<void> {
    this.#inbox.rethrow()
    this.#checkSignal('send()')
    if (this.#socket.readyState !== openState) throw this.#closedError()
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
    const sent = new Promise<void>((resolve, reject) => {
      this.#socket.send(data, (error) => {
        if (error) reject(new WebSocketError(error.message, this.url, error))
        else resolve()
      })
    })
    this.#context.meter.socket('message-sent', bytes)
    return sent
  }

  /**
   * The next message: one that waits, or the next to come. Text is a string; ask for `receive<Buffer>()` where the
   * server sends binary messages.
   *
   * @throws the first error of the socket or of the callback that the test has not seen
   * @throws {WebSocketError} the socket is closed and no message waits, or none came in time
   * @throws {InterruptedError} the execution was cut
   */
  receive<M extends Message = string>(options: { timeout?: number | string } = {}): Promise<M> {
    const guard = new Guard()
    return guard.keep(this.#receiveGuarded(guard, options.timeout) as Promise<M>)
  }

  async #receiveGuarded(guard: Guard, timeout: number | string | undefined): Promise<Message> {
    try {
      return await this.#receive(timeout)
    } catch (error) {
      throw guard.failed(error)
    }
  }

  #receive(timeout: number | string | undefined): Promise<Message> {
    this.#inbox.rethrow()
    this.#checkSignal('receive()')
    return this.#inbox.take(timeout === undefined ? null : toMillis(timeout))
  }

  /** Says goodbye and waits for the end. Does nothing on a closed socket. */
  close(code = 1000, reason = ''): Promise<WebSocketEnd> {
    if (this.#socket.readyState === openState) {
      this.#leaving = true
      this.#socket.close(code, reason)
    }
    return this.closed
  }

  /** @internal The first error that the test has not seen, if there is one; then it has. */
  takeError(): { error: unknown } | null {
    return this.#inbox.takeError()
  }

  /** @internal Ends the socket with its user: a goodbye, and a cut when that takes long. */
  async release(): Promise<void> {
    this.#watch.follow(null)
    const cut = setTimeout(() => this.#socket.terminate(), releaseMs)
    try {
      await this.close()
    } finally {
      clearTimeout(cut)
    }
  }

  #markFirst(): void {
    if (this.#awaitsFirst === null) return
    this.#context.meter.timing('websocket.first-message', performance.now() - this.#awaitsFirst)
    this.#awaitsFirst = null
  }

  #checkSignal(what: string): void {
    const { signal } = this.#context
    if (signal.aborted) throw new InterruptedError(`${what} on WebSocket ${this.url}`, signal.reason)
    if (this.#end === null) this.#watch.follow(signal)
  }

  #closedError(): WebSocketError {
    const { code, reason } = this.#end ?? { code: 0, reason: '' }
    if (code === 0) return new WebSocketError('the socket is closing', this.url)
    return new WebSocketError(
      `the socket is closed (code ${code}${reason === '' ? '' : `: ${reason}`})`,
      this.url,
    )
  }
}
