const none = Buffer.alloc(0)

/** The first bytes of a payload that comes in pieces, of which no more is remembered. */
export class PayloadHead {
  /** Good until another payload begins, or the bytes that ended this one are given back. */
  bytes: Buffer = none
  /** `bytes` is all that it will be. */
  isKnown = false
  #wanted = 0
  #collected = 0
  #pieces: Buffer[] = []

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
    const missing = this.#wanted - this.#collected
    if (this.#collected === 0 && piece.length >= missing) {
      const head = piece.subarray(0, missing)
      this.bytes = isLast ? head : Buffer.from(head)
      this.isKnown = true
      return
    }
    const part = Buffer.from(piece.subarray(0, missing))
    this.#pieces.push(part)
    this.#collected += part.length
    if (this.#collected < this.#wanted) return
    this.bytes = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#collected = 0
    this.isKnown = true
  }
}
