import { AnswerHead, MalformedAnswer, maxHeadBytes } from './answer-head.ts'
import { BodyBuffer } from './body-buffer.ts'
import type { HeadMemo } from './head-memo.ts'
import { readBuffer } from './read-buffer.ts'

/** Bodies up to this many bytes that come with their head in one read are kept as text: one cheap copy. */
const smallBody = 8 * 1024

/** Longest extensions of a chunk, in bytes. */
const maxExtensionBytes = 16 * 1024

/** Most digits of a chunk's size: leading zeros are allowed, endless ones are not. */
const maxSizeDigits = 64

const chunkExtensions =
  // oxlint-disable-next-line no-control-regex
  /^(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"))?)*$/

/** A body beyond the limit of the session. */
export class BodyTooLarge extends Error {
  readonly code = 'LOADS_BODY_TOO_LARGE'

  constructor(maxBytes: number) {
    super(`the body is larger than ${maxBytes} bytes (session.maxBodyBytes)`)
  }
}

const inHead = 0
const inBody = 1
const untilEnd = 2
const inChunkSize = 3
const inExtension = 4
const inChunkSizeEnd = 5
const inChunk = 6
const inChunkEnd = 7
const inChunkEndLine = 8
const inTrailers = 9
const finished = 10

const CR = 13
const LF = 10
const SEMICOLON = 59

/**
 * Reads one answer of HTTP/1.1 or 1.0 from bytes that arrive in any pieces. Informational answers before it are skipped.
 * It works on the caller's read buffer and copies only what it must keep: the head as text, the body, and lines that are
 * not complete yet.
 *
 * Written by hand for speed: the usual small answer costs a tenth of what it costs in llhttp. A property test holds it
 * to undici (llhttp with strict rules). It differs on purpose in these: an unasked `100 Continue` is skipped (RFC 9110,
 * 15.2); a 204 or 304 with a length is taken as the answer without body that it is (RFC 9112, 6.3); tabs around
 * Content-Length and Transfer-Encoding are blanks (RFC 9110, 5.6.3); HTTP/0.9 and 2.0, every 101, chunk extensions with
 * an empty name or value, and a CR alone at the end of the status line (RFC 9112, 2.2) are refused.
 */
export class AnswerParser {
  head = new AnswerHead()
  /** Its own, while `head` may be a remembered one, which is not to be changed. */
  #own = this.head
  #memo: HeadMemo | null = null
  /** The header lines as they came, without the status line and the empty line. */
  headText = ''
  /** Small ones as latin1 text, others as bytes. */
  body: string | Buffer | null = null
  bodyBytes = 0
  /** Whether the connection may carry another answer. */
  reusable = false

  #state = finished
  #isHead = false
  #maxBodyBytes = 0
  /** Bytes of the body or of the chunk that are still to come. */
  #left = 0
  #sizeDigits = 0
  #extension = ''
  #gathered: BodyBuffer | null = null
  /** Lines that did not come in one piece. */
  #carry: Buffer | null = null
  #carried = 0
  /** Where the first line begins that is not parsed yet, counted from the beginning of the head or the trailers. */
  #next = 0
  /** Where the first header begins, counted likewise. */
  #firstHeader = 0

  /** Makes ready for the next answer. */
  begin(isHead: boolean, maxBodyBytes: number, memo: HeadMemo | null): void {
    this.#state = inHead
    this.#memo = memo
    this.head = this.#own
    this.#isHead = isHead
    this.#maxBodyBytes = maxBodyBytes
    this.head.reset()
    this.#next = 0
    this.body = null
    this.bodyBytes = 0
    this.reusable = false
    this.#gathered = null
    this.#carry = null
  }

  get done(): boolean {
    return this.#state === finished
  }

  /**
   * Takes bytes in. The byte at `end` is overwritten, so the buffer must be one longer.
   *
   * @returns where the answer ended, or `end`
   * @throws {MalformedAnswer} not HTTP
   * @throws {BodyTooLarge}
   */
  feed(bytes: Buffer, start: number, end: number): number {
    bytes[end] = 0
    let at = start
    while (at < end) {
      const state = this.#state
      if (state === finished) break
      if (state === inHead || state === inTrailers) at = this.#readLines(bytes, at, end)
      else if (state === inBody || state === inChunk || state === untilEnd)
        at = this.#readBody(bytes, at, end)
      else at = this.#readChunkLine(bytes, at, end)
    }
    return at
  }

  /** The other side has closed. Whether that was the end of the answer. */
  end(): boolean {
    if (this.#state === untilEnd) this.#finish(false)
    return this.#state === finished
  }

  #readLines(bytes: Buffer, start: number, end: number): number {
    if (this.#carry === null) {
      const memo = this.#memo
      if (
        memo !== null &&
        start === 0 &&
        bytes === readBuffer &&
        this.#state === inHead &&
        memo.matches(end)
      ) {
        this.head = memo.head
        this.headText = memo.text
        return this.#headDone(bytes, memo.length, end)
      }
      const stop = this.#lines(bytes, start, end)
      if (stop !== -1) return stop
      this.#keep(bytes, start, end)
      return end
    }
    const before = this.#carried
    this.#keep(bytes, start, end)
    const carry = this.#carry
    // Lines are parsed when they are whole; what is no HTTP from its first bytes on is not waited for.
    if (before >= 16 && carry.subarray(before, this.#carried).indexOf(LF) === -1) return end
    const stop = this.#lines(carry, 0, this.#carried)
    if (stop === -1) return end
    this.#carry = null
    return start + stop - before
  }

  /** Keeps lines that are not complete, with a 0 behind them. */
  #keep(bytes: Buffer, start: number, end: number): void {
    const before = this.#carry === null ? 0 : this.#carried
    const length = before + end - start
    if (this.#carry === null || length >= this.#carry.length) {
      const larger = Buffer.allocUnsafe(Math.max(1024, length * 2))
      if (this.#carry !== null) this.#carry.copy(larger, 0, 0, before)
      this.#carry = larger
    }
    bytes.copy(this.#carry, before, start, end)
    this.#carried = length
    this.#carry[length] = 0
    // One read more than the limit at most, and the line that is behind it is refused when it is parsed.
    if (before > maxHeadBytes) throw tooLong()
  }

  /** Reads whole lines. Returns where they, and a small body behind them, ended; -1 if they did not. */
  #lines(bytes: Buffer, start: number, end: number): number {
    const { head } = this
    const trailer = this.#state === inTrailers
    let at = start + this.#next
    if (!trailer && head.status === 0) {
      while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++
      this.#next = at - start
      if (at >= end) return -1
      at = head.statusLine(bytes, at, end)
      if (at === -1) return -1
      this.#next = this.#firstHeader = at - start
    }
    while (bytes[at] !== CR) {
      at = head.headerLine(bytes, at, end, trailer)
      if (at === -1) return -1
      this.#next = at - start
      if (this.#next > maxHeadBytes) throw tooLong()
    }
    if (at + 1 >= end) return -1
    if (bytes[at + 1] !== LF) throw new MalformedAnswer('a line of its head begins with a bare CR')
    if (trailer) {
      this.#finish(true)
      return at + 2
    }
    if (head.status < 200) {
      if (head.status === 101) throw new MalformedAnswer('it switches protocols, which nobody asked for')
      if (!head.persistent) throw new MalformedAnswer('it closes the connection before the real answer')
      head.reset()
      this.#next = 0
      return at + 2
    }
    this.headText = bytes.toString('latin1', start + this.#firstHeader, at)
    if (this.#memo !== null && start === 0 && bytes === readBuffer) {
      this.#memo.keep(head, this.headText, at)
      this.#own = new AnswerHead()
    }
    return this.#headDone(bytes, at, end)
  }

  /** @param at where the empty line begins */
  #headDone(bytes: Buffer, at: number, end: number): number {
    const { status, contentLength, transferCoded, chunked } = this.head
    const bodyStart = at + 2
    if (this.#isHead || status === 204 || status === 304 || contentLength === 0) {
      this.#finish(true)
    } else if (contentLength > 0) {
      if (contentLength > this.#maxBodyBytes) throw new BodyTooLarge(this.#maxBodyBytes)
      const bodyEnd = bodyStart + contentLength
      if (bodyEnd <= end && contentLength <= smallBody) {
        this.body = bytes.toString('latin1', bodyStart, bodyEnd)
        this.bodyBytes = contentLength
        this.#finish(true)
        return bodyEnd
      }
      this.#left = contentLength
      this.#state = inBody
    } else if (transferCoded && chunked) {
      this.#startChunk()
    } else {
      this.#state = untilEnd
    }
    return bodyStart
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const endless = this.#state === untilEnd
    const stop = endless ? end : Math.min(end, start + this.#left)
    this.bodyBytes += stop - start
    if (this.bodyBytes > this.#maxBodyBytes) throw new BodyTooLarge(this.#maxBodyBytes)
    this.#gathered ??= new BodyBuffer(this.#left)
    this.#gathered.append(bytes, start, stop)
    if (endless) return stop
    this.#left -= stop - start
    if (this.#left === 0) {
      if (this.#state === inBody) this.#finish(true)
      else this.#state = inChunkEnd
    }
    return stop
  }

  #readChunkLine(bytes: Buffer, start: number, end: number): number {
    const byte = bytes[start]!
    switch (this.#state) {
      case inChunkSize:
        return this.#readChunkSize(bytes, start, end)
      case inExtension: {
        const found = bytes.subarray(start, end).indexOf(CR)
        const stop = found === -1 ? end : start + found
        this.#extension += bytes.toString('latin1', start, stop)
        if (this.#extension.length > maxExtensionBytes) {
          throw new MalformedAnswer(`the extensions of a chunk are longer than ${maxExtensionBytes} bytes`)
        }
        if (found === -1) return end
        if (!chunkExtensions.test(this.#extension)) throw new MalformedAnswer('a chunk has wrong extensions')
        this.#state = inChunkSizeEnd
        return stop + 1
      }
      case inChunkSizeEnd:
        if (byte !== LF) throw new MalformedAnswer('the size of a chunk ends with a bare CR')
        if (this.#left === 0) {
          this.#next = 0
          this.#state = inTrailers
        } else this.#state = inChunk
        return start + 1
      case inChunkEnd:
        if (byte !== CR) throw new MalformedAnswer('a chunk is longer than its size')
        this.#state = inChunkEndLine
        return start + 1
      default:
        if (byte !== LF) throw new MalformedAnswer('a chunk ends with a bare CR')
        this.#startChunk()
        return start + 1
    }
  }

  #startChunk(): void {
    this.#state = inChunkSize
    this.#left = 0
    this.#sizeDigits = 0
    this.#extension = ''
  }

  #readChunkSize(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      const digit = hexDigit(byte)
      if (digit !== -1) {
        this.#left = this.#left * 16 + digit
        if (++this.#sizeDigits > maxSizeDigits || this.#left > Number.MAX_SAFE_INTEGER) {
          throw new MalformedAnswer('the size of a chunk is too large')
        }
        continue
      }
      if (this.#sizeDigits === 0 || (byte !== CR && byte !== SEMICOLON)) {
        throw new MalformedAnswer('the size of a chunk is no hexadecimal number')
      }
      if (this.bodyBytes + this.#left > this.#maxBodyBytes) throw new BodyTooLarge(this.#maxBodyBytes)
      this.#state = byte === CR ? inChunkSizeEnd : inExtension
      // The semicolon belongs to the extension.
      return byte === CR ? at + 1 : at
    }
    return end
  }

  #finish(delimited: boolean): void {
    this.#state = finished
    this.reusable = delimited && this.head.persistent
    if (this.#gathered !== null) this.body = this.#gathered.take()
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 0x20
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

function tooLong(): MalformedAnswer {
  return new MalformedAnswer(`its head is longer than ${maxHeadBytes} bytes`)
}
