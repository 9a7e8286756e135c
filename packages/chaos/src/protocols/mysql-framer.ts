import { PayloadHead } from './payload-head.ts'

/** A packet is 4 bytes of header and at most this much; a longer payload goes on in the next packet. */
const fullPayload = 0xff_ff_ff
const headerLength = 4

/**
 * Reads one direction of MySQL's packets, split anywhere, and remembers no more of a payload than its first bytes. Packets that
 * continue each other are one.
 */
export class MysqlFramer {
  /** Of the whole payload as far as it is known: continuing packets are added as they come. */
  length = 0
  /** Of the last packet. */
  sequence = 0
  /** The packet is over with what was read last. */
  ended = false

  readonly #most: number
  readonly #header = Buffer.alloc(headerLength)
  #headerFilled = 0
  /** Of the payload of this packet, continuing ones apart. */
  #left = 0
  #isFull = false
  readonly #payload = new PayloadHead()

  /** @param most bytes of a payload that `head` holds */
  constructor(most: number) {
    this.#most = most
  }

  /** First bytes of the payload: good until the next `read`. */
  get head(): Buffer {
    return this.#payload.bytes
  }

  /** `head` is all that it will be. */
  get hasHead(): boolean {
    return this.#payload.isKnown
  }

  /**
   * Reads on, to the end of a packet at most.
   *
   * @returns where it stopped: the end of a packet (`ended`), or of the bytes
   */
  read(bytes: Buffer, from: number): number {
    let at = from
    if (this.ended) this.#begin()
    while (at < bytes.length || this.#isAtEnd()) {
      if (this.#headerFilled < headerLength) {
        this.#header[this.#headerFilled++] = bytes[at++]!
        if (this.#headerFilled === headerLength) this.#openPacket()
      } else if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at)
        if (!this.#payload.isKnown)
          this.#payload.add(bytes.subarray(at, at + taken), taken === this.#left && !this.#isFull)
        this.#left -= taken
        at += taken
      } else if (this.#isFull) {
        this.#headerFilled = 0
        this.#isFull = false
      } else {
        this.ended = true
        return at
      }
    }
    return at
  }

  #begin(): void {
    this.ended = false
    this.#payload.forget()
    this.length = 0
    this.#headerFilled = 0
  }

  /** What ends without a further byte: an empty packet, or one whose last byte was just read. */
  #isAtEnd(): boolean {
    return this.#headerFilled === headerLength && this.#left === 0 && !this.#isFull
  }

  #openPacket(): void {
    this.#left = this.#header.readUIntLE(0, 3)
    this.#isFull = this.#left === fullPayload
    this.sequence = this.#header[3]!
    if (this.length === 0) this.#payload.begin(Math.min(this.#most, this.#left))
    this.length += this.#left
  }
}

/** A packet with this payload. */
export function mysqlPacket(sequence: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(headerLength)
  header.writeUIntLE(payload.length, 0, 3)
  header[3] = sequence & 0xff
  return Buffer.concat([header, payload])
}

/** A length-encoded integer, and where it ends. Null: it is none, or is not all there. */
export function lengthEncoded(bytes: Buffer, at: number): { value: number; end: number } | null {
  const first = bytes[at]
  if (first === undefined || first === 0xfb || first === 0xff) return null
  if (first < 0xfb) return { value: first, end: at + 1 }
  const size = first === 0xfc ? 2 : first === 0xfd ? 3 : 8
  if (bytes.length < at + 1 + size) return null
  const value = size === 8 ? Number(bytes.readBigUInt64LE(at + 1)) : bytes.readUIntLE(at + 1, size)
  return { value, end: at + 1 + size }
}
