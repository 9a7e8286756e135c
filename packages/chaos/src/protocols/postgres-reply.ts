import type { PostgresFramer } from './postgres-framer.ts'
import type { PostgresRequest } from './postgres-request.ts'

/** Answers to a single message of a request of several. */
const completing = new Set(['1', '2', '3', 'C', 'I', 's', 'n', 'T'])

const waitsForPassword = new Set([2, 3, 5, 6, 7, 8, 9, 10, 11])

/** Follows one reply message by message, to know which one is its last. */
export class PostgresReply {
  /** Null: nobody asked, each message is one. */
  readonly to: PostgresRequest | null
  /** The server waits for data that it is to copy. */
  copies = false
  /** From here on both sides send data. */
  isCopyBoth = false
  /** An error was told. */
  hasFailed = false
  /** As the server says when it is ready; null: it did not say. */
  isInTransaction: boolean | null = null

  constructor(to: PostgresRequest | null) {
    this.to = to
  }

  /** Whether all messages before a Flush are answered. */
  get isFlushed(): boolean {
    return this.to?.end === 'flush' && this.to.unanswered === 0
  }

  /** Takes the next message. @returns whether it was the last */
  take({ type, head }: PostgresFramer): boolean {
    const { to } = this
    if (type === 'Z') {
      this.isInTransaction = head[0] === 0x54 || head[0] === 0x45
      return true
    }
    if (to === null) return true
    const phase = to.detail['phase']
    switch (type) {
      case 'R':
        return head.length >= 4 && waitsForPassword.has(head.readUInt32BE(0))
      case 'E':
        this.hasFailed = true
        // A login that has failed is over, with the connection; otherwise "ready" follows a Sync.
        return phase !== 'command' && phase !== 'copy' ? true : to.end === 'flush'
      case 'G':
        this.copies = true
        return true
      case 'W':
        this.isCopyBoth = true
        return true
      default:
        if (!completing.has(type)) return false
        if (to.unanswered > 0) to.unanswered--
        return this.isFlushed
    }
  }
}
