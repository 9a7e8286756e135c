/** A body that arrives in pieces: one buffer that doubles, so that a million tiny pieces cost no more than a few big ones. */
export class BodyBuffer {
  #bytes: Buffer
  length = 0

  /** @param expected bytes that are announced; only so much is taken at once that a lie about them is harmless */
  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafe(Math.min(Math.max(expected, 1024), 1024 * 1024))
  }

  append(source: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.length))
      this.#bytes = larger
    }
    this.#bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end), this.length)
    this.length = needed
  }

  /** What has arrived. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }
}
