import { lengthEncoded, type MysqlFramer } from './mysql-framer.ts'

/** What a command is answered with, as far as that decides where the answer ends. */
export type MysqlReplyKind = 'greeting' | 'login' | 'results' | 'prepared' | 'fields' | 'rows' | 'single'

const moreResultsExist = 0x0008
const cursorExists = 0x0040

type State = 'first' | 'columns' | 'end of columns' | 'rows' | 'parameters' | 'end of parameters' | 'fields'

/** Follows one reply packet by packet, to know which packet is its last. */
export class MysqlReply {
  readonly kind: MysqlReplyKind
  /** What the client is to send next, told by the last packet. */
  asks: 'authentication' | 'file' | null = null
  /** The last packet refused, or broke off, what was asked. */
  isError = false
  /** Number of the statement that was prepared. */
  prepared: number | null = null

  readonly #deprecatesEof: boolean
  #state: State
  /** Definitions that follow. */
  #left = 0
  /** Of columns, where those of parameters come first. */
  #columns = 0

  /** @param deprecatesEof both sides agreed that a list of definitions ends without a packet of its own */
  constructor(kind: MysqlReplyKind, deprecatesEof: boolean) {
    this.kind = kind
    this.#deprecatesEof = deprecatesEof
    this.#state = kind === 'rows' ? 'rows' : kind === 'fields' ? 'fields' : 'first'
  }

  /** Takes the next packet. @returns whether it was the last */
  take(packet: MysqlFramer): boolean {
    const { head } = packet
    const isError = head[0] === 0xff && this.#state !== 'columns' && this.#state !== 'parameters'
    // Code 0xffff: a report of progress (MariaDB), after which the reply goes on.
    if (isError && head[1] === 0xff && head[2] === 0xff) return false
    if (isError) {
      this.isError = true
      return true
    }
    switch (this.#state) {
      case 'first':
        return this.#first(packet)
      case 'parameters':
        if (--this.#left > 0) return false
        if (!this.#deprecatesEof) this.#state = 'end of parameters'
        else return this.#columnsFollow(this.#columns)
        return false
      case 'end of parameters':
        return this.#columnsFollow(this.#columns)
      case 'columns':
        if (--this.#left > 0) return false
        return this.#columnsOver()
      case 'end of columns':
        this.#state = 'rows'
        // A cursor's rows come when they are fetched; those of a statement that was prepared, when it is executed.
        return this.kind === 'prepared' || (statusOf(head, 3) & cursorExists) !== 0
      case 'fields':
        return this.#isEnd(packet)
      case 'rows':
        return this.#isEnd(packet) && this.#resultOver(this.#endStatus(head))
    }
  }

  #first({ head, length }: MysqlFramer): boolean {
    switch (this.kind) {
      case 'login':
        return this.#login(head, length)
      case 'prepared':
        return this.#prepared(head)
      case 'results':
        return this.#result(head)
      default:
        return true
    }
  }

  #login(head: Buffer, length: number): boolean {
    // More data of the method: 3 says that a cached password did, and that OK follows; all else asks the client.
    if (head[0] === 1 && head[1] === 3 && length === 2) return false
    if (head[0] !== 0) this.asks = 'authentication'
    return true
  }

  #prepared(head: Buffer): boolean {
    if (head.length < 9) return true
    this.prepared = head.readUInt32LE(1)
    this.#columns = head.readUInt16LE(5)
    this.#left = head.readUInt16LE(7)
    // Without definitions where both sides agreed to leave them out.
    if (head.length > 12 && head[12] === 0) return true
    if (this.#left === 0) return this.#columnsFollow(this.#columns)
    this.#state = 'parameters'
    return false
  }

  #result(head: Buffer): boolean {
    if (head[0] === 0) return this.#resultOver(okStatus(head))
    if (head[0] === 0xfb) {
      this.asks = 'file'
      return true
    }
    const count = lengthEncoded(head, 0)
    if (count === null) return true
    // A further byte says whether definitions follow, where both sides agreed that they may be left out.
    if (head[count.end] !== 0) return this.#columnsFollow(count.value)
    if (this.#deprecatesEof) this.#state = 'rows'
    else this.#state = 'end of columns'
    return false
  }

  #columnsFollow(count: number): boolean {
    if (count === 0) return true
    this.#left = count
    this.#state = 'columns'
    return false
  }

  #columnsOver(): boolean {
    if (!this.#deprecatesEof) {
      this.#state = 'end of columns'
      return false
    }
    this.#state = 'rows'
    return this.kind === 'prepared'
  }

  #resultOver(status: number): boolean {
    this.#state = 'first'
    return this.kind === 'rows' || (status & moreResultsExist) === 0
  }

  /** A row may begin with this byte, too: then it is longer than any end. */
  #isEnd({ head, length }: MysqlFramer): boolean {
    return head[0] === 0xfe && (this.#deprecatesEof ? length < 0xff_ff_ff : length < 9)
  }

  #endStatus(head: Buffer): number {
    return this.#deprecatesEof ? okStatus(head) : statusOf(head, 3)
  }
}

/** After the number of rows and the last number given. */
function okStatus(head: Buffer): number {
  const rows = lengthEncoded(head, 1)
  const id = rows === null ? null : lengthEncoded(head, rows.end)
  return id === null ? 0 : statusOf(head, id.end)
}

function statusOf(head: Buffer, at: number): number {
  return head.length >= at + 2 ? head.readUInt16LE(at) : 0
}
