import { statementPlace, type MysqlCapabilities } from './mysql-capabilities.ts'
import type { MysqlFramer } from './mysql-framer.ts'
import type { MysqlReplyKind } from './mysql-reply.ts'
import type { RequestHead } from './protocol.ts'
import { statementName } from './sql-statement.ts'
import { StatementTexts } from './statement-texts.ts'

/** Where in a connection a request stands: what may answer it, and what is left to do if something else does. */
export type MysqlPhase = 'greeting' | 'login' | 'command' | 'file'

export interface MysqlDetail {
  readonly phase: MysqlPhase
  /** Of the last packet of the request so far; the reply's first has the next one. */
  readonly sequence: number
  readonly reply: MysqlReplyKind
  /** Number of the command; 0 where it is none. */
  readonly command: number
}

const commands: Readonly<Record<number, { verb: string; reply: MysqlReplyKind | 'none' | 'unending' }>> = {
  0x01: { verb: 'QUIT', reply: 'none' },
  0x02: { verb: 'USE', reply: 'single' },
  0x03: { verb: 'QUERY', reply: 'results' },
  0x04: { verb: 'FIELDS', reply: 'fields' },
  0x08: { verb: 'SHUTDOWN', reply: 'single' },
  0x09: { verb: 'STATISTICS', reply: 'single' },
  0x0a: { verb: 'PROCESSLIST', reply: 'results' },
  0x0c: { verb: 'KILL', reply: 'single' },
  0x0d: { verb: 'DEBUG', reply: 'single' },
  0x0e: { verb: 'PING', reply: 'single' },
  0x11: { verb: 'CHANGE_USER', reply: 'login' },
  0x12: { verb: 'REPLICATE', reply: 'unending' },
  0x13: { verb: 'REPLICATE', reply: 'unending' },
  0x15: { verb: 'REGISTER', reply: 'single' },
  0x16: { verb: 'PREPARE', reply: 'prepared' },
  0x17: { verb: 'EXECUTE', reply: 'results' },
  0x18: { verb: 'SEND_LONG_DATA', reply: 'none' },
  0x19: { verb: 'CLOSE', reply: 'none' },
  0x1a: { verb: 'RESET_STATEMENT', reply: 'single' },
  0x1b: { verb: 'SET_OPTION', reply: 'single' },
  0x1c: { verb: 'FETCH', reply: 'rows' },
  0x1e: { verb: 'REPLICATE', reply: 'unending' },
  0x1f: { verb: 'RESET', reply: 'single' },
  0x20: { verb: 'CLONE', reply: 'unending' },
  0xfa: { verb: 'EXECUTE', reply: 'results' },
}
const query = 0x03
const prepare = 0x16
const closeStatement = 0x19
const lastPrepared = 0xff_ff_ff_ff

/** Commands whose payload begins with the number of a statement. */
const ofStatement = new Set([0x17, 0x18, closeStatement, 0x1a, 0x1c, 0xfa])

/** A request of MySQL as rules see it. */
export class MysqlRequest implements RequestHead {
  readonly verb: string
  readonly path = null
  /** The statement, 16 KiB of it at most; that of a prepared one, 1,000 characters. */
  readonly text: string | null
  readonly label: string
  readonly replies: 0 | 1
  readonly detail: Readonly<Record<string, string | number>>
  readonly speaksFirst: boolean
  /** Goes on while the request does. */
  sequence: number

  constructor(
    about: Omit<MysqlDetail, 'sequence'> & {
      verb: string
      text: string | null
      label: string
      replies: 0 | 1
    },
    sequence: number,
  ) {
    const { phase, reply, command } = about
    this.verb = about.verb
    this.text = about.text
    this.label = about.label
    this.replies = about.replies
    this.speaksFirst = phase === 'greeting'
    this.sequence = sequence
    this.detail = Object.defineProperty({ phase, reply, command, sequence }, 'sequence', {
      get: () => this.sequence,
      enumerable: true,
    })
  }

  header(): undefined {
    return undefined
  }
}

/** What was said by a request's first packet, told from the command and the statements that were prepared. */
export class MysqlRequests {
  readonly #capabilities: MysqlCapabilities
  readonly #statements = new StatementTexts<number>()
  #latest: string | null = null

  constructor(capabilities: MysqlCapabilities) {
    this.#capabilities = capabilities
  }

  /** What the server says first: an answer to a request without bytes. */
  greeting(): MysqlRequest {
    return plain('greeting', 'CONNECT', 'greeting', -1)
  }

  login(packet: MysqlFramer): MysqlRequest {
    return plain('login', 'LOGIN', 'login', packet.sequence)
  }

  /** What a login asked for beyond its first packet. */
  authentication(packet: MysqlFramer): MysqlRequest {
    return plain('login', 'AUTH', 'login', packet.sequence)
  }

  /** The content of a file that a statement asked for. */
  file(packet: MysqlFramer): MysqlRequest {
    return plain('file', 'INFILE', 'results', packet.sequence)
  }

  /** Null: what follows is a stream without requests. */
  command({ head, sequence }: MysqlFramer): MysqlRequest | null {
    const code = head[0] ?? 0
    const known = commands[code] ?? { verb: 'COMMAND', reply: 'single' }
    const { verb, reply } = known
    if (reply === 'unending') return null
    const about = {
      phase: 'command' as const,
      command: code,
      reply: reply === 'none' ? ('single' as const) : reply,
      replies: reply === 'none' ? (0 as const) : (1 as const),
    }
    if (code === query) {
      const place = statementPlace(head, this.#capabilities)
      if (place === null) return new MysqlRequest({ ...about, verb, label: verb, text: null }, sequence)
      const text = head.toString('utf8', place)
      return new MysqlRequest({ ...about, ...statementName(text, '`'), text }, sequence)
    }
    const text = this.#textOf(code, head)
    const isNamed = text !== null && (code === prepare || ofStatement.has(code))
    const label = isNamed ? `${verb} ${statementName(text, '`').label}` : verb
    if (code === closeStatement && head.length >= 5) this.#statements.delete(head.readUInt32LE(1))
    return new MysqlRequest({ ...about, verb, text, label }, sequence)
  }

  /** The server has given a statement its number. */
  prepared(id: number, text: string): void {
    this.#statements.set(id, text)
  }

  #textOf(code: number, head: Buffer): string | null {
    if (code === prepare) return (this.#latest = head.toString('utf8', 1))
    if (!ofStatement.has(code) || head.length < 5) return null
    const id = head.readUInt32LE(1)
    return (id === lastPrepared ? this.#latest : this.#statements.get(id)) ?? null
  }
}

function plain(phase: MysqlPhase, verb: string, reply: MysqlReplyKind, sequence: number): MysqlRequest {
  return new MysqlRequest({ phase, reply, command: 0, verb, text: null, label: verb, replies: 1 }, sequence)
}
