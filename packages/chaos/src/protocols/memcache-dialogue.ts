import { looksLikeTls } from '../tls/looks-like-tls.ts'
import { HeadBytes } from './head-bytes.ts'
import { MemcacheFramer } from './memcache-framer.ts'
import { MemcacheRequest } from './memcache-request.ts'
import type { Dialogue, Talk } from './protocol.ts'

const lineFeed = 0x0a
const binaryRequest = 0x80

/** A line may be longer only where it is a list of keys; then this much of it is the head. */
const longestHead = 2048
const longestLine = 64 * 1024
const mostHeld = 64 * 1024

const listsKeys = /^(?:get|gets|gat|gats) /
/** First words of replies to meta commands. */
const metaCodes = new Set(['VA', 'HD', 'EN', 'NS', 'EX', 'NF', 'MN', 'ME'])
const errors = new Set(['ERROR', 'CLIENT_ERROR', 'SERVER_ERROR'])

/** A connection of memcached that speaks the text protocol, meta commands included. */
export class MemcacheDialogue implements Dialogue {
  readonly #talk: Talk
  readonly #heldOfClient = new HeadBytes()
  readonly #heldOfBackend = new HeadBytes()
  readonly #reply = new MemcacheFramer()
  #isStarted = false
  /** A list of keys goes on to the end of its line. */
  #isInLine = false
  /** Of the value of a request. */
  #valueLeft = 0
  /** There were commands that may or may not have a reply. */
  #hasQuiet = false
  /** Undefined: no reply has begun. */
  #answered: MemcacheRequest | null | undefined = undefined

  constructor(talk: Talk) {
    this.#talk = talk
  }

  fromClient(bytes: Buffer): void {
    if (!this.#isStarted && (bytes[0] === binaryRequest || looksLikeTls(bytes))) {
      this.#giveUp(bytes[0] === binaryRequest ? 'the binary protocol of memcached' : 'TLS', bytes, null)
      return
    }
    this.#isStarted = true
    const begun = this.#goOn(bytes, 0)
    const all = this.#heldOfClient.join(begun === 0 ? bytes : bytes.subarray(begun))
    let at = 0
    while (at < all.length) {
      const end = all.indexOf(lineFeed, at)
      const isLong = (end === -1 ? all.length : end) - at > longestHead
      const listed = isLong && listsKeys.test(all.toString('latin1', at, at + 5))
      if (!listed && (end === -1 ? all.length : end) - at > longestLine) {
        this.#giveUp('a line of more than 64 KiB', all.subarray(at), null)
        return
      }
      if (end === -1 && !listed) break
      const behind = listed ? at + longestHead : end + 1
      const line = all.toString(
        'latin1',
        at,
        listed ? behind : all[end - 1] === 0x0d && end > at ? end - 1 : end,
      )
      this.#begin(new MemcacheRequest(line), listed)
      this.#talk.requestBytes(all.subarray(at, behind))
      at = behind
      if (this.#isInLine || this.#valueLeft > 0) at = this.#goOn(all, at)
      else this.#talk.requestEnds()
    }
    this.#heldOfClient.keep(all.subarray(at))
  }

  fromBackend(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#reply.isDone) this.#reply.start()
      const end = this.#reply.scan(bytes, at)
      if (end === -1) {
        this.#giveUp('no reply of memcached', null, bytes.subarray(at))
        return
      }
      const piece = at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end)
      at = end
      if (this.#reply.isKnown || this.#heldOfBackend.length + piece.length > mostHeld) this.#tell(piece)
      else this.#heldOfBackend.add(piece)
      if (!this.#reply.isDone) continue
      const answered = this.#answered
      this.#answered = undefined
      this.#talk.replyEnds()
      if (answered?.verb === 'WATCH' && this.#reply.line === 'OK') {
        this.#giveUp('watch', null, bytes.subarray(at))
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

  #begin(request: MemcacheRequest, isInLine: boolean): void {
    this.#isInLine = isInLine
    this.#valueLeft = isInLine ? 0 : request.valueLength
    if (request.isQuiet) this.#hasQuiet = true
    this.#talk.requestBegins(request)
  }

  /** Bytes of a request behind its head. @returns where they end */
  #goOn(bytes: Buffer, from: number): number {
    let end = from
    if (this.#isInLine) {
      const found = bytes.indexOf(lineFeed, from)
      end = found === -1 ? bytes.length : found + 1
      this.#isInLine = found === -1
    } else if (this.#valueLeft > 0) {
      end = Math.min(bytes.length, from + this.#valueLeft)
      this.#valueLeft -= end - from
    } else {
      return from
    }
    if (end > from) this.#talk.requestBytes(bytes.subarray(from, end))
    if (!this.#isInLine && this.#valueLeft === 0) this.#talk.requestEnds()
    return end
  }

  #tell(piece: Buffer): void {
    if (this.#answered === undefined) {
      this.#answered = this.#whoIsAnswered()
      this.#talk.replyBegins(this.#answered)
    }
    const held = this.#heldOfBackend.take()
    if (held !== null) this.#talk.replyBytes(held)
    this.#talk.replyBytes(piece)
  }

  /** The oldest request; but the reply may be that of a quiet one before it. */
  #whoIsAnswered(): MemcacheRequest | null {
    const asked = this.#talk.answering() as MemcacheRequest | null
    if (asked === null || !this.#hasQuiet) return asked
    const [code = '', ...rest] = this.#reply.line.split(' ')
    if (errors.has(code)) return asked
    if (asked.verb === 'MN') return code === 'MN' ? asked : null
    if (!asked.isMeta) return metaCodes.has(code) ? null : asked
    // A miss of some commands repeats nothing.
    const isBare = rest.length === 0
    return isBare || asked.repeated.every((flag) => rest.includes(flag)) ? asked : null
  }

  #giveUp(reason: string, client: Buffer | null, backend: Buffer | null): void {
    const heldOfBackend = this.#heldOfBackend.take()
    const rest = [heldOfBackend, backend].filter((bytes) => bytes !== null && bytes.length > 0) as Buffer[]
    this.#talk.opaque(
      reason,
      client ?? this.#heldOfClient.take(),
      rest.length === 0 ? null : Buffer.concat(rest),
    )
  }
}
