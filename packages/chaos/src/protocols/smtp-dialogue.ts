import { looksLikeTls } from '../tls/looks-like-tls.ts'
import { HeadBytes } from './head-bytes.ts'
import type { Dialogue, RequestHead, Talk } from './protocol.ts'
import { SmtpBodyFramer, SmtpReplyFramer } from './smtp-framer.ts'
import { SmtpRequest } from './smtp-request.ts'

/** Of a line, and of what a client sends ahead of an answer that it should have waited for. */
const mostHeld = 64 * 1024
const lineFeed = 0x0a
const none = Buffer.alloc(0)

/** A connection of SMTP: greeting, commands, and messages between them. */
export class SmtpDialogue implements Dialogue {
  readonly #talk: Talk
  readonly #held = new HeadBytes()
  readonly #replies = new SmtpReplyFramer()
  /** What the client's next bytes are. */
  #next: 'line' | 'body' | 'credentials' = 'line'
  /** Whose reply says what the client's next bytes are. */
  #waitsFor: SmtpRequest | null = null
  /** Bytes of a request that has begun: to the end of the message, or so many. */
  #body: SmtpBodyFramer | null = null
  #left = 0
  /** The request whose reply has begun; null: nobody's. Undefined: none has. */
  #answered: RequestHead | null | undefined = undefined
  #isStarted = false
  #isReading = false

  constructor(talk: Talk) {
    this.#talk = talk
    talk.requestBegins(SmtpRequest.greeting())
    talk.requestEnds()
  }

  fromClient(bytes: Buffer): void {
    if (!this.#isStarted && looksLikeTls(bytes)) {
      this.#giveUp('TLS', bytes, null)
      return
    }
    this.#isStarted = true
    this.#read(bytes)
  }

  clientEnded(): void {
    if (this.#held.length > 0) this.#giveUp('the client ended within a line', null, null)
  }

  fromBackend(bytes: Buffer): void {
    const framer = this.#replies
    let told = 0
    let at = 0
    while (at < bytes.length) {
      if (this.#answered === undefined) {
        this.#answered = this.#talk.answering()
        this.#talk.replyBegins(this.#answered)
      }
      at = framer.read(bytes, at)
      if (!framer.ended) {
        if (framer.length <= mostHeld) break
        this.#giveUp('no reply of SMTP', null, bytes.subarray(told))
        return
      }
      if (framer.code === null) {
        this.#giveUp('no reply of SMTP', null, bytes.subarray(told))
        return
      }
      this.#talk.replyBytes(bytes.subarray(told, at))
      told = at
      this.#talk.replyEnds()
      const to = this.#answered
      this.#answered = undefined
      if (to?.verb === 'STARTTLS' && framer.code === 220) {
        this.#giveUp('TLS', null, bytes.subarray(at))
        return
      }
      if (to === null || to !== this.#waitsFor) continue
      this.#waitsFor = null
      this.#next = nextAfter(to, framer.code)
    }
    if (told < bytes.length) this.#talk.replyBytes(bytes.subarray(told))
    if (this.#waitsFor === null && this.#held.length > 0) this.#read(none)
  }

  answered(to: RequestHead): void {
    if (to !== this.#waitsFor) return
    this.#waitsFor = null
    // Told while the request is: what follows it is about to be read anyway.
    if (!this.#isReading) this.#read(none)
  }

  /** What is held, and these. */
  #read(more: Buffer): void {
    const bytes = this.#held.join(more)
    this.#isReading = true
    let at = 0
    while (at < bytes.length) {
      if (this.#body !== null || this.#left > 0) {
        at = this.#readOn(bytes, at)
      } else if (this.#waitsFor !== null) {
        break
      } else if (this.#next === 'body') {
        this.#next = 'line'
        this.#body = new SmtpBodyFramer()
        this.#talk.requestBegins(SmtpRequest.body())
      } else {
        const end = bytes.indexOf(lineFeed, at) + 1
        if (end === 0) break
        this.#readLine(bytes.subarray(at, end))
        at = end
      }
    }
    this.#isReading = false
    const rest = bytes.subarray(at)
    if (rest.length <= mostHeld) this.#held.keep(rest)
    else
      this.#giveUp(this.#waitsFor === null ? 'no command of SMTP' : 'a client that does not wait', rest, null)
  }

  #readLine(line: Buffer): void {
    const request = this.#next === 'credentials' ? SmtpRequest.credentials() : SmtpRequest.command(line)
    this.#next = 'line'
    this.#talk.requestBegins(request)
    this.#talk.requestBytes(line)
    this.#left = request.chunk
    if (this.#left > 0) return
    if (request.pauses) this.#waitsFor = request
    this.#talk.requestEnds()
  }

  /** Bytes of the message of a request that has begun. @returns where they end */
  #readOn(bytes: Buffer, from: number): number {
    let end: number
    let isOver: boolean
    if (this.#body === null) {
      end = Math.min(bytes.length, from + this.#left)
      this.#left -= end - from
      isOver = this.#left === 0
    } else {
      const found = this.#body.scan(bytes, from)
      isOver = found !== -1
      end = isOver ? found : bytes.length
      if (isOver) this.#body = null
    }
    this.#talk.requestBytes(bytes.subarray(from, end))
    if (isOver) this.#talk.requestEnds()
    return end
  }

  /** @param client null: what is held of it */
  #giveUp(reason: string, client: Buffer | null, backend: Buffer | null): void {
    const rest = backend === null || backend.length === 0 ? null : backend
    this.#talk.opaque(reason, client ?? this.#held.take(), rest)
  }
}

function nextAfter({ verb }: RequestHead, code: number): 'line' | 'body' | 'credentials' {
  if (verb === 'DATA' && code === 354) return 'body'
  return verb === 'AUTH' && code === 334 ? 'credentials' : 'line'
}
