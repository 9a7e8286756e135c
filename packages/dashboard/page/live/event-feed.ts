import { ApiError, messageOf } from './api-client.ts'

/** How a stream of events does. `lost` and `refused` are tried again. */
export type FeedState =
  | { kind: 'connecting' }
  | { kind: 'open' }
  /** Milliseconds since the epoch. */
  | { kind: 'lost'; since: number }
  | { kind: 'refused'; message: string }

export interface EventFeedOptions {
  url: string
  /** By name of the event; data is JSON. */
  handlers: Readonly<Record<string, (data: never) => void>>
  onState: (state: FeedState) => void
  /** Asks the server why it refuses the stream; opens a session where it needs one. */
  probe: (signal: AbortSignal) => Promise<unknown>
  /** So long without an event is a dead connection; Infinity: silence is all right. Asked every second. */
  quietMs: () => number
}

const leastRetryMs = 500
const mostRetryMs = 5_000
const watchMs = 1_000

/**
 * A stream of server-sent events that comes back: after the server was restarted, after this machine has slept, after
 * a connection that nobody closed. Each opening begins with everything, so nothing needs to be remembered.
 */
export class EventFeed {
  readonly #options: EventFeedOptions
  readonly #abort = new AbortController()
  #source: EventSource | null = null
  #state: FeedState = { kind: 'connecting' }
  #heardAt = Date.now()
  #retryMs = leastRetryMs
  #retry: ReturnType<typeof setTimeout> | undefined
  readonly #watch: ReturnType<typeof setInterval>
  readonly #onWake = () => this.#check()

  constructor(options: EventFeedOptions) {
    this.#options = options
    this.#watch = setInterval(this.#onWake, watchMs)
    // Timers of a hidden page hardly run: these come at once.
    document.addEventListener('visibilitychange', this.#onWake)
    addEventListener('online', this.#onWake)
    addEventListener('pageshow', this.#onWake)
    this.#open()
  }

  get state(): FeedState {
    return this.#state
  }

  close(): void {
    this.#abort.abort()
    clearInterval(this.#watch)
    clearTimeout(this.#retry)
    document.removeEventListener('visibilitychange', this.#onWake)
    removeEventListener('online', this.#onWake)
    removeEventListener('pageshow', this.#onWake)
    this.#source?.close()
    this.#source = null
  }

  #open(): void {
    clearTimeout(this.#retry)
    this.#source?.close()
    this.#heardAt = Date.now()
    const source = new EventSource(this.#options.url)
    this.#source = source
    const heard = () => {
      this.#heardAt = Date.now()
      this.#retryMs = leastRetryMs
      if (this.#state.kind !== 'open') this.#become({ kind: 'open' })
    }
    for (const [name, handler] of Object.entries(this.#options.handlers))
      source.addEventListener(name, (event) => {
        // A source that was replaced may have one more on its way.
        if (this.#source !== source) return
        heard()
        handler(JSON.parse((event as MessageEvent<string>).data) as never)
      })
    source.onerror = () => {
      if (this.#source === source) this.#failed()
    }
  }

  #failed(): void {
    // Not left to the browser: it would not tell a refusal from a server that is away, and wait for seconds.
    this.#source?.close()
    this.#source = null
    this.#lose()
    void this.#askWhy()
  }

  async #askWhy(): Promise<void> {
    const { signal } = this.#abort
    try {
      await this.#options.probe(signal)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) {
        this.#become({ kind: 'refused', message: messageOf(error) })
        // Asking for the token again and again helps nobody. What is not there may come.
        if (error.code === 'GIVEN_UP') return
        this.#retryMs = mostRetryMs
      }
    }
    if (signal.aborted) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#open(), this.#retryMs)
    this.#retryMs = Math.min(mostRetryMs, this.#retryMs * 2)
  }

  #check(): void {
    if (this.#source === null || Date.now() - this.#heardAt <= this.#options.quietMs()) return
    this.#lose()
    this.#open()
  }

  #lose(): void {
    if (this.#state.kind !== 'lost' && this.#state.kind !== 'refused')
      this.#become({ kind: 'lost', since: Date.now() })
  }

  #become(state: FeedState): void {
    if (this.#abort.signal.aborted) return
    this.#state = state
    this.#options.onState(state)
  }
}
