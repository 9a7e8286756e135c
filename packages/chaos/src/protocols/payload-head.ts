import { HeadBytes } from './head-bytes.ts'

const none = Buffer.alloc(0)

/** The first bytes of a payload that comes in pieces, of which no more is remembered. */
export class PayloadHead {
  /** Good until another payload begins, or the bytes that ended this one are given back. */
  bytes: Buffer = none
  /** `bytes` is all that it will be. */
  isKnown = false
  #wanted = 0
  readonly #held = new HeadBytes()

  /** @param wanted bytes, of which the payload has no fewer */
  begin(wanted: number): void {
    this.bytes = none
    this.#wanted = wanted
    this.isKnown = wanted === 0
  }

  /** A payload is over, or has not begun. */
  forget(): void {
    this.isKnown = false
  }

  /** @param isLast the payload ends with it: then a view will do */
  add(piece: Buffer, isLast: boolean): void {
    const missing = this.#wanted - this.#held.length
    const part = piece.subarray(0, missing)
    if (part.length < missing) {
      this.#held.add(part)
      return
    }
    this.bytes = this.#held.length > 0 || isLast ? this.#held.join(part) : Buffer.from(part)
    this.#held.take()
    this.isKnown = true
  }
}
