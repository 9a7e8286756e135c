import { MetricsError } from './errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads what a ByteWriter wrote. Trusts nothing: every method throws {@link MetricsError} `METRICS_BAD_DELTA` rather
 * than to read past the end or to return a value that no writer writes.
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  byte(): number {
    if (this.isAtEnd) return this.fail('it ends too early')
    return this.#bytes[this.#offset++]!
  }

  /** A whole number from 0 to 2^53. */
  varint(): number {
    let value = 0
    let factor = 1
    for (let digit = 0; digit < 8; digit++) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value <= 2 ** 53 ? value : this.fail('a number is too large')
      factor *= 128
    }
    return this.fail('a number is too long')
  }

  /** A varint that counts things of at least one byte each: never more than there are bytes left. */
  size(): number {
    const size = this.varint()
    return size <= this.#bytes.length - this.#offset ? size : this.fail('a length exceeds the message')
  }

  /** Any number but NaN. */
  number(): number {
    const whole = this.varint()
    if (whole > 0) return whole - 1
    if (this.#bytes.length - this.#offset < 8) return this.fail('it ends too early')
    const value = this.#view.getFloat64(this.#offset, true)
    this.#offset += 8
    return Number.isNaN(value) ? this.fail('a figure is not a number') : value
  }

  /** A count: whole, 0 to 2^53. */
  count(): number {
    const value = this.number()
    return Number.isInteger(value) && value >= 0 && value <= 2 ** 53
      ? value
      : this.fail('a count is not whole')
  }

  text(): string {
    const length = this.size()
    const bytes = this.#bytes.subarray(this.#offset, this.#offset + length)
    this.#offset += length
    try {
      return utf8.decode(bytes)
    } catch {
      return this.fail('a text is not UTF-8')
    }
  }

  fail(problem: string): never {
    throw new MetricsError('METRICS_BAD_DELTA', this.#offset, problem)
  }
}
