import type { IncomingMessage } from 'node:http'
import type { UserContext } from '../../context.ts'
import { toMillis } from '../../duration.ts'
import { InterruptedError, StreamError } from '../../errors.ts'
import { Guard } from '../../forgotten-promise.ts'
import type { Tags } from '../../meter.ts'
import { AbortWatch } from '../abort-watch.ts'
import { EventStreamParser, type ServerEvent } from './event-stream-parser.ts'
import { Inbox } from '../inbox.ts'

export interface EventStreamOptions {
  /** Called for each event. What it throws is thrown again in the test. */
  onEvent?: (event: ServerEvent, stream: EventStream) => unknown
  headers?: Readonly<Record<string, string>>
  /** Goes on after this event: sent as `Last-Event-ID`. */
  lastEventId?: string
  /** Time until the answer begins: milliseconds or `'5s'`. Default: `--timeout`, else 30 s. */
  timeout?: number | string
  /** Name of the opening's series, in place of the path. */
  name?: string
  /** A few words that split the series further; never ids. */
  tags?: Tags
}

/**
 * Server-sent events of one user, as the HTML standard defines them. A stream that ends is not opened again: that is the
 * test's to do, with `lastEventId`.
 *
 * The opening is a hit of the kind `sse`, events and their bytes are the counters `sse.events` and `sse.bytes`, and the
 * time from the request to the first event is the timing `sse.first-event`. Each event goes to the callback and to
 * `receive()`, in order. When 10,000 events wait for `receive()` that is an error, thrown in the test; with a callback it
 * is one only if `receive()` is called after 256 events went to the callback alone.
 *
 *     const events = await this.openEvents('/prices')
 *     for await (const { data } of events) if (data === 'last') break
 */
export class EventStream implements AsyncIterable<ServerEvent> {
  /** Settles when the stream has ended, in whatever way; never rejects. */
  readonly closed: Promise<void>
  readonly url: string
  readonly #answer: IncomingMessage
  readonly #context: UserContext
  readonly #parser: EventStreamParser
  readonly #inbox: Inbox<ServerEvent>
  readonly #watch = new AbortWatch(() => this.#inbox.interrupt())
  /** By performance.now(); null once an event has come. */
  #awaitsFirst: number | null
  #state: 'open' | 'closing' | 'closed' = 'open'

  /** @internal `startedAt`: of the request, by performance.now(). */
  constructor(
    answer: IncomingMessage,
    url: string,
    context: UserContext,
    options: EventStreamOptions,
    startedAt: number,
  ) {
    this.url = url
    this.#answer = answer
    this.#context = context
    this.#awaitsFirst = startedAt
    this.#parser = new EventStreamParser(options.lastEventId ?? '')
    const { onEvent } = options
    this.#inbox = new Inbox<ServerEvent>({
      what: `events ${url}`,
      onMessage: onEvent === undefined ? null : (event) => onEvent(event, this),
      error: (message) => new StreamError(message, url),
    })
    answer.on('data', (bytes: Buffer) => this.#read(bytes))
    answer.on('error', (cause) => {
      if (this.#state !== 'open') return
      this.#state = 'closing'
      this.#inbox.fail(new StreamError(`the stream broke: ${cause.message}`, url, cause))
    })
    this.closed = new Promise((resolve) => {
      answer.on('close', () => {
        this.#state = 'closed'
        this.#watch.follow(null)
        this.#inbox.end(() => new StreamError('the stream has ended', url))
        resolve()
      })
    })
  }

  /** The id of the last event that had one; '' without. Give it to the next stream to go on after it. */
  get lastEventId(): string {
    return this.#parser.lastEventId
  }

  /** Milliseconds that the server asks to wait before connecting again (`retry:`); null: it has not asked. */
  get retryMs(): number | null {
    return this.#parser.retryMs
  }

  get readyState(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  /**
   * The next event: one that waits, or the next to come.
   *
   * @throws the first error of the stream or of the callback that the test has not seen
   * @throws {StreamError} the stream has ended and no event waits, or none came in time
   * @throws {InterruptedError} the execution was cut
   */
  receive(options: { timeout?: number | string } = {}): Promise<ServerEvent> {
    const guard = new Guard()
    return guard.keep(this.#receive(guard, options.timeout))
  }

  async #receive(guard: Guard, timeout: number | string | undefined): Promise<ServerEvent> {
    try {
      this.#checkSignal()
      return await this.#inbox.take(timeout === undefined ? null : toMillis(timeout))
    } catch (error) {
      throw guard.failed(error)
    }
  }

  /**
   * Event after event, until the server ends the stream; leaving the loop closes it.
   *
   * @throws what `receive()` throws, but for the end
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ServerEvent, void, void> {
    try {
      for (;;) {
        this.#checkSignal()
        const next = await this.#inbox.next(null)
        if (next === null) return
        yield next.value
      }
    } finally {
      await this.close()
    }
  }

  /** Ends the stream. Does nothing on one that has ended. */
  close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing'
    this.#answer.destroy()
    return this.closed
  }

  /** @internal The first error that the test has not seen, if there is one; then it has. */
  takeError(): { error: unknown } | null {
    return this.#inbox.takeError()
  }

  /** @internal Ends the stream with its user. */
  release(): Promise<void> {
    this.#watch.follow(null)
    return this.close()
  }

  #read(bytes: Buffer): void {
    if (this.#state !== 'open') return
    const { meter } = this.#context
    meter.count('sse.bytes', bytes.length)
    let events: ServerEvent[]
    try {
      events = this.#parser.push(bytes)
    } catch (error) {
      this.#answer.destroy(error as Error)
      return
    }
    if (events.length === 0) return
    if (this.#awaitsFirst !== null) {
      meter.timing('sse.first-event', performance.now() - this.#awaitsFirst)
      this.#awaitsFirst = null
    }
    meter.count('sse.events', events.length)
    for (const event of events) this.#inbox.deliver(event)
  }

  #checkSignal(): void {
    const { signal } = this.#context
    if (signal.aborted) throw new InterruptedError(`receive() on events ${this.url}`, signal.reason)
    if (this.#state !== 'closed') this.#watch.follow(signal)
  }
}
