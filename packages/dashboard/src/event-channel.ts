import type { ServerResponse } from 'node:http'

/** A reader with more than so many bytes unread has gone to sleep: it is cut off, and begins afresh when it comes back. */
const mostUnread = 1_048_576

/** Server-sent events to one browser. It never waits, and what it holds for a reader is bounded. */
export class EventChannel {
  readonly #response: ServerResponse
  /** The first event, a whole model, may be larger than what may be unread later. */
  #limit = mostUnread
  #closed = false
  #onClose: () => void = () => {}

  constructor(response: ServerResponse) {
    this.#response = response
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    })
    response.on('close', () => this.#end())
    response.on('error', () => this.#end())
    response.on('drain', () => (this.#limit = mostUnread))
    response.write('retry: 1000\n\n')
  }

  get closed(): boolean {
    return this.#closed
  }

  set onClose(handler: () => void) {
    this.#onClose = handler
    if (this.#closed) handler()
  }

  /** The event that all others build on: it may be large. @param json one line */
  begin(event: string, id: number, json: string | Buffer): void {
    this.#limit = Infinity
    this.#write(event, id, json)
    this.#limit = Math.max(mostUnread, this.#response.writableLength + mostUnread)
  }

  /** False: the reader was cut off. @param json one line */
  send(event: string, id: number, json: string | Buffer): boolean {
    this.#write(event, id, json)
    return !this.#closed
  }

  /** Keeps whatever is in between from closing a silent connection. */
  beat(): void {
    if (this.#isFree()) this.#response.write(':\n\n')
  }

  close(): void {
    if (this.#closed) return
    this.#response.end()
    this.#end()
  }

  #write(event: string, id: number, json: string | Buffer): void {
    if (!this.#isFree()) return
    this.#response.cork()
    this.#response.write(`event: ${event}\nid: ${id}\ndata: `)
    this.#response.write(json)
    this.#response.write('\n\n')
    this.#response.uncork()
  }

  #isFree(): boolean {
    if (this.#closed) return false
    if (this.#response.writableLength <= this.#limit) return true
    // Not end(): that would wait for the sleeper to take what is unread.
    this.#response.destroy()
    this.#end()
    return false
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClose()
  }
}
