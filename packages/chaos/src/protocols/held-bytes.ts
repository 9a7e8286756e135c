/** Bytes of a message that were lent before it was known what they are. */
export class HeldBytes {
  length = 0
  #pieces: Buffer[] = []

  /** A copy, behind what is held already. */
  keep(lent: Buffer): void {
    if (lent.length === 0) return
    this.#pieces.push(Buffer.from(lent))
    this.length += lent.length
  }

  /** All, and none is held any more; null: nothing was. */
  take(): Buffer | null {
    if (this.length === 0) return null
    const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.length = 0
    return all
  }

  /** All with what follows it, and none is held any more. Without a copy where nothing was. */
  join(following: Buffer): Buffer {
    const held = this.take()
    return held === null ? following : Buffer.concat([held, following])
  }
}
