import type { Flow, Stage } from '../faults/stage.ts'

const carriageReturn = 0x0d
const lineFeed = 0x0a
/** Of a line, what is looked at. */
const mostOfLine = 512

/** What follows a line of a reply: nothing, another line, or so many bytes. */
export type Following = 'nothing' | 'line' | number

/**
 * A reply made of lines and counted bytes ends too early, and the connection with it. `value`: the first counted bytes are cut
 * in their middle; where there are none, the last line before its end. `line`: the reply ends behind its first line where more
 * follows, else before the end of it.
 */
export class CutReply implements Stage {
  readonly #flow: Flow
  readonly #where: 'value' | 'line'
  readonly #following: (line: string) => Following
  #line = ''
  /** Of counted bytes, until the cut. */
  #bodyLeft: number | null = null
  #isCut = false

  constructor(flow: Flow, where: 'value' | 'line', following: (line: string) => Following) {
    this.#flow = flow
    this.#where = where
    this.#following = following
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
      const byte = bytes[at++]!
      if (byte === lineFeed) {
        this.#endLine(bytes, at)
      } else if (byte === carriageReturn) {
        if (this.#following(this.#line) === 'nothing') this.#cut(bytes, at - 1)
      } else if (this.#line.length < mostOfLine) {
        this.#line += String.fromCharCode(byte)
      }
    }
    if (!this.#isCut) this.#flow.pass(bytes)
  }

  onEnd(): void {
    if (!this.#isCut) this.#flow.end()
  }

  #endLine(bytes: Buffer, at: number): void {
    const following = this.#following(this.#line)
    this.#line = ''
    if (this.#where === 'line') {
      this.#cut(bytes, at)
    } else if (typeof following === 'number') {
      this.#bodyLeft = Math.floor(following / 2)
      if (this.#bodyLeft === 0) this.#cut(bytes, at)
    }
  }

  #cut(bytes: Buffer, at: number): void {
    this.#isCut = true
    if (at > 0) this.#flow.pass(bytes.subarray(0, at))
    this.#flow.close('fin')
  }
}
