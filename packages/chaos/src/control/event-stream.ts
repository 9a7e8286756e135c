import type { ServerResponse } from 'node:http'

/** A reader that has more than so many bytes unread is cut off. */
const mostUnread = 1_048_576
export interface EventStreamOptions {
  /** Server-sent events, else lines of JSON. */
  sse: boolean
  /** So long may a reader that was cut off take to read what it has, to be told how much it missed. */
  graceMs?: number
  onClose: () => void
}

/** Events to one reader, as lines of JSON or server-sent ones. It never waits, and what it holds is bounded. */
export class EventStream {
  readonly #response: ServerResponse
  readonly #isSse: boolean
  #pending = ''
  #missed = 0
  #closed = false
  #grace: NodeJS.Timeout | null = null
  readonly #graceMs: number
  readonly #onClose: () => void

  constructor(response: ServerResponse, { sse, graceMs = 30_000, onClose }: EventStreamOptions) {
    this.#response = response
    this.#graceMs = graceMs
    this.#isSse = sse
    this.#onClose = onClose
    // Nothing to tell is no reason to close.
    response.socket?.setTimeout(0)
    response.writeHead(200, {
      'content-type': sse ? 'text/event-stream; charset=utf-8' : 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store, no-transform',
    })
    response.flushHeaders()
    response.on('close', () => this.#end())
    response.on('error', () => this.#end())
    response.on('drain', () => this.#drained())
  }

  /** @param type of the event @param json one line */
  send(type: string, json: string): void {
    if (this.#closed) return
    if (this.#missed > 0 || this.#pending.length + this.#response.writableLength > mostUnread) {
      this.#miss()
      return
    }
    // Many events of one turn are one write.
    if (this.#pending === '') setImmediate(() => this.#flush())
    this.#pending += this.#framed(type, json)
  }

  /** Keeps whatever is in between from closing a silent connection. */
  beat(): void {
    if (this.#isSse && this.#missed === 0 && !this.#closed) this.#response.write(':\n\n')
  }

  close(): void {
    if (this.#closed) return
    this.#flush()
    this.#response.end()
    this.#end()
  }

  #framed(type: string, json: string): string {
    return this.#isSse ? `event: ${type}\ndata: ${json}\n\n` : `${json}\n`
  }

  #flush(): void {
    if (this.#closed || this.#pending === '') return
    this.#response.write(this.#pending)
    this.#pending = ''
  }

  #miss(): void {
    this.#missed++
    if (this.#grace !== null) return
    this.#flush()
    this.#grace = setTimeout(() => {
      // Not end(): that would wait for the sleeper to take what is unread.
      this.#response.destroy()
    }, this.#graceMs).unref()
  }

  /** It has read on: it hears how much it missed, and may come again. */
  #drained(): void {
    if (this.#missed === 0 || this.#closed) return
    this.#pending = this.#framed('missed', JSON.stringify({ type: 'missed', count: this.#missed }))
    this.close()
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#grace !== null) clearTimeout(this.#grace)
    this.#pending = ''
    this.#onClose()
  }
}
