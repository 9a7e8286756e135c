/** Appends numbers and texts to a growing buffer. Its memory is reused from one message to the next. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafeSlow(1024)
  #length = 0

  /** A copy of what was written; the writer is empty again. */
  take(): Uint8Array {
    const bytes = Uint8Array.prototype.slice.call(this.#buffer, 0, this.#length)
    this.#length = 0
    return new Uint8Array(bytes.buffer)
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  /** A whole number from 0 to 2^53, seven bits per byte, lowest first. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    // Bit operations hold 32 bits only, so what is above is divided off first.
    while (rest >= 0x1000_0000) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#buffer[this.#length++] = rest
  }

  /** Any number: whole ones from 0 to 2^53 - 1 as a varint plus one, all others as a zero and eight bytes. */
  number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0) {
      this.varint(value + 1)
      return
    }
    this.#reserve(9)
    this.#buffer[this.#length++] = 0
    this.#buffer.writeDoubleLE(value, this.#length)
    this.#length += 8
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value, 'utf8')
    this.varint(bytes)
    this.#reserve(bytes)
    this.#length += this.#buffer.write(value, this.#length, 'utf8')
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
