import type { Flow, Stage } from '../faults/stage.ts'

const carriageReturn = 0x0d
const lineFeed = 0x0a
/** Of a line, its type and number: more tells nothing. */
const mostOfLine = 32

/** Array, set, push, map, attribute: what follows is the first element. */
const isOpening = /^[*~>%|](?:\d*[1-9]\d*|\?)$/
const isBulk = /^[$!=;](\d+)$/

/**
 * A reply of Redis that ends too early, and the connection with it. `value`: in its first value that is no array or the like,
 * a bulk string after half of its bytes, a line before its end. `line`: behind its first line where more follows, else before
 * the end of it.
 */
export class CutReply implements Stage {
  readonly #flow: Flow
  readonly #where: 'value' | 'line'
  #line = ''
  /** Of a bulk string, until the cut. */
  #bodyLeft: number | null = null
  #isCut = false

  constructor(flow: Flow, where: 'value' | 'line') {
    this.#flow = flow
    this.#where = where
  }

  onBytes(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length && !this.#isCut) {
      if (this.#bodyLeft !== null) {
        const taken = Math.min(bytes.length - at, this.#bodyLeft)
        at += taken
        this.#bodyLeft -= taken
        if (this.#bodyLeft === 0) this.#cut(bytes, at)
        continue
      }
      const byte = bytes[at]!
      if (byte === lineFeed) {
        at++
        this.#endLine(bytes, at)
      } else {
        if (byte === carriageReturn && !this.#isFollowed()) this.#cut(bytes, at)
        else if (byte !== carriageReturn && this.#line.length < mostOfLine)
          this.#line += String.fromCharCode(byte)
        at++
      }
    }
    if (!this.#isCut) this.#flow.pass(bytes)
  }

  onEnd(): void {
    this.#flow.end()
  }

  /** Whether more than this line belongs to the value. */
  #isFollowed(): boolean {
    return isOpening.test(this.#line) || isBulk.test(this.#line) || this.#line === '$?'
  }

  #endLine(bytes: Buffer, at: number): void {
    const length = isBulk.exec(this.#line)?.[1]
    this.#line = ''
    if (this.#where === 'line') {
      this.#cut(bytes, at)
    } else if (length !== undefined) {
      this.#bodyLeft = Math.floor(Number(length) / 2)
      if (this.#bodyLeft === 0) this.#cut(bytes, at)
    }
  }

  #cut(bytes: Buffer, at: number): void {
    this.#isCut = true
    if (at > 0) this.#flow.pass(bytes.subarray(0, at))
    this.#flow.close('fin')
  }
}
