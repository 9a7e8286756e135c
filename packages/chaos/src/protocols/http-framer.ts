import { HeadBytes } from './head-bytes.ts'
import { NotHttp, type BodyLength } from './http-head.ts'

/** Heads, and what stands between chunks, may be this long. Bytes. */
export const longestHead = 64 * 1024

/** What becomes of the messages of one direction. */
export interface FramerOwner {
  /**
   * A head is there, from the first offset to the second, without its empty line; lent.
   *
   * @returns what follows it
   * @throws {NotHttp}
   */
  head(bytes: Buffer, from: number, to: number): BodyLength
  /** Bytes of the message, the head first; lent. */
  bytes(bytes: Buffer): void
  ends(): void
  /** Whether the start of a head, of which the end is not there yet, may become one. */
  mayBecome(text: string): boolean
}

/** Where a message ends in the bytes of one direction, however they are split (RFC 9112). Bodies are counted, not looked at. */
export class HttpFramer {
  readonly #owner: FramerOwner
  /** A head of which the end is not there yet. */
  readonly #partial = new HeadBytes()
  #isLikely = false
  /** Bytes of the body that are still to come; null: no body is being read. */
  #left: number | null = null
  #chunks: Chunks | null = null
  #isUntilEnd = false
  /** Up to where bytes of a push are told or kept. */
  #at = 0
  #failure: NotHttp | null = null

  constructor(owner: FramerOwner) {
    this.#owner = owner
  }

  /**
   * @returns how many bytes were told or kept; fewer than there are when `isStopped` said so after a message
   * @throws {NotHttp} then `takeRest` has what was not told
   */
  push(bytes: Buffer, isStopped: () => boolean): number {
    let at = 0
    while (at < bytes.length) {
      if (!this.isWithinBody) {
        this.#at = at
        const end = this.#headEnd(bytes, at)
        if (end < 0) return bytes.length
        at = this.#begin(bytes, at, end)
      } else {
        const end = this.#bodyEnd(bytes, at)
        this.#owner.bytes(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
        at = end
        this.#at = at
        if (this.#failure !== null) throw this.#failure
      }
      if (!this.isWithinBody) {
        this.#owner.ends()
        if (isStopped()) return at
      }
    }
    return at
  }

  /** Of the bytes of a `push` that failed those that were not told. */
  takeRest(bytes: Buffer): Buffer | null {
    const partial = this.takePartial()
    const rest = this.#at < bytes.length ? bytes.subarray(this.#at) : null
    if (partial === null || rest === null) return partial ?? rest
    return Buffer.concat([partial, rest])
  }

  /** The start of a head, to tell it in another way. */
  takePartial(): Buffer | null {
    return this.#partial.take()
  }

  /** The stream has ended. */
  end(): void {
    if (!this.#isUntilEnd) return
    this.#isUntilEnd = false
    this.#owner.ends()
  }

  get isWithinBody(): boolean {
    return this.#left !== null || this.#chunks !== null || this.#isUntilEnd
  }

  /** Keeps what is no whole head. @returns the end of a head in `bytes`, or -1 */
  #headEnd(bytes: Buffer, at: number): number {
    if (this.#partial.length === 0) {
      const found = bytes.indexOf(headEnd, behindEmptyLines(bytes, at))
      const length = (found < 0 ? bytes.length : found + 4) - at
      if (length > longestHead) throw new NotHttp('a head that is too long')
      if (found >= 0) return found + 4
      this.#at = bytes.length
      this.#keep(bytes.subarray(at), 0)
      return -1
    }
    // Its end may lie across what is kept and what is new.
    const kept = this.#partial.length
    const taken = Math.min(bytes.length, at + longestHead - kept)
    const all = this.#partial.join(bytes.subarray(at, taken))
    const found = all.indexOf(headEnd, Math.max(behindEmptyLines(all, 0), kept - 3))
    if (found >= 0) {
      this.#partial.keep(all.subarray(0, found + 4))
      return at + found + 4 - kept
    }
    this.#at = taken
    this.#keep(all, kept)
    if (all.length >= longestHead) throw new NotHttp('a head that is too long')
    return -1
  }

  /** @param known so many of them were looked at before */
  #keep(all: Buffer, known: number): void {
    this.#partial.keep(all)
    // Who takes a mere LF for the end of a line may take two of them for the end of the head, and then nothing more comes.
    for (let at = all.indexOf(lf, known); at >= 0; at = all.indexOf(lf, at + 1))
      if (all[at - 1] !== cr) throw new NotHttp('line ends that are none of HTTP')
    if (this.#isLikely) return
    const start = all.toString('latin1', 0, Math.min(all.length, 8192))
    if (!this.#owner.mayBecome(start)) throw new NotHttp('it does not begin as HTTP/1 does')
    this.#isLikely = start.trimStart().includes('\r\n')
  }

  /** A whole head ends at `end` of `bytes`. @returns up to where it, and its body, were told */
  #begin(bytes: Buffer, at: number, end: number): number {
    const isKept = this.#partial.length > 0
    if (isKept) this.#at = end
    const length = isKept
      ? this.#owner.head(this.#partial.join(none), 0, this.#partial.length - 4)
      : this.#owner.head(bytes, at, end - 4)
    this.#isLikely = false
    if (length === 'until-end') this.#isUntilEnd = true
    else if (length === 'chunked') this.#chunks = new Chunks()
    else if (length > 0) this.#left = length
    if (isKept) {
      this.#owner.bytes(this.takePartial()!)
      return end
    }
    const told = this.isWithinBody ? this.#bodyEnd(bytes, end) : end
    this.#owner.bytes(at === 0 && told === bytes.length ? bytes : bytes.subarray(at, told))
    this.#at = told
    if (this.#failure !== null) throw this.#failure
    return told
  }

  /** @returns up to where bytes belong to the body */
  #bodyEnd(bytes: Buffer, at: number): number {
    if (this.#isUntilEnd) return bytes.length
    if (this.#left !== null) {
      const taken = Math.min(this.#left, bytes.length - at)
      this.#left = taken === this.#left ? null : this.#left - taken
      return at + taken
    }
    const chunks = this.#chunks!
    const end = chunks.take(bytes, at)
    if (chunks.isOver) this.#chunks = null
    else if (chunks.problem !== null) this.#failure = new NotHttp(chunks.problem)
    return end
  }
}

const headEnd = Buffer.from('\r\n\r\n')
const none = Buffer.alloc(0)
/** Before a head, if somebody counts a line end to the body before it (RFC 9112, 2.2). */
const mostEmptyLines = 8

function behindEmptyLines(bytes: Buffer, from: number): number {
  let at = from
  while (at < from + 2 * mostEmptyLines && bytes[at] === cr && bytes[at + 1] === lf) at += 2
  return at
}

/** Reads chunks: their sizes, and past their bytes; then the trailers. */
class Chunks {
  isOver = false
  problem: string | null = null
  #state: 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'trailer-lf' =
    'size'
  #size = 0
  #digits = 0
  #lineLength = 0
  /** Of all that is neither sizes nor data. */
  #extra = 0

  /** @returns up to where the bytes belong to this body */
  take(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length) {
      if (this.#state === 'data') {
        const taken = Math.min(this.#size, bytes.length - at)
        this.#size -= taken
        at += taken
        if (this.#size > 0) return at
        this.#state = 'data-cr'
        continue
      }
      const isFine = this.#read(bytes[at]!)
      if (!isFine) return at
      at++
      if (this.isOver) return at
    }
    return at
  }

  #read(byte: number): boolean {
    switch (this.#state) {
      case 'size':
        return this.#readSize(byte)
      case 'extension':
        if (byte === cr) this.#state = 'size-lf'
        else if (byte === lf || byte === 0) return this.#fail('a line of chunks that ends in another way')
        else return this.#count()
        return true
      case 'size-lf':
        if (byte !== lf) return this.#fail('a line of chunks that ends in another way')
        this.#lineLength = 0
        this.#state = this.#size > 0 ? 'data' : 'trailer'
        return true
      case 'data-cr':
        if (byte !== cr) return this.#fail('a chunk that is longer than it says')
        this.#state = 'data-lf'
        return true
      case 'data-lf':
        if (byte !== lf) return this.#fail('a chunk that is longer than it says')
        this.#digits = 0
        this.#state = 'size'
        return true
      case 'trailer':
        if (byte === cr) this.#state = 'trailer-lf'
        else if (byte === lf || byte === 0) return this.#fail('a trailer that ends in another way')
        else {
          this.#lineLength++
          return this.#count()
        }
        return true
      case 'trailer-lf':
        if (byte !== lf) return this.#fail('a trailer that ends in another way')
        if (this.#lineLength === 0) this.isOver = true
        this.#lineLength = 0
        this.#state = 'trailer'
        return true
      default:
        return false
    }
  }

  #readSize(byte: number): boolean {
    const digit = hexOf(byte)
    if (digit >= 0) {
      // 13 digits are 2^52, a number that still counts one by one.
      if (++this.#digits > 13) return this.#fail('a chunk that is too long')
      this.#size = this.#size * 16 + digit
      return true
    }
    if (this.#digits === 0) return this.#fail('a chunk without a size')
    if (byte === cr) this.#state = 'size-lf'
    else if (byte === 0x3b || byte === 0x20 || byte === 0x09) this.#state = 'extension'
    else return this.#fail('a size of a chunk that is no number')
    return true
  }

  #count(): boolean {
    return ++this.#extra <= longestHead || this.#fail('too much between chunks')
  }

  #fail(problem: string): false {
    this.problem = problem
    return false
  }
}

const cr = 13
const lf = 10

function hexOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
