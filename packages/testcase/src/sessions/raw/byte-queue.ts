/**
 * Where an answer ends: after this text or these bytes (which belong to it), after this many bytes, or where a function
 * says: it gets all that has come, and gives the length of the answer, or 0 while it is incomplete.
 */
export type Until = string | Uint8Array | number | ((received: Buffer) => number)

const nothing = Buffer.alloc(0)

/** Bytes that have come and were not taken yet. */
export class ByteQueue {
  /** What waits is from `#start` to `#end`; what is before was given away and is never written again. */
  #buffer: Buffer = nothing
  #start = 0
  #end = 0
  /** The buffer is our own: there may be room behind the end. */
  #own = false
  /** How much of what waits has no end mark in it. */
  #searched = 0

  get length(): number {
    return this.#end - this.#start
  }

  push(bytes: Buffer): void {
    if (this.length === 0) {
      // Most answers come in one piece, which is not copied.
      this.#buffer = bytes
      this.#start = 0
      this.#end = bytes.length
      this.#own = false
      return
    }
    if (!this.#own || this.#end + bytes.length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * (this.length + bytes.length))
      this.#end = this.#buffer.copy(larger, 0, this.#start, this.#end)
      this.#start = 0
      this.#buffer = larger
      this.#own = true
    }
    this.#end += bytes.copy(this.#buffer, this.#end)
  }

  /** The bytes up to an end; null while it has not come. The same end has to be asked for until it has. */
  take(until: Until): Buffer | null {
    const length = this.#lengthTo(until)
    if (length === null) return null
    const taken = this.#buffer.subarray(this.#start, this.#start + length)
    this.#start += length
    this.#searched = 0
    return taken
  }

  /** Another end will be asked for. */
  searchAnew(): void {
    this.#searched = 0
  }

  #lengthTo(until: Until): number | null {
    if (typeof until === 'number') return this.length >= until ? until : null
    const waiting = this.#buffer.subarray(this.#start, this.#end)
    if (typeof until === 'function') {
      const length = until(waiting)
      if (length === 0) return null
      if (Number.isInteger(length) && length > 0 && length <= waiting.length) return length
      throw new RangeError(
        `until() gave ${String(length)}: it has to give the length of the answer, from 1 to what has come ` +
          `(${waiting.length}), or 0 while it is incomplete`,
      )
    }
    const mark = typeof until === 'string' ? Buffer.from(until) : until
    const found = waiting.indexOf(mark, this.#searched)
    // A mark may begin at the end of what has come.
    if (found === -1) this.#searched = Math.max(0, waiting.length - mark.length + 1)
    return found === -1 ? null : found + mark.length
  }
}
