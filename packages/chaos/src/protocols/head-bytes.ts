/**
 * Bytes of a message whose head is not complete yet, copied: what arrives is lent. What it gave is never written over, since
 * whoever was told of it may still have to send it.
 */
export class HeadBytes {
  #memory = none
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What is held and these behind it, in one piece. Nothing is copied while nothing is held. */
  join(bytes: Buffer): Buffer {
    if (this.#length === 0) return bytes
    const length = this.#length + bytes.length
    if (length > this.#memory.length) {
      // Twice as much as needed: who sends single bytes must not have us copy everything for each of them.
      const memory = Buffer.allocUnsafeSlow(2 * length)
      this.#memory.copy(memory, 0, 0, this.#length)
      this.#memory = memory
    }
    bytes.copy(this.#memory, this.#length)
    return this.#memory.subarray(0, length)
  }

  /** Holds these and nothing else; they may be the end of what `join` gave, or all of it. */
  keep(bytes: Buffer): void {
    this.#length = bytes.length
    if (bytes.length === 0) this.#memory = none
    else if (bytes.buffer !== this.#memory.buffer || bytes.byteOffset !== this.#memory.byteOffset)
      this.#memory = Buffer.from(bytes)
  }

  /** Holds these, too. */
  add(bytes: Buffer): void {
    this.keep(this.join(bytes))
  }

  /** Takes out what is held; null: nothing. */
  take(): Buffer | null {
    if (this.#length === 0) return null
    const bytes = this.#memory.subarray(0, this.#length)
    this.#memory = none
    this.#length = 0
    return bytes
  }
}

const none: Buffer = Buffer.alloc(0)
