import { Fifo } from './fifo.ts'
import type { Flow } from './stage.ts'

/** What a stage holds unless it says otherwise. */
const usualBytes = 256 * 1024
/** What a buffer costs besides its bytes, roughly. */
export const costOfBuffer = 256
/** The cost is told once for so many buffers. */
const buffersAtOnce = 256

/** Bytes that a stage passes on later, in order, and the end behind them. */
export class HeldBytes {
  readonly #flow: Flow
  readonly #buffers = new Fifo<Buffer>()
  #most: number
  /** Of buffers, as last told to the flow. */
  #told = 0
  #length = 0
  #ended = false

  /** @param most bytes that should be held before reading stops; what buffers cost themselves is part of it */
  constructor(flow: Flow, most = usualBytes) {
    this.#flow = flow
    this.#most = most
    this.#tell()
  }

  get length(): number {
    return this.#length
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  allow(most: number): void {
    this.#most = most
    this.#tell()
  }

  push(bytes: Buffer): void {
    this.#buffers.push(this.#flow.hold(bytes))
    this.#length += bytes.length
    this.#weigh()
  }

  /** The end passes when nothing is held any more, which may be now. */
  end(): void {
    this.#ended = true
    this.#endIfDone()
  }

  /** Passes on the first buffer, or so many bytes of it. @returns how many */
  passFirst(most = Number.MAX_SAFE_INTEGER): number {
    const first = this.#buffers.first
    if (first === undefined) return 0
    const piece = first.length <= most ? first : first.subarray(0, most)
    if (piece === first) this.#buffers.shift()
    else this.#buffers.replaceFirst(first.subarray(most))
    this.#length -= piece.length
    this.#flow.pass(piece)
    this.#flow.release(piece.length)
    this.#weigh()
    this.#endIfDone()
    return piece.length
  }

  /** Passes on so many bytes, or all. */
  pass(bytes = this.#length): void {
    let left = bytes
    while (left > 0 && this.#length > 0) left -= this.passFirst(left)
  }

  #endIfDone(): void {
    if (!this.#ended || this.#length > 0) return
    this.#ended = false
    this.#flow.end()
  }

  /** A flood of tiny pieces is bounded by what it takes, not by its bytes alone. */
  #weigh(): void {
    if (Math.abs(this.#buffers.length - this.#told) >= buffersAtOnce) this.#tell()
  }

  #tell(): void {
    this.#told = this.#buffers.length
    this.#flow.allow(Math.max(1, this.#most - this.#told * costOfBuffer))
  }
}
