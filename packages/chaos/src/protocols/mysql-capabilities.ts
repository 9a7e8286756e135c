import { lengthEncoded } from './mysql-framer.ts'

const compress = 1 << 5
const protocol41 = 1 << 9
const ssl = 1 << 11
const deprecateEof = 1 << 24
const compressZstd = 1 << 26
const queryAttributes = 1 << 27

/** Length of a login that only asks for TLS, and then begins again in it. */
const sslRequestLength = 32

/** What both sides of a connection agreed upon. */
export class MysqlCapabilities {
  #server = -1
  #client = 0

  get compresses(): boolean {
    return this.#has(compress) || this.#has(compressZstd)
  }

  get deprecatesEof(): boolean {
    return this.#has(deprecateEof)
  }

  get hasQueryAttributes(): boolean {
    return this.#has(queryAttributes)
  }

  /** @param head payload of the server's greeting. @returns false: it is none of version 10 */
  readGreeting(head: Buffer): boolean {
    const end = head[0] === 10 ? head.indexOf(0, 1) : -1
    // Connection id, 8 bytes of data, a filler; language and status between both halves.
    const low = end + 1 + 4 + 8 + 1
    if (end < 0 || head.length < low + 2) return false
    const isLong = head.length >= low + 7
    this.#server = head.readUInt16LE(low) | (isLong ? head.readUInt16LE(low + 5) << 16 : 0)
    return true
  }

  /**
   * @param head payload of the client's login
   * @returns why nothing after it can be understood; null: it can
   */
  readLogin(head: Buffer, length: number): string | null {
    if (head.length < 4) return 'not MySQL'
    this.#client = head.readInt32LE(0)
    if ((this.#client & protocol41) === 0) return 'a protocol older than MySQL 4.1'
    return length === sslRequestLength && this.#has(ssl) ? 'TLS' : null
  }

  #has(flag: number): boolean {
    return (this.#client & this.#server & flag) !== 0
  }
}

/** Where the statement begins in a query. Null: it has attributes, behind which the place of the statement is not known. */
export function statementPlace(head: Buffer, capabilities: MysqlCapabilities): number | null {
  if (!capabilities.hasQueryAttributes) return 1
  const count = lengthEncoded(head, 1)
  if (count === null || count.value > 0) return null
  return lengthEncoded(head, count.end)?.end ?? null
}
