/**
 * Where an answer ends: after this text or these bytes (which belong to it), after this many bytes, or where a function
 * says: it gets all that has come, and gives the length of the answer, or 0 while it is incomplete.
 */
export type Until = string | Uint8Array | number | ((received: Buffer) => number)

/** Bytes that have come and were not taken yet. */
export class ByteQueue {
  #chunks: Buffer[] = []
  #length = 0
  /** From where on an end mark is still to be looked for. */
  #searched = 0

  get length(): number {
    return this.#length
  }

  push(bytes: Buffer): void {
    this.#chunks.push(bytes)
    this.#length += bytes.length
  }

  /** The bytes up to an end; null while it has not come. The same end has to be asked for until it has. */
  take(until: Until): Buffer | null {
    const end = this.#endOf(until)
    if (end === null) return null
    const all = this.#joined()
    const rest = all.subarray(end)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#length = rest.length
    this.#searched = 0
    return all.subarray(0, end)
  }

  /** Everything, and begins anew. */
  takeAll(): Buffer {
    const all = this.#joined()
    this.#chunks = []
    this.#length = 0
    this.#searched = 0
    return all
  }

  #endOf(until: Until): number | null {
    if (typeof until === 'number') return this.#length >= until ? until : null
    if (typeof until === 'function') {
      const end = until(this.#joined())
      if (end === 0) return null
      if (Number.isInteger(end) && end > 0 && end <= this.#length) return end
      throw new RangeError(
        `until() gave ${String(end)}: it has to give the length of the answer, from 1 to what has come ` +
          `(${this.#length}), or 0 while it is incomplete`,
      )
    }
    const mark = typeof until === 'string' ? Buffer.from(until) : until
    if (this.#length < mark.length) return null
    const found = this.#joined().indexOf(mark, this.#searched)
    // A mark may begin at the end of what has come.
    if (found === -1) this.#searched = Math.max(0, this.#length - mark.length + 1)
    return found === -1 ? null : found + mark.length
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }
}
