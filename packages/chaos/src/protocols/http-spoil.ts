import type { Flow, Stage } from '../faults/stage.ts'
import { HeadBytes } from './head-bytes.ts'
import { longestHead } from './http-framer.ts'

export type SpoilMode = 'truncate' | 'slow_headers' | 'slow_body' | 'malformed_chunk' | 'wrong_length'

interface Spoil {
  mode: SpoilMode
  /** False: the reply to a HEAD. */
  hasBody: boolean
  /** Of the body that truncate lets through; null: half of its length. */
  bytes: number | null
  piece: number
  pauseMs: number
}

/** A reply of HTTP that is cut, slow or wrong. Where there is no body to spoil, the head is cut. */
export function spoiled(spoil: Spoil): (flow: Flow) => Stage {
  return (flow) => new SpoiledReply(flow, spoil)
}

/** A length that no reply has. */
const hugeLength = 2 ** 40

class SpoiledReply implements Stage {
  readonly #flow: Flow
  readonly #spoil: Spoil
  /** Null: it has passed. */
  #head: HeadBytes | null = new HeadBytes()
  /** Bytes of the body that pass before the cut; null: no limit. */
  #left: number | null = null
  #closesAtEnd = false
  readonly #waiting: { bytes: Buffer; step: number }[] = []
  #isWaiting = false
  #isSlow = false
  #hasEnd = false
  #isOver = false

  constructor(flow: Flow, spoil: Spoil) {
    this.#flow = flow
    this.#spoil = spoil
  }

  onBytes(bytes: Buffer): void {
    if (this.#isOver) return
    if (this.#head === null) {
      this.#body(bytes)
      return
    }
    const whole = this.#head.join(bytes)
    const end = whole.indexOf('\r\n\r\n')
    if (end < 0 && whole.length <= longestHead) {
      this.#head.keep(whole)
      return
    }
    this.#head = null
    if (end < 0) {
      this.#flow.pass(whole)
      return
    }
    this.#begin(whole.subarray(0, end + 4))
    if (whole.length > end + 4 && !this.#isOver) this.#body(whole.subarray(end + 4))
  }

  onEnd(): void {
    if (this.#isOver) return
    const begun = this.#head?.take() ?? null
    if (begun !== null) this.#flow.pass(begun)
    this.#hasEnd = true
    if (this.#waiting.length === 0) this.#finish()
  }

  onRemove(): void {
    for (const { bytes } of this.#waiting) this.#flow.pass(bytes)
  }

  #begin(head: Buffer): void {
    const { mode, hasBody, bytes } = this.#spoil
    const text = head.toString('latin1')
    const status = Number(text.slice(9, 12))
    const length = lengthIn(text)
    const isEmpty = !hasBody || status === 204 || status === 304 || length === 0
    switch (mode) {
      case 'slow_headers':
        this.#isSlow = true
        this.#later(head)
        this.#isSlow = false
        return
      case 'slow_body':
        this.#flow.pass(head)
        this.#isSlow = true
        return
      default:
    }
    if (isEmpty) {
      this.#cut(head.subarray(0, -2))
      return
    }
    if (mode === 'truncate') {
      this.#flow.pass(head)
      this.#left = bytes ?? (length === null ? 0 : Math.floor(length / 2))
      // Of a whole body there must be something to cut.
      if (length !== null) this.#left = Math.min(this.#left, length - 1)
      if (this.#left === 0) this.#cut(null)
    } else if (mode === 'malformed_chunk') {
      this.#cut(
        Buffer.concat([
          Buffer.from(reframed(text, 'Transfer-Encoding: chunked'), 'latin1'),
          Buffer.from('no-size\r\n'),
        ]),
      )
    } else {
      const told = length === null ? hugeLength : length + 1
      this.#flow.pass(Buffer.from(reframed(text, `Content-Length: ${told}`), 'latin1'))
      this.#closesAtEnd = true
    }
  }

  #body(bytes: Buffer): void {
    if (this.#left !== null && bytes.length >= this.#left) this.#cut(bytes.subarray(0, this.#left))
    else {
      if (this.#left !== null) this.#left -= bytes.length
      if (this.#isSlow || this.#waiting.length > 0) this.#later(bytes)
      else this.#flow.pass(bytes)
    }
  }

  /** Passes on what there is, then no more. */
  #cut(last: Buffer | null): void {
    if (last !== null && last.length > 0) this.#flow.pass(last)
    this.#isOver = true
    this.#flow.close('fin')
  }

  /** In pieces, with pauses before all but the first. What is not to be slow waits for its turn alone. */
  #later(bytes: Buffer): void {
    this.#waiting.push({
      bytes: this.#flow.hold(bytes),
      step: this.#isSlow ? this.#spoil.piece : bytes.length,
    })
    if (!this.#isWaiting) this.#next()
  }

  #next(): void {
    this.#isWaiting = false
    const first = this.#waiting[0]
    if (first !== undefined) {
      const piece = first.bytes.subarray(0, first.step)
      first.bytes = first.bytes.subarray(piece.length)
      if (first.bytes.length === 0) this.#waiting.shift()
      this.#flow.release(piece.length)
      this.#flow.pass(piece)
    }
    if (this.#waiting.length > 0) {
      this.#isWaiting = true
      this.#flow.after(this.#spoil.pauseMs, () => this.#next())
    } else if (this.#hasEnd) this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#closesAtEnd || this.#left !== null) this.#flow.close('fin')
    else this.#flow.end()
  }
}

/** The length that a head tells; null: none. */
function lengthIn(head: string): number | null {
  const found = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)
  return found === null ? null : Number(found[1])
}

/** A head with another framing. */
function reframed(head: string, field: string): string {
  const kept = head.slice(0, -2).replace(/\r\n(?:content-length|transfer-encoding):[^\r\n]*/gi, '')
  return `${kept}${field}\r\n\r\n`
}
