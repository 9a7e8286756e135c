import { looksLikeTls } from '../tls/looks-like-tls.ts'
import { HeadBytes } from './head-bytes.ts'
import { PostgresFramer } from './postgres-framer.ts'
import { PostgresReply } from './postgres-reply.ts'
import { PostgresRequest, type PostgresPhase, type Transaction } from './postgres-request.ts'
import { PostgresStatements } from './postgres-statements.ts'
import type { Dialogue, Talk } from './protocol.ts'

/** Bytes of a message that can be matched. */
const statementBytes = 16 * 1024
/** Bytes of a server's message that say what follows. */
const replyBytes = 16

/** What a client may say before it logs in, by the number that stands in place of a version. */
const encryptionRequests: Readonly<Record<number, string>> = { 80_877_103: 'SSL', 80_877_104: 'GSSENC' }
const cancelRequest = 80_877_102

/** Messages that begin a request of several, and what it is called where its statement is not known. */
const ofSeveral: Readonly<Record<string, string>> = {
  P: 'PREPARE',
  B: 'EXECUTE',
  E: 'EXECUTE',
  D: 'DESCRIBE',
  C: 'CLOSE',
  S: 'SYNC',
}
/** Of a statement these two do less than to execute it. */
const keepsName = new Set(['C', 'D'])
/** Messages that a server answers each by itself, whatever ends the request. */
const answeredEach = new Set(['P', 'B', 'E', 'D', 'C'])

/** Messages within data that the client sends; a server that copies ignores the last two. */
const ofCopy = new Set(['d', 'c', 'f', 'S', 'H'])

/** A connection of Postgres: login, then requests of one message or of several. */
export class PostgresDialogue implements Dialogue {
  readonly #talk: Talk
  readonly #statements = new PostgresStatements()
  readonly #client = new PostgresFramer(statementBytes, false)
  readonly #backend = new PostgresFramer(replyBytes, true)
  /** Of the client, while it is not known what it asks. */
  readonly #held = new HeadBytes()
  readonly #transaction: Transaction = { isOpen: false }
  #request: PostgresRequest | null = null
  #reply: PostgresReply | null = null
  /** The server takes data: up to its end, or where the statement came in several messages, up to the Sync after that. */
  #copies: 'to end' | 'to sync' | null = null
  #hasCopied = false
  #isStarted = false
  /** Where the client's current message begins; in bytes that were read before, 0. */
  #start = 0

  constructor(talk: Talk) {
    this.#talk = talk
  }

  fromClient(bytes: Buffer): void {
    if (!this.#isStarted && looksLikeTls(bytes)) {
      this.#talk.opaque('TLS', bytes, null)
      return
    }
    this.#isStarted = true
    const message = this.#client
    let told = 0
    let at = 0
    while (at < bytes.length) {
      if (message.ended) this.#start = at
      at = message.read(bytes, at)
      if (message.isBroken) {
        this.#talk.opaque('not Postgres', this.#held.join(bytes.subarray(told)), null)
        return
      }
      if (!message.isOpen) break
      if (this.#request !== null && this.#givesUpCopy(this.#request, message)) {
        told = this.#tell(bytes, told, this.#start)
        this.#end(this.#request)
      }
      if (this.#request === null && message.hasHead) {
        const request = message.typed ? this.#begun() : this.#started()
        if (request === null) {
          this.#talk.opaque('not Postgres', this.#held.join(bytes.subarray(told)), null)
          return
        }
        this.#request = request
        this.#talk.requestBegins(request)
      }
      if (this.#request === null || !message.ended || !this.#endsRequest(this.#request, message)) continue
      told = this.#tell(bytes, told, at)
      this.#end(this.#request)
    }
    // Of a message that has not told its type it is not known whose it is.
    const known = this.#request === null ? told : message.isOpen ? bytes.length : Math.max(told, this.#start)
    told = this.#tell(bytes, told, known)
    if (told < bytes.length) this.#held.add(bytes.subarray(told))
    this.#start = 0
  }

  /** Bytes of the request, behind those of it that are held. */
  #tell(bytes: Buffer, from: number, to: number): number {
    if (from === to) return to
    const held = this.#held.take()
    if (held !== null) this.#talk.requestBytes(held)
    this.#talk.requestBytes(bytes.subarray(from, to))
    return to
  }

  #end(request: PostgresRequest): void {
    this.#request = null
    this.#talk.requestEnds()
    this.#endFlushed(request)
  }

  /** Data ends without a word where the server has refused it: any other message is another request. */
  #givesUpCopy({ detail }: PostgresRequest, { type }: PostgresFramer): boolean {
    return detail['phase'] === 'copy' && !ofCopy.has(type)
  }

  clientEnded(): void {
    const held = this.#held.take()
    if (held !== null) this.#talk.opaque('the client ended within a message', held, null)
  }

  fromBackend(bytes: Buffer): void {
    const message = this.#backend
    let told = 0
    let at = 0
    while (at < bytes.length) {
      if (this.#reply === null) {
        if (this.#isEncryptionAnswer(bytes[at]!)) {
          const isRefused = this.#answerEncryption(bytes.subarray(at, at + 1))
          told = ++at
          if (isRefused) continue
          this.#talk.opaque('TLS', this.#held.take(), at < bytes.length ? bytes.subarray(at) : null)
          return
        }
        this.#replyBegins(String.fromCharCode(bytes[at]!))
      }
      at = message.read(bytes, at)
      if (message.isBroken) {
        this.#talk.opaque('not Postgres', this.#held.take(), bytes.subarray(told))
        return
      }
      const reply = this.#reply!
      if (!message.ended || !reply.take(message)) continue
      this.#learn(reply)
      this.#talk.replyBytes(bytes.subarray(told, at))
      told = at
      this.#reply = null
      this.#talk.replyEnds()
      if (!reply.isCopyBoth) continue
      this.#talk.opaque('replication', this.#held.take(), at < bytes.length ? bytes.subarray(at) : null)
      return
    }
    if (told < bytes.length) this.#talk.replyBytes(bytes.subarray(told))
  }

  /** What a message before the login is. */
  #started(): PostgresRequest | null {
    const { head } = this.#client
    if (head.length < 4) return null
    const code = head.readUInt32BE(0)
    if (code === cancelRequest) return this.#requestOf('command', 'CANCEL', { replies: 0 })
    const encryption = encryptionRequests[code]
    if (encryption !== undefined) return this.#requestOf('encryption', encryption)
    if (code >>> 16 !== 3) return null
    this.#client.typed = true
    return this.#requestOf('connect', 'CONNECT')
  }

  /** What a message is with which a request begins. */
  #begun(): PostgresRequest {
    const { type } = this.#client
    if (this.#copies !== null && (type === 'd' || type === 'c' || type === 'f'))
      return this.#requestOf('copy', 'COPYDATA')
    this.#copies = null
    const statement = this.#statements.of(this.#client)
    switch (type) {
      case 'Q':
        return this.#requestOf('command', '', { statement })
      case 'p':
        return this.#requestOf('login', 'AUTH')
      case 'F':
        return this.#requestOf('command', 'FUNCTION')
      case 'X':
        return this.#requestOf('command', 'QUIT', { replies: 0 })
      case 'H':
        return this.#requestOf('command', 'FLUSH', { replies: 0 })
      case 'd':
      case 'c':
      case 'f':
        // What a server that has given up still gets.
        return this.#requestOf('copy', 'COPYDATA', { replies: 0 })
      default: {
        const verb = statement !== null && !keepsName.has(type) ? '' : (ofSeveral[type] ?? 'COMMAND')
        return this.#requestOf('command', verb, { statement })
      }
    }
  }

  #requestOf(
    phase: PostgresPhase,
    verb: string,
    more: { statement?: string | null; replies?: 0 | 1 } = {},
  ): PostgresRequest {
    return new PostgresRequest({ phase, verb, ...more }, this.#transaction)
  }

  /** Whether a message is the last of its request. */
  #endsRequest(request: PostgresRequest, { type }: PostgresFramer): boolean {
    if (request.detail['phase'] === 'copy') return this.#endsCopy(request, type)
    if (type === 'S') {
      request.end = 'sync'
      return true
    }
    if (type === 'H') {
      request.end = 'flush'
      return true
    }
    if (!answeredEach.has(type)) return true
    request.unanswered++
    // The first message has told its statement already; those behind it may name others.
    if (request.unanswered > 1) this.#statements.of(this.#client)
    return false
  }

  #endsCopy(request: PostgresRequest, type: string): boolean {
    if (request.replies === 0) return true
    if (type === 'c' || type === 'f') this.#hasCopied = true
    const isOver = this.#hasCopied || (this.#reply?.to === request && this.#reply.hasFailed)
    if (this.#copies === 'to sync' ? !isOver || type !== 'S' : !this.#hasCopied) return false
    this.#hasCopied = false
    this.#copies = null
    return true
  }

  /** A request that was only flushed may have been answered before its end was seen. */
  #endFlushed(request: PostgresRequest): void {
    const reply = this.#reply
    if (reply === null || reply.to !== request || !reply.isFlushed) return
    this.#reply = null
    this.#talk.replyEnds()
  }

  #isEncryptionAnswer(byte: number): boolean {
    // Servers that know no encryption answer by an error.
    return byte !== 0x45 && this.#talk.answering()?.detail['phase'] === 'encryption'
  }

  /** @returns whether the connection goes on as it was */
  #answerEncryption(answer: Buffer): boolean {
    this.#talk.replyBegins(this.#talk.answering())
    this.#talk.replyBytes(answer)
    this.#talk.replyEnds()
    return answer[0] === 0x4e
  }

  #replyBegins(type: string): void {
    let to = this.#talk.answering() as PostgresRequest | null
    // After an error all that was flushed before the next Sync has no reply.
    while (type === 'Z' && to?.end === 'flush') {
      this.#talk.replyBegins(to)
      this.#talk.replyEnds()
      to = this.#talk.answering() as PostgresRequest | null
    }
    // A notification may come at any time; what comes while nothing was asked is no reply.
    if (type === 'A') to = null
    this.#reply = new PostgresReply(to)
    this.#talk.replyBegins(to)
  }

  #learn(reply: PostgresReply): void {
    if (reply.isInTransaction !== null) this.#transaction.isOpen = reply.isInTransaction
    if (reply.copies) this.#copies = (reply.to?.unanswered ?? 0) > 0 ? 'to sync' : 'to end'
    else if (reply.isInTransaction !== null && this.#request?.detail['phase'] !== 'copy') this.#copies = null
  }
}
