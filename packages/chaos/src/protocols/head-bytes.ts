/** Bytes of a message whose head is not complete yet, copied: what arrives is lent. */
export class HeadBytes {
  #memory = none
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What is held and these behind it, in one piece; valid until the next call. Nothing is copied while nothing is held. */
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

  /** Holds these and nothing else; they may be a part of what `join` gave. */
  keep(bytes: Buffer): void {
    this.#length = bytes.length
    if (bytes.length === 0) this.#memory = none
    // Room that is far too large is given back: there may be thousands of connections that wait with half a head.
    else if (this.#owns(bytes) && 8 * bytes.length >= this.#memory.length) bytes.copy(this.#memory, 0)
    else this.#memory = Buffer.from(bytes)
  }

  /** Takes out what is held; null: nothing. */
  take(): Buffer | null {
    if (this.#length === 0) return null
    const bytes = this.#memory.subarray(0, this.#length)
    this.#memory = none
    this.#length = 0
    return bytes
  }

  #owns({ buffer, byteOffset }: Buffer): boolean {
    const { buffer: own, byteOffset: from, length } = this.#memory
    return buffer === own && byteOffset >= from && byteOffset < from + length
  }
}

const none: Buffer = Buffer.alloc(0)
