import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { lookup } from 'node:dns/promises'
import type { UserContext } from '../../context.ts'
import { toMillis, toTimerMillis } from '../../duration.ts'
import { InterruptedError, StreamError, UsageError } from '../../errors.ts'
import { Guard } from '../../forgotten-promise.ts'
import type { Tags } from '../../meter.ts'
import { attempt, OwnError, type Stopped } from '../http/exchange-hit.ts'
import { parseHostPort } from '../host-port.ts'
import { Inbox } from '../inbox.ts'

export interface DatagramOptions {
  /** Name of the series: what is asked for; never with ids. */
  name: string
  /** Time until the answer comes: milliseconds or `'5s'`. Default: `--timeout`, else 30 s. */
  timeout?: number | string
  /**
   * Whether a datagram is the answer to this one; others go to `receive()`. Default: the first that comes after
   * sending, which may be a late answer to an exchange that has timed out.
   */
  match?: (datagram: Buffer) => boolean
  /** A few words that split the series further; never ids. */
  tags?: Tags
}

interface Waiting {
  match: ((datagram: Buffer) => boolean) | undefined
  resolve: (datagram: Buffer) => void
  reject: (error: unknown) => void
}

/**
 * A UDP socket of one user, for one address. Each {@link exchange} is a hit of the kind `udp`, from the sending to the
 * answer; a datagram that is lost is a timeout.
 *
 *     const dns = await this.udp('localhost:53')
 *     const answer = await dns.exchange(question, { name: 'A', timeout: '2s' })
 */
export class UdpSocket {
  /** Settles when the socket is closed; never rejects. */
  readonly closed: Promise<void>
  /** `udp://host:port`. */
  readonly url: string
  readonly #socket: Socket
  readonly #context: UserContext
  readonly #inbox: Inbox<Buffer>
  readonly #waiting = new Set<Waiting>()
  #state: 'open' | 'closed' = 'open'

  /** @internal `socket` is connected. */
  constructor(socket: Socket, url: string, context: UserContext) {
    this.#socket = socket
    this.url = url
    this.#context = context
    this.#inbox = new Inbox<Buffer>({
      what: url,
      onMessage: null,
      error: (message) => new StreamError(message, url),
    })
    socket.on('message', (datagram) => this.#deliver(datagram))
    // ECONNREFUSED: the other side has said that nobody listens there.
    socket.on('error', (error) => this.#fail(error))
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()))
  }

  get readyState(): 'open' | 'closed' {
    return this.#state
  }

  /**
   * Sends a datagram and waits for the one that answers it, as one hit. Several may be under way at once where `match`
   * tells their answers apart.
   *
   * @throws {RequestError} refused, or no answer in time
   * @throws {InterruptedError} the execution was cut
   * @throws {StreamError} the socket is closed
   */
  exchange(data: string | Uint8Array, options: DatagramOptions): Promise<Buffer> {
    const guard = new Guard()
    return guard.keep(this.#exchange(guard, data, options))
  }

  async #exchange(guard: Guard, data: string | Uint8Array, options: DatagramOptions): Promise<Buffer> {
    try {
      const { name, timeout, match, tags } = options
      if (typeof name !== 'string' || name === '')
        throw new UsageError('exchange() needs a name: { name: "A" }')
      this.#checkOpen()
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      const { target } = this.#context
      const timeoutMs = toTimerMillis(timeout === undefined ? target.timeoutMs : toMillis(timeout))
      let received = 0
      return await attempt(
        this.#context,
        { kind: 'udp', name, method: '', url: this.url, timeoutMs, tags: tags ?? null },
        () => {
          let waiting!: Waiting
          const result = new Promise<Buffer>((resolve, reject) => {
            waiting = {
              match,
              resolve: (datagram) => ((received = datagram.length), resolve(datagram)),
              reject: (error) => reject(error as Error),
            }
            this.#waiting.add(waiting)
            this.#socket.send(bytes, (error) => (error ? this.#settle(waiting, error) : undefined))
          })
          return { result, stop: (reason: Stopped) => this.#settle(waiting, reason) }
        },
        () => ({ in: received, out: bytes.length }),
      )
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /**
   * Sends a datagram, without a hit.
   *
   * @throws {StreamError} the socket is closed, or the datagram cannot be sent
   */
  send(data: string | Uint8Array): Promise<void> {
    const guard = new Guard()
    return guard.keep(this.#send(guard, data))
  }

  async #send(guard: Guard, data: string | Uint8Array): Promise<void> {
    try {
      this.#inbox.rethrow()
      this.#checkOpen()
      const failure = await new Promise<Error | null>((resolve) => {
        this.#socket.send(data, (error) => resolve(error))
      })
      if (failure) throw new StreamError(failure.message, this.url, failure)
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /**
   * The next datagram that no exchange took, without a hit.
   *
   * @throws the first error of the socket that the test has not seen
   * @throws {StreamError} the socket is closed and no datagram waits, or none came in time
   * @throws {InterruptedError} the execution was cut
   */
  receive(options: { timeout?: number | string } = {}): Promise<Buffer> {
    const guard = new Guard()
    return guard.keep(this.#receive(guard, options.timeout))
  }

  async #receive(guard: Guard, timeout: number | string | undefined): Promise<Buffer> {
    const { signal } = this.#context
    const cut = () => this.#inbox.interrupt()
    try {
      if (signal.aborted) throw new InterruptedError(`receive() on ${this.url}`, signal.reason)
      signal.addEventListener('abort', cut)
      return await this.#inbox.take(timeout === undefined ? null : toMillis(timeout))
    } catch (error) {
      throw guard.failed(error)
    } finally {
      signal.removeEventListener('abort', cut)
    }
  }

  /** Closes the socket. Does nothing on a closed one. */
  close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closed'
      const error = new StreamError('the socket is closed', this.url)
      for (const waiting of this.#waiting)
        waiting.reject(Object.assign(new Error('closed'), { cause: error }))
      this.#waiting.clear()
      this.#inbox.end(() => error)
      this.#socket.close()
    }
    return this.closed
  }

  /** @internal The first error that the test has not seen, if there is one; then it has. */
  takeError(): { error: unknown } | null {
    return this.#inbox.takeError()
  }

  /** @internal Ends the socket with its execution or its user. */
  release(): Promise<void> {
    return this.close()
  }

  #deliver(datagram: Buffer): void {
    for (const waiting of this.#waiting) {
      try {
        if (waiting.match !== undefined && !waiting.match(datagram)) continue
      } catch (error) {
        this.#settle(waiting, new OwnError(error))
        continue
      }
      this.#waiting.delete(waiting)
      waiting.resolve(datagram)
      return
    }
    this.#inbox.deliver(datagram)
  }

  #fail(error: Error): void {
    if (this.#waiting.size === 0) return this.#inbox.fail(new StreamError(error.message, this.url, error))
    for (const waiting of this.#waiting) this.#settle(waiting, error)
  }

  #settle(waiting: Waiting, error: unknown): void {
    if (this.#waiting.delete(waiting)) waiting.reject(error)
  }

  #checkOpen(): void {
    const { signal } = this.#context
    if (signal.aborted) throw new InterruptedError(this.url, signal.reason)
    if (this.#state === 'closed') throw new StreamError('the socket is closed', this.url)
  }
}

/**
 * Opens a socket for one address. No hit: nothing is sent.
 *
 * @throws {StreamError} the name cannot be resolved, or the machine has no port left
 * @throws {UsageError} an address that cannot be
 */
export async function openUdp(address: string, context: UserContext): Promise<UdpSocket> {
  const { host, port, text } = parseHostPort(address, 'udp', 'this.udp()')
  if (context.signal.aborted) throw new InterruptedError(`udp://${text}`, context.signal.reason)
  const url = `udp://${text}`
  let socket: Socket | null = null
  try {
    const found = await lookup(host)
    const opened = (socket = createSocket(isIPv6(found.address) ? 'udp6' : 'udp4'))
    await new Promise<void>((resolve, reject) => {
      opened.once('error', reject)
      opened.connect(port, found.address, () => {
        opened.removeListener('error', reject)
        resolve()
      })
    })
    return new UdpSocket(opened, url, context)
  } catch (cause) {
    socket?.close()
    throw new StreamError(`the socket cannot be opened: ${(cause as Error).message}`, url, cause)
  }
}
