import type * as Grpc from '@grpc/grpc-js'
import { toMillis } from '../../duration.ts'
import { InterruptedError, StreamError } from '../../errors.ts'
import { Guard } from '../../forgotten-promise.ts'
import type { GrpcCall } from './grpc-call.ts'
import { grpc } from './grpc-service.ts'
import { Inbox } from '../inbox.ts'

/** What both sides of grpc-js's streams have that is used here. */
interface Wire {
  write?(bytes: Buffer, callback: (error?: Error | null) => void): unknown
  end?(): unknown
  cancel(): void
  on(event: 'data', listener: (message: object) => void): unknown
  on(event: 'status', listener: (status: Grpc.StatusObject) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * A gRPC call whose requests, answers or both are streams. It is one hit, from the call to its status; its messages are
 * the counters `grpc.messages-sent` and `grpc.messages-received`, and the time from the call to the first message that
 * comes is the timing `grpc.first-message`.
 *
 *     for await (const item of client.List({ size: 3 })) ...
 *
 *     const chat = client.Chat()
 *     await chat.write({ text: 'hello' })
 *     const { text } = await chat.receive()
 *     await chat.finish()
 */
export class GrpcStream<
  Request extends object = object,
  Response extends object = object,
> implements AsyncIterable<Response> {
  /** Settles when the call has ended, in whatever way; never rejects. */
  readonly closed: Promise<void>
  readonly #call: GrpcCall
  readonly #wire: Wire
  readonly #serialize: (message: object) => Buffer
  readonly #inbox: Inbox<Response>
  #state: 'open' | 'closing' | 'closed' = 'open'
  #halfClosed = false
  #received = 0
  #close!: () => void

  /** @internal */
  constructor(call: GrpcCall, wire: Wire, serialize: (message: object) => Buffer) {
    this.#call = call
    this.#wire = wire
    this.#serialize = serialize
    this.closed = new Promise((resolve) => (this.#close = resolve))
    this.#inbox = new Inbox<Response>({
      what: call.method,
      onMessage: null,
      error: (message) => new StreamError(message, call.method),
    })
    call.runs(() => wire.cancel())
    wire.on('data', (message) => this.#deliver(message as Response))
    // The status tells the same and more.
    wire.on('error', () => {})
    wire.on('status', (status) => this.#end(status))
  }

  get readyState(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  /**
   * Sends a message. Resolves when the network took it, so that a loop goes no faster than the server reads.
   *
   * @throws {StreamError} the call is over, or `finish()` was called
   * @throws {UsageError} the message does not fit the .proto file
   * @throws the first error of the call that the test has not seen
   */
  write(message: Request): Promise<void> {
    const guard = new Guard()
    return guard.keep(this.#write(guard, message))
  }

  async #write(guard: Guard, message: Request): Promise<void> {
    try {
      this.#inbox.rethrow()
      this.#checkSignal('write()')
      if (this.#wire.write === undefined)
        throw this.#error('this method takes one request, given with the call')
      if (this.#halfClosed || this.#state !== 'open') throw this.#error('the call takes no more messages')
      const bytes = this.#serialize(message)
      this.#call.context.meter.count('grpc.messages-sent', 1)
      const written = new Promise<boolean>((resolve) => {
        this.#wire.write!(bytes, (failure) => resolve(!failure))
      })
      // A call that ends may leave what is being written without a word.
      if (await Promise.race([written, this.closed.then(() => false)])) return
      await this.closed
      this.#inbox.rethrow()
      throw this.#error('the call has ended')
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /**
   * The next message: one that waits, or the next to come.
   *
   * @throws the first error of the call that the test has not seen
   * @throws {StreamError} the call is over and no message waits, or none came in time
   * @throws {InterruptedError} the execution was cut
   */
  receive(options: { timeout?: number | string } = {}): Promise<Response> {
    const guard = new Guard()
    return guard.keep(this.#receive(guard, options.timeout))
  }

  async #receive(guard: Guard, timeout: number | string | undefined): Promise<Response> {
    try {
      return await this.#inbox.take(timeout === undefined ? null : toMillis(timeout))
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /**
   * Message after message, until the server has sent the last; leaving the loop cancels the call.
   *
   * @throws {GrpcError} the call ended with a status other than OK
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Response, void, void> {
    try {
      for (;;) {
        const next = await this.#inbox.next(null)
        if (next === null) return
        yield next.value
      }
    } finally {
      this.cancel()
      await this.closed
    }
  }

  /**
   * Says that no more messages will be written, and waits for the end of the call. The last message that came and was
   * not received, which is the answer of a method with a stream of requests; null without.
   *
   * @throws {GrpcError} the call ended with a status other than OK
   */
  finish(): Promise<Response | null> {
    const guard = new Guard()
    return guard.keep(this.#finish(guard))
  }

  async #finish(guard: Guard): Promise<Response | null> {
    try {
      this.#inbox.rethrow()
      if (!this.#halfClosed) {
        this.#halfClosed = true
        this.#wire.end?.()
      }
      let last: Response | null = null
      for (;;) {
        const next = await this.#inbox.next(null)
        if (next === null) return last
        last = next.value
      }
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /** Ends the call at once. Does nothing on one that is over. */
  cancel(): void {
    if (this.#state === 'open') this.#state = 'closing'
    this.#call.cancel('test')
  }

  /** @internal The first error that the test has not seen, if there is one; then it has. */
  takeError(): { error: unknown } | null {
    return this.#inbox.takeError()
  }

  /** @internal Ends the call with its execution. */
  release(): Promise<void> {
    this.cancel()
    return this.closed
  }

  #deliver(message: Response): void {
    if (this.#state === 'closed') return
    const { meter } = this.#call.context
    if (this.#received++ === 0) meter.timing('grpc.first-message', performance.now() - this.#call.startedAt)
    meter.count('grpc.messages-received', 1)
    this.#inbox.deliver(message)
  }

  #end(status: Grpc.StatusObject): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    const error = this.#call.end(status)
    if (error !== null) this.#inbox.fail(error)
    this.#inbox.end(() => this.#error(`the call has ended (${grpc().status[status.code] ?? status.code})`))
    this.#close()
  }

  #checkSignal(what: string): void {
    const { signal } = this.#call.context
    if (signal.aborted) throw new InterruptedError(`${what} of ${this.#call.method}`, signal.reason)
  }

  #error(message: string): StreamError {
    return new StreamError(message, this.#call.method)
  }
}
