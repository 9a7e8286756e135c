import type { RequestHead } from './protocol.ts'
import { statementName } from './sql-statement.ts'

/** Where in a connection a request stands: what may answer it, and what is left to do if something else does. */
export type PostgresPhase = 'encryption' | 'connect' | 'login' | 'command' | 'copy'

export interface PostgresDetail {
  readonly phase: PostgresPhase
  /** A reply ends with "ready", but where the client has only flushed its messages. */
  readonly isReady: boolean
  /** Within a transaction, as last told by the server. */
  readonly transaction: boolean
}

interface About {
  phase: PostgresPhase
  verb: string
  statement?: string | null
  replies?: 0 | 1
}

/** Whether the server is within a transaction. */
export interface Transaction {
  isOpen: boolean
}

/** A request of Postgres as rules see it: all messages up to Sync or Flush, or one that is a request by itself. */
export class PostgresRequest implements RequestHead {
  readonly verb: string
  readonly path = null
  /** The statement, 16 KiB of it at most; that of a prepared one, 1,000 characters. */
  readonly text: string | null
  readonly label: string
  readonly replies: 0 | 1
  readonly detail: Readonly<Record<string, string | boolean>>
  /** By what it ended; null: it goes on. */
  end: 'sync' | 'flush' | null = null
  /** Of its messages, those that were not answered yet. */
  unanswered = 0

  constructor({ phase, verb, statement = null, replies = 1 }: About, transaction: Transaction) {
    const name = statement === null ? null : statementName(statement, '"')
    this.verb = name !== null && verb === '' ? name.verb : verb
    this.text = statement
    this.label = name === null || verb === '' ? (name?.label ?? verb) : `${verb} ${name.label}`
    this.replies = replies
    const isReady = (): boolean => this.end !== 'flush'
    this.detail = {
      phase,
      get isReady() {
        return isReady()
      },
      get transaction() {
        return transaction.isOpen
      },
    }
  }

  header(): undefined {
    return undefined
  }
}
