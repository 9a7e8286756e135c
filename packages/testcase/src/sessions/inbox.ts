import { InterruptedError } from '../errors.ts'

/** Messages that wait for `receive()`. More is an error, never a silent loss. */
const mostWaiting = 10_000

/** The same for sessions with a callback, whose messages are seen there: most of these never call `receive()`. */
const mostWaitingBesideCallback = 256

export interface InboxOptions<T> {
  /** The session, for messages: `WebSocket ws://host/chat`. */
  what: string
  /** Gets each message too; what it throws is thrown again in the test. */
  onMessage: ((message: T) => unknown) | null
  /** Makes an error of the session. */
  error: (message: string) => Error
}

interface Receiver<T> {
  /** Null: there are no more messages. */
  resolve: (message: { value: T } | null) => void
  reject: (error: unknown) => void
  timer: NodeJS.Timeout | null
}

/**
 * What a session has received: messages that wait for `receive()`, or calls of it that wait for messages, never both;
 * and the first error that the test has not seen.
 */
export class Inbox<T> {
  readonly #options: InboxOptions<T>
  readonly #limit: number
  readonly #messages: T[] = []
  readonly #receivers: Receiver<T>[] = []
  #error: { error: unknown } | null = null
  #overflowed = false
  #ended: (() => Error) | null = null

  constructor(options: InboxOptions<T>) {
    this.#options = options
    this.#limit = options.onMessage === null ? mostWaiting : mostWaitingBesideCallback
  }

  /** Gives a message to the callback and to `receive()`. */
  deliver(message: T): void {
    this.#keep(message)
    const { onMessage } = this.#options
    if (onMessage === null) return
    try {
      const returned: unknown = onMessage(message)
      if (returned instanceof Promise) returned.catch((error: unknown) => this.fail(error))
    } catch (error) {
      this.fail(error)
    }
  }

  /** Gives an error to every waiting `receive()`, or keeps the first for the test's next call. */
  fail(error: unknown): void {
    if (!this.#reject(error)) this.#error ??= { error }
  }

  /** Nothing comes any more; messages that wait can still be received. */
  end(closedError: () => Error): void {
    this.#ended = closedError
    for (const receiver of this.#takeReceivers()) receiver.resolve(null)
  }

  interrupt(): void {
    this.#reject(new InterruptedError(`receive() on ${this.#options.what}`))
  }

  /**
   * The next message, in order.
   *
   * @throws the first error that the test has not seen; that of the session when nothing can come any more, or nothing
   *   comes in time
   */
  async take(timeoutMs: number | null): Promise<T> {
    const message = await this.next(timeoutMs)
    if (message === null) throw this.#ended!()
    return message.value
  }

  /** The same for loops: null when nothing can come any more. */
  next(timeoutMs: number | null): Promise<{ value: T } | null> {
    this.rethrow()
    if (this.#overflowed) throw this.#overflowError()
    if (this.#messages.length > 0) return Promise.resolve({ value: this.#messages.shift() as T })
    if (this.#ended !== null) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      const receiver: Receiver<T> = { resolve, reject, timer: null }
      if (timeoutMs !== null) {
        receiver.timer = setTimeout(() => {
          this.#receivers.splice(this.#receivers.indexOf(receiver), 1)
          reject(this.#options.error(`no message within ${timeoutMs} ms`))
        }, timeoutMs)
      }
      this.#receivers.push(receiver)
    })
  }

  /** The first error that the test has not seen, if there is one; then it has. */
  takeError(): { error: unknown } | null {
    const first = this.#error
    this.#error = null
    return first
  }

  rethrow(): void {
    const first = this.takeError()
    if (first !== null) throw first.error
  }

  #keep(message: T): void {
    const receiver = this.#receivers.shift()
    if (receiver !== undefined) {
      if (receiver.timer !== null) clearTimeout(receiver.timer)
      receiver.resolve({ value: message })
    } else if (this.#messages.length < this.#limit && !this.#overflowed) this.#messages.push(message)
    else if (!this.#overflowed) {
      this.#overflowed = true
      this.#messages.length = 0
      if (this.#options.onMessage === null) this.fail(this.#overflowError())
    }
  }

  #reject(error: unknown): boolean {
    const receivers = this.#takeReceivers()
    for (const receiver of receivers) receiver.reject(error)
    return receivers.length > 0
  }

  #takeReceivers(): Receiver<T>[] {
    const receivers = this.#receivers.splice(0)
    for (const { timer } of receivers) if (timer !== null) clearTimeout(timer)
    return receivers
  }

  #overflowError(): Error {
    return this.#options.error(
      'receive queue overflow: too many messages waited for receive(), and were dropped',
    )
  }
}
