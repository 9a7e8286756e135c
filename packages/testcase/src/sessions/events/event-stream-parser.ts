import { TextDecoder } from 'node:util'

/** One event of a server. */
export interface ServerEvent {
  /** Its type; `message` where the server names none. */
  readonly event: string
  readonly data: string
  /** The last id that the server has given, with this event or before; '' without. */
  readonly id: string
}

/** An event longer than this many characters is an error. */
const longestEvent = 16 * 1024 * 1024

/** Thrown by {@link EventStreamParser.push}. */
export class EventTooLong extends Error {
  constructor() {
    super(`an event is longer than ${longestEvent} characters`)
  }
}

/**
 * Reads a stream of events as the HTML standard says (section 9.2.6, "Interpreting an event stream"), from bytes that
 * may be split anywhere.
 */
export class EventStreamParser {
  /** Milliseconds that the server asks to wait before connecting again; null: it has not asked. */
  retryMs: number | null = null
  lastEventId: string
  // Drops a byte order mark, and makes what is not UTF-8 into U+FFFD, as the standard says.
  readonly #decoder = new TextDecoder('utf-8')
  /** The beginning of a line whose end has not come. */
  #line = ''
  /** The last character was a carriage return: a line feed now belongs to it. */
  #afterReturn = false
  #data: string | null = null
  #event = ''
  /** Taken over by `lastEventId` at the end of the event. */
  #id: string

  constructor(lastEventId: string) {
    this.lastEventId = lastEventId
    this.#id = lastEventId
  }

  /**
   * The events that these bytes complete. What is incomplete at the end of the stream is dropped.
   *
   * @throws {EventTooLong}
   */
  push(bytes: Uint8Array): ServerEvent[] {
    const text = this.#decoder.decode(bytes, { stream: true })
    const events: ServerEvent[] = []
    let start = 0
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code !== lineFeed && code !== carriageReturn) {
        this.#afterReturn = false
        continue
      }
      if (code === lineFeed && this.#afterReturn) {
        this.#afterReturn = false
        start = at + 1
        continue
      }
      this.#afterReturn = code === carriageReturn
      this.#take(this.#line + text.slice(start, at), events)
      this.#line = ''
      start = at + 1
    }
    this.#line += text.slice(start)
    if (this.#line.length + (this.#data?.length ?? 0) > longestEvent) throw new EventTooLong()
    return events
  }

  #take(line: string, events: ServerEvent[]): void {
    if (line === '') return this.#dispatch(events)
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? line : line.slice(0, colon)
    let value = colon === -1 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'data') {
      this.#data = this.#data === null ? value : `${this.#data}\n${value}`
      if (this.#data.length > longestEvent) throw new EventTooLong()
    } else if (field === 'event') this.#event = value
    else if (field === 'id') {
      if (!value.includes('\0')) this.#id = value
    } else if (field === 'retry' && /^[0-9]+$/.test(value)) this.retryMs = Number(value)
  }

  #dispatch(events: ServerEvent[]): void {
    this.lastEventId = this.#id
    if (this.#data !== null) {
      events.push({ event: this.#event === '' ? 'message' : this.#event, data: this.#data, id: this.#id })
    }
    this.#data = null
    this.#event = ''
  }
}

const lineFeed = 10
const carriageReturn = 13
