const smallSize = 512
const largeSize = 64 * 1024
/** Free ones that are kept: 4 MiB of each. */
const smallKept = 8192
const largeKept = 64
/** While fewer are in use (32 MiB), who needed a large one keeps it for a while. */
const largeFreely = 512

/** Memory that sockets read into: most hold a small piece, those that carry much a large one. */
class ReadBuffers {
  readonly #small: Buffer[] = []
  readonly #large: Buffer[] = []
  #largeInUse = 0

  get isGenerous(): boolean {
    return this.#largeInUse < largeFreely
  }

  small(): Buffer {
    const free = this.#small.pop()
    if (free !== undefined) return free
    const slab = Buffer.allocUnsafeSlow(largeSize)
    for (let at = smallSize; at < largeSize; at += smallSize)
      this.#small.push(slab.subarray(at, at + smallSize))
    return slab.subarray(0, smallSize)
  }

  large(): Buffer {
    this.#largeInUse++
    return this.#large.pop() ?? Buffer.allocUnsafeSlow(largeSize)
  }

  /** Nobody reads into it any more, but its bytes are not yet written: see `giveBack`. */
  retire(buffer: Buffer): void {
    if (buffer.length === largeSize) this.#largeInUse--
  }

  /** A retired one that can be used again. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === largeSize) {
      if (this.#large.length < largeKept) this.#large.push(buffer)
    } else if (this.#small.length < smallKept) this.#small.push(buffer)
  }
}

export const readBuffers = new ReadBuffers()

export function isLarge(buffer: Buffer): boolean {
  return buffer.length === largeSize
}

/** Whether so few bytes would have fitted into a small one. */
export function isLittle(length: number): boolean {
  return length < smallSize
}
