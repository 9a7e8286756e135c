import { PayloadHead } from './payload-head.ts'

/** The length that a message tells of itself includes its own 4 bytes. */
const lengthBytes = 4
/** What a server accepts at most (1 GiB); more is no message. */
const longest = 0x3f_ff_ff_ff
/** The same of a message before the login. */
const longestUntyped = 10_000

/**
 * Reads one direction of Postgres' messages, split anywhere, and remembers no more of a message than its first bytes. The
 * messages before a client's login have no type.
 */
export class PostgresFramer {
  /** A letter; empty where the message has none. */
  type = ''
  /** The message is over with what was read last. */
  ended = false
  /** Type and length of the message are known. */
  isOpen = false
  /** What was read cannot be a message. */
  isBroken = false
  /** Whether the next message has a type. */
  typed: boolean

  readonly #most: number
  readonly #header = Buffer.alloc(lengthBytes + 1)
  readonly #payload = new PayloadHead()
  #wanted = 0
  #filled = 0
  #left = 0

  /** @param most bytes of a message that `head` holds */
  constructor(most: number, typed: boolean) {
    this.#most = most
    this.typed = typed
    this.#begin()
  }

  /** First bytes behind type and length: good until the next `read`. */
  get head(): Buffer {
    return this.#payload.bytes
  }

  /** `head` is all that it will be. */
  get hasHead(): boolean {
    return this.#payload.isKnown
  }

  /**
   * Reads on, to the end of a message at most.
   *
   * @returns where it stopped: the end of a message (`ended`), or of the bytes
   */
  read(bytes: Buffer, from: number): number {
    if (this.ended) this.#begin()
    let at = from
    while (at < bytes.length && this.#filled < this.#wanted) this.#header[this.#filled++] = bytes[at++]!
    if (this.#filled < this.#wanted) return at
    if (!this.isOpen) this.#open()
    if (this.isBroken) return at
    const taken = Math.min(this.#left, bytes.length - at)
    if (taken > 0 && !this.#payload.isKnown)
      this.#payload.add(bytes.subarray(at, at + taken), taken === this.#left)
    this.#left -= taken
    this.ended = this.#left === 0
    return at + taken
  }

  #begin(): void {
    this.ended = false
    this.isOpen = false
    this.#payload.forget()
    this.#filled = 0
    this.#wanted = this.typed ? lengthBytes + 1 : lengthBytes
  }

  #open(): void {
    this.isOpen = true
    const hasType = this.#wanted > lengthBytes
    this.type = hasType ? String.fromCharCode(this.#header[0]!) : ''
    const length = this.#header.readUInt32BE(hasType ? 1 : 0)
    this.isBroken =
      length < lengthBytes ||
      length > (hasType ? longest : longestUntyped) ||
      (hasType && !/[A-Za-z1-3]/.test(this.type))
    this.#left = length - lengthBytes
    this.#payload.begin(Math.min(this.#most, Math.max(0, this.#left)))
  }
}

/** A message of a server. */
export function postgresMessage(type: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(lengthBytes + 1)
  header.write(type, 'latin1')
  header.writeUInt32BE(payload.length + lengthBytes, 1)
  return Buffer.concat([header, payload])
}
