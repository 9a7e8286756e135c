/** Bytes of large reads in one turn of the event loop, all connections together: some milliseconds of work. */
const bytesOfTurn = 4 * 1024 * 1024
/** What one more of those that wait may be expected to read. */
const bytesOfOne = 64 * 1024
/** Less is not counted: the kernel had no more for that connection. */
const least = 16 * 1024

interface Reader {
  /** Goes on reading, if it still wants to. */
  goOn(): void
}

/**
 * Who reads much takes turns with the others: without it a turn of the event loop could be as long as all that the kernel holds
 * for a thousand connections, and new connections and calls of the control API would wait for it.
 */
class ReadTurns {
  #left = bytesOfTurn
  #waiting: Reader[] = []
  #isTurning = false
  readonly #turn = () => this.#next()

  /** @returns whether the reader may go on in this turn; else it is called in one of the next */
  mayGoOn(reader: Reader, length: number): boolean {
    if (length >= least) {
      this.#left -= length
      this.#begin()
    }
    if (this.#left > 0) return true
    this.#waiting.push(reader)
    return false
  }

  #begin(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    setImmediate(this.#turn)
  }

  #next(): void {
    this.#isTurning = false
    this.#left = bytesOfTurn
    const next = this.#waiting.splice(0, bytesOfTurn / bytesOfOne)
    if (this.#waiting.length > 0) this.#begin()
    for (const reader of next) reader.goOn()
  }
}

export const readTurns = new ReadTurns()
