const carriageReturn = 0x0d
const lineFeed = 0x0a
const dot = 0x2e
const hyphen = 0x2d

/** Finds the line with a single dot that ends a message, split anywhere. Only CR LF ends a line of a message. */
export class SmtpBodyFramer {
  /** How much of CR LF . CR LF has come; a message begins behind the end of a line. */
  #matched = 2

  /** @returns where the message ends; -1: not in these bytes */
  scan(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      if (this.#matched === 0) {
        at = bytes.indexOf(carriageReturn, at)
        if (at === -1) return -1
      }
      const byte = bytes[at]
      if (byte === carriageReturn) this.#matched = this.#matched === 3 ? 4 : 1
      else if (byte === lineFeed && this.#matched === 4) return at + 1
      else if (byte === lineFeed && this.#matched === 1) this.#matched = 2
      else this.#matched = byte === dot && this.#matched === 2 ? 3 : 0
    }
    return -1
  }
}

/** Reads replies of one line or several, split anywhere. */
export class SmtpReplyFramer {
  /** Of the last line that has ended; null: that line was none of a reply. */
  code: number | null = null
  /** The last read ended a reply, or found that it is none. */
  ended = false
  readonly #prefix = Buffer.alloc(4)
  #length = 0

  /** Reads on, to the end of a reply at most. @returns where it stopped */
  read(bytes: Buffer, from: number): number {
    this.ended = false
    let at = from
    while (at < bytes.length) {
      const end = bytes.indexOf(lineFeed, at)
      const stop = end === -1 ? bytes.length : end
      if (this.#length < 4) bytes.copy(this.#prefix, this.#length, at, stop)
      this.#length += stop - at
      at = stop
      if (end === -1) return at
      at++
      this.#endLine()
      if (this.ended) return at
    }
    return at
  }

  /** Bytes of the line that has not ended. */
  get length(): number {
    return this.#length
  }

  #endLine(): void {
    const digits = this.#length < 3 ? '' : this.#prefix.toString('latin1', 0, 3)
    this.code = /^[2-5]\d\d$/.test(digits) ? Number(digits) : null
    const goesOn = this.#length > 3 && this.#prefix[3] === hyphen
    this.ended = this.code === null || !goesOn
    this.#length = 0
  }
}
