/**
 * Joins pieces that lie side by side in memory, so that what was read at once and cut into messages is written at once. Bytes
 * are lent until `flush`.
 */
export class Gather {
  readonly #out: (bytes: Buffer) => void
  #first: Buffer | null = null
  #length = 0

  constructor(out: (bytes: Buffer) => void) {
    this.#out = out
  }

  add(bytes: Buffer): void {
    const first = this.#first
    if (first !== null) {
      if (first.buffer === bytes.buffer && first.byteOffset + this.#length === bytes.byteOffset) {
        this.#length += bytes.length
        return
      }
      this.flush()
    }
    this.#first = bytes
    this.#length = bytes.length
  }

  flush(): void {
    const first = this.#first
    if (first === null) return
    this.#first = null
    this.#out(
      this.#length === first.length ? first : Buffer.from(first.buffer, first.byteOffset, this.#length),
    )
  }

  drop(): void {
    this.#first = null
  }
}
