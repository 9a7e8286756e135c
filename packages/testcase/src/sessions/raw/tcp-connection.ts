import type { Socket } from 'node:net'
import type { UserContext } from '../../context.ts'
import { toMillis, toTimerMillis } from '../../duration.ts'
import { InterruptedError, StreamError, UsageError } from '../../errors.ts'
import { Guard } from '../../forgotten-promise.ts'
import type { Tags } from '../../meter.ts'
import { ByteQueue, type Until } from './byte-queue.ts'
import { attempt, OwnError, type Stopped } from '../http/exchange-hit.ts'

export interface ExchangeOptions {
  /** Name of the series: what is asked for, `GET key`; never with ids. */
  name: string
  until: Until
  /** Time for the whole exchange: milliseconds or `'5s'`. Default: `--timeout`, else 30 s. */
  timeout?: number | string
  /** A few words that split the series further; never ids. */
  tags?: Tags
}

/** How long a connection has to end politely, in milliseconds. */
const releaseMs = 1000

interface Receiver {
  until: Until
  resolve: (bytes: Buffer) => void
  reject: (error: unknown) => void
}

/**
 * A TCP connection (or TLS) of one user. Opening it is a hit of the kind `tcp` with the method `CONNECT`, each
 * {@link exchange} is another, from the first byte that is sent to the last that is waited for.
 *
 *     const redis = await this.tcp('localhost:6379')
 *     const answer = await redis.exchange('PING\r\n', { name: 'PING', until: '\r\n' })
 *     this.assertEqual(answer.toString(), '+PONG\r\n')
 */
export class TcpConnection {
  /** Settles when the connection has ended, in whatever way; never rejects. */
  readonly closed: Promise<void>
  /** `tcp://host:port`. */
  readonly url: string
  readonly #socket: Socket
  readonly #context: UserContext
  readonly #queue = new ByteQueue()
  readonly #maxBytes: number
  #receiver: Receiver | null = null
  #state: 'open' | 'closing' | 'closed' = 'open'
  /** Why nothing comes any more; null while something may. */
  #broken: Error | null = null
  /** The test has not seen it yet. */
  #unseen: { error: unknown } | null = null

  /** @internal */
  constructor(socket: Socket, url: string, context: UserContext, maxBytes: number) {
    this.#socket = socket
    this.url = url
    this.#context = context
    this.#maxBytes = maxBytes
    context.meter.connection('opened')
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('error', (error) => this.#fail(error))
    socket.on('end', () => this.#fail(Object.assign(new Error('other side closed'), { code: 'ENDED' }), true))
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#state = 'closed'
        this.#fail(new Error('closed'), true)
        context.meter.connection('closed')
        resolve()
      })
    })
  }

  get readyState(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  /**
   * Sends bytes (or text) and waits for an answer, as one hit. Bytes that came before unasked are the beginning of the
   * answer.
   *
   * @param data may be empty, to wait alone
   * @throws {RequestError} the connection broke, or the answer was not complete in time; its `class` says why
   * @throws {InterruptedError} the execution was cut
   * @throws {UsageError} another exchange is under way, or `until` cannot be
   * @throws what the function `until` threw
   */
  exchange(data: string | Uint8Array, options: ExchangeOptions): Promise<Buffer> {
    const guard = new Guard()
    return guard.keep(this.#exchange(guard, data, options))
  }

  async #exchange(guard: Guard, data: string | Uint8Array, options: ExchangeOptions): Promise<Buffer> {
    try {
      const { name, until, timeout, tags } = options
      if (typeof name !== 'string' || name === '')
        throw new UsageError('exchange() needs a name: { name: "PING" }')
      this.#checkUntil(until)
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      const before = this.#socket.bytesRead - this.#queue.length
      return await attempt(
        this.#context,
        {
          kind: 'tcp',
          name,
          method: '',
          url: this.url,
          timeoutMs: this.#timeoutMs(timeout),
          tags: tags ?? null,
        },
        () => {
          // Before sending: it refuses a second call that waits.
          const result = this.#wait(until)
          if (bytes.length > 0 && this.#broken === null) this.#socket.write(bytes)
          return { result, stop: (reason) => this.#stop(reason) }
        },
        () => ({ in: this.#socket.bytesRead - this.#queue.length - before, out: bytes.length }),
      )
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /**
   * Sends bytes or text, and resolves when the network took them. No hit.
   *
   * @throws {StreamError} the connection is over
   */
  send(data: string | Uint8Array): Promise<void> {
    const guard = new Guard()
    return guard.keep(this.#send(guard, data))
  }

  async #send(guard: Guard, data: string | Uint8Array): Promise<void> {
    try {
      this.#checkSignal('send()')
      if (this.#broken !== null || this.#state !== 'open') throw this.#ended()
      const failure = await Promise.race([
        new Promise<Error | null>((resolve) => {
          this.#socket.write(data, (error) => resolve(error ?? null))
        }),
        this.closed.then(() => this.#broken),
      ])
      if (failure !== null) throw this.#ended()
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /**
   * Waits for bytes up to an end, without a hit.
   *
   * @throws {StreamError} the connection is over, or nothing came in time
   * @throws {InterruptedError} the execution was cut
   * @throws {UsageError} another call waits already, or `until` cannot be
   */
  receive(until: Until, options: { timeout?: number | string } = {}): Promise<Buffer> {
    const guard = new Guard()
    return guard.keep(this.#receive(guard, until, options.timeout))
  }

  async #receive(guard: Guard, until: Until, timeout: number | string | undefined): Promise<Buffer> {
    const { signal } = this.#context
    const cut = () => this.#receiver?.reject(new InterruptedError(`receive() on ${this.url}`, signal.reason))
    let timer: NodeJS.Timeout | null = null
    try {
      this.#checkSignal('receive()')
      this.#checkUntil(until)
      const waiting = this.#wait(until)
      if (timeout !== undefined) {
        const limitMs = toMillis(timeout)
        timer = setTimeout(() => {
          this.#receiver?.reject(new StreamError(`the answer is not complete after ${limitMs} ms`, this.url))
        }, limitMs)
      }
      signal.addEventListener('abort', cut)
      return await waiting
    } catch (error) {
      if (error === this.#broken) throw guard.failed(this.#ended())
      if (error instanceof OwnError) throw guard.failed(error.cause)
      throw guard.failed(error)
    } finally {
      if (timer !== null) clearTimeout(timer)
      signal.removeEventListener('abort', cut)
    }
  }

  /** Says goodbye and waits for the end, a second at most. Does nothing on a connection that is over. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closing'
    this.#socket.end()
    const cut = setTimeout(() => this.#socket.destroy(), releaseMs)
    try {
      await this.closed
    } finally {
      clearTimeout(cut)
    }
  }

  /** @internal The first error that the test has not seen, if there is one; then it has. */
  takeError(): { error: unknown } | null {
    const first = this.#unseen
    this.#unseen = null
    return first
  }

  /** @internal Ends the connection with its execution or its user. */
  release(): Promise<void> {
    return this.close()
  }

  #wait(until: Until): Promise<Buffer> {
    if (this.#receiver !== null) {
      throw new UsageError(`${this.url}: another exchange() or receive() waits for bytes; await it first`)
    }
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#receiver = null
      }
      this.#receiver = {
        until,
        resolve: (bytes) => (done(), resolve(bytes)),
        reject: (error) => (done(), reject(error as Error)),
      }
      this.#queue.searchAnew()
      this.#offer()
      // What had come before the end may be a whole answer.
      if (this.#receiver !== null && this.#broken !== null) {
        this.#unseen = null
        this.#receiver.reject(this.#broken)
      }
    })
  }

  #offer(): void {
    if (this.#receiver === null) return
    try {
      const bytes = this.#queue.take(this.#receiver.until)
      if (bytes !== null) this.#receiver?.resolve(bytes)
    } catch (error) {
      // The test's own function.
      this.#receiver?.reject(new OwnError(error))
    }
  }

  #read(bytes: Buffer): void {
    this.#queue.push(bytes)
    this.#offer()
    if (this.#queue.length > this.#maxBytes) {
      const why = this.#receiver === null ? 'that nobody waits for' : 'without the end that is waited for'
      this.#socket.destroy(new Error(`more than ${this.#maxBytes} bytes came ${why} (see maxBytes)`))
    }
  }

  /** A stopped exchange leaves the connection in the middle of an answer: nothing that comes later could be told apart. */
  #stop(reason: Stopped): void {
    this.#state = 'closing'
    this.#receiver?.reject(reason)
    this.#broken ??= reason
    this.#socket.destroy()
  }

  /** @param polite an end that is no error by itself: only for whoever waits for more */
  #fail(error: Error, polite = false): void {
    if (this.#broken !== null) return
    this.#broken = error
    if (this.#receiver !== null) this.#receiver.reject(error)
    else if (!polite && this.#state === 'open') this.#unseen = { error: this.#ended() }
    if (polite && this.#state === 'open') this.#state = 'closing'
  }

  #ended(): StreamError {
    const why = this.#broken?.message ?? 'closed'
    return new StreamError(`the connection is over (${why})`, this.url, this.#broken ?? undefined)
  }

  #checkSignal(what: string): void {
    const { signal } = this.#context
    if (signal.aborted) throw new InterruptedError(`${what} on ${this.url}`, signal.reason)
  }

  #checkUntil(until: Until): void {
    const ok =
      typeof until === 'function' ||
      (typeof until === 'number' && Number.isInteger(until) && until > 0 && until <= this.#maxBytes) ||
      ((typeof until === 'string' || until instanceof Uint8Array) && until.length > 0)
    if (ok) return
    throw new UsageError(
      'until says where an answer ends: a text or bytes at its end, a number of bytes (up to maxBytes), or a ' +
        'function that gives the length of the answer in what has come, or 0',
    )
  }

  #timeoutMs(timeout: number | string | undefined): number {
    return toTimerMillis(timeout === undefined ? this.#context.target.timeoutMs : toMillis(timeout))
  }
}
