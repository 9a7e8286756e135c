import { looksLikeTls } from '../tls/looks-like-tls.ts'
import { HeadBytes } from './head-bytes.ts'
import type { Dialogue, RequestHead, Talk } from './protocol.ts'
import { readCommandHead } from './redis-command.ts'
import { RedisRequest } from './redis-request.ts'
import { RedisSubscriptions } from './redis-subscriptions.ts'
import { RespFramer } from './resp-framer.ts'

const array = 0x2a
const push = 0x3e
const map = 0x25
const simpleString = 0x2b
const error = 0x2d

/** Beginnings of replies that are held until they are known: attributes before a value may be long. */
const mostHeld = 64 * 1024

/** Commands that a subscriber of RESP2 may send; none of their replies is a message. */
const ofSubscribers = new Set([
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'PSUBSCRIBE',
  'PUNSUBSCRIBE',
  'SSUBSCRIBE',
  'SUNSUBSCRIBE',
  'PING',
  'QUIT',
  'RESET',
])

/** Commands after which the first word of replies says whose they are, or what follows. */
const watched = /^(?:S|P|)SUBSCRIBE$|^MONITOR$|^RESET$/

/** A connection of Redis: commands and replies of RESP2 and RESP3, and messages that nobody asked for. */
export class RedisDialogue implements Dialogue {
  readonly #talk: Talk
  readonly #heldOfClient = new HeadBytes()
  readonly #heldOfBackend = new HeadBytes()
  readonly #command = new RespFramer()
  readonly #value = new RespFramer()
  readonly #subscriptions = new RedisSubscriptions()
  #isStarted = false
  #isOver = false
  /** What MULTI and CLIENT REPLY said. */
  #isQueueing = false
  #multi: RedisRequest | null = null
  #reply: 'on' | 'off' | 'skip' = 'on'
  /** The first word of replies matters. */
  #isWatched = false
  #isResp3 = false
  /** The request whose reply has begun; null: nobody's. Undefined: no reply has begun. */
  #answered: RedisRequest | null | undefined = undefined
  /** Values that its reply still has, the current one included. */
  #valuesLeft = 0

  constructor(talk: Talk) {
    this.#talk = talk
  }

  fromClient(bytes: Buffer): void {
    if (!this.#isStarted && looksLikeTls(bytes)) {
      this.#giveUp('TLS', bytes, null)
      return
    }
    this.#isStarted = true
    let at = 0
    if (!this.#command.isDone) {
      at = this.#goOn(bytes, 0)
      if (at === -1) return
    }
    const all = this.#heldOfClient.join(at === 0 ? bytes : bytes.subarray(at))
    at = 0
    while (at < all.length) {
      const head = readCommandHead(all, at)
      if (head === 'more') break
      if (head === undefined) {
        this.#giveUp('no command of Redis', all.subarray(at), null)
        return
      }
      const request = this.#requestOf(head.words, head.length)
      if (request.verb === 'SYNC' || request.verb === 'PSYNC') {
        this.#giveUp('replication', all.subarray(at), null)
        return
      }
      this.#talk.requestBegins(request)
      if (head.left === 0) {
        this.#talk.requestBytes(all.subarray(at, head.end))
        this.#talk.requestEnds()
        at = head.end
      } else {
        this.#command.startWithin(head.left)
        this.#talk.requestBytes(all.subarray(at, head.end))
        at = this.#goOn(all, head.end)
        if (at === -1) return
      }
      if (this.#isOver) return
    }
    this.#heldOfClient.keep(all.subarray(at))
  }

  fromBackend(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#value.isDone) this.#value.start(this.#isWatched && !this.#isResp3)
      const end = this.#value.scan(bytes, at)
      if (end === -1) {
        this.#giveUp('no reply of Redis', null, bytes.subarray(at))
        return
      }
      const piece = at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end)
      at = end
      if (this.#value.isKnown || this.#heldOfBackend.length + piece.length > mostHeld) this.#tell(piece)
      else this.#heldOfBackend.add(piece)
      if (!this.#value.isDone) continue
      const reason = this.#endValue()
      if (reason !== null) {
        this.#giveUp(reason, null, bytes.subarray(at))
        return
      }
    }
  }

  clientEnded(): void {
    if (this.#heldOfClient.length > 0) this.#giveUp('the client ended within a command', null, null)
  }

  backendEnded(): void {
    if (this.#heldOfBackend.length > 0) this.#giveUp('the backend ended within a reply', null, null)
  }

  /** A MULTI that was answered in place of the server, or refused by it, began nothing. */
  answered(to: RequestHead): void {
    if (to === this.#multi) this.#isQueueing = false
  }

  /** Bytes of a command behind its head. @returns where they end, -1: this is no command */
  #goOn(bytes: Buffer, from: number): number {
    const end = this.#command.scan(bytes, from)
    if (end === -1) {
      this.#giveUp('no command of Redis', bytes.subarray(from), null)
      return -1
    }
    if (end > from) this.#talk.requestBytes(bytes.subarray(from, end))
    if (this.#command.isDone) this.#talk.requestEnds()
    return end
  }

  #requestOf(words: readonly string[], length: number): RedisRequest {
    const verb = words[0]?.toUpperCase() ?? ''
    const isQueueing = this.#isQueueing
    const reply = this.#reply
    let isSilent = reply !== 'on'
    if (length > 0 && reply === 'skip') this.#reply = 'on'
    if (verb === 'MULTI') this.#isQueueing = true
    else if (verb === 'EXEC' || verb === 'DISCARD') this.#isQueueing = false
    else if (verb === 'RESET') {
      this.#isQueueing = false
      isSilent = reply === 'skip'
      this.#reply = 'on'
    } else if (verb === 'CLIENT' && words[1]?.toUpperCase() === 'REPLY' && !isQueueing) {
      isSilent = this.#setReply(words[2]?.toUpperCase(), isSilent)
    }
    if (watched.test(verb)) this.#isWatched = true
    const request = new RedisRequest(words, length, { isQueued: isQueueing, isSilent })
    if (this.#isQueueing !== isQueueing) this.#multi = this.#isQueueing ? request : null
    return request
  }

  /** @returns whether CLIENT REPLY itself has no reply */
  #setReply(mode: string | undefined, isSilent: boolean): boolean {
    if (mode === 'ON') this.#reply = 'on'
    else if (mode === 'OFF') this.#reply = 'off'
    else if (mode === 'SKIP') this.#reply = this.#reply === 'off' ? 'off' : 'skip'
    else return isSilent
    return mode !== 'ON'
  }

  /** Tells bytes of the value that has begun; who is answered is known now. */
  #tell(piece: Buffer): void {
    if (this.#answered === undefined) {
      this.#answered = this.#whoIsAnswered()
      this.#talk.replyBegins(this.#answered)
    }
    const held = this.#heldOfBackend.take()
    if (held !== null) this.#talk.replyBytes(held)
    this.#talk.replyBytes(piece)
  }

  #whoIsAnswered(): RedisRequest | null {
    this.#valuesLeft = 1
    const { type, word } = this.#value
    const asked = this.#talk.answering() as RedisRequest | null
    if (type !== push && (type !== array || word === '')) return asked
    if (RedisSubscriptions.isConfirmation(word)) {
      if (asked?.verb?.toLowerCase() === word) {
        this.#valuesLeft = this.#subscriptions.expected(word, asked.length - 1)
        return asked
      }
      if (type === push || asked === null || !this.#subscriptions.isEmpty) return null
      return asked
    }
    if (type === push) return null
    if (!RedisSubscriptions.isMessage(word)) return asked
    const isMessage = asked === null || !this.#subscriptions.isEmpty || ofSubscribers.has(asked.verb ?? '')
    return isMessage ? null : asked
  }

  /** @returns why nothing is understood from here on; null: it goes on */
  #endValue(): string | null {
    const { type, word, lastNumber } = this.#value
    const answered = this.#answered ?? null
    if ((type === array || type === push) && RedisSubscriptions.isConfirmation(word))
      this.#subscriptions.confirmed(word, lastNumber)
    if (type === push) this.#isResp3 = true
    if (--this.#valuesLeft > 0) return null
    this.#answered = undefined
    this.#talk.replyEnds()
    switch (answered?.verb) {
      case 'MULTI':
        if (type === error) this.answered(answered)
        break
      case 'HELLO':
        if (type === map || type === array) this.#isResp3 = type === map
        break
      case 'RESET':
        if (type === simpleString && word === 'RESET') {
          this.#isResp3 = false
          this.#subscriptions.clear()
        }
        break
      case 'MONITOR':
        if (type === simpleString && word === 'OK') return 'MONITOR'
        break
    }
    return null
  }

  #giveUp(reason: string, client: Buffer | null, backend: Buffer | null): void {
    this.#isOver = true
    const heldOfBackend = this.#heldOfBackend.take()
    const heldOfClient = client === null ? this.#heldOfClient.take() : null
    const rest = [heldOfBackend, backend].filter((bytes) => bytes !== null && bytes.length > 0) as Buffer[]
    this.#talk.opaque(reason, client ?? heldOfClient, rest.length === 0 ? null : Buffer.concat(rest))
  }
}
