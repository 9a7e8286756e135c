import { text, words } from '../attributes.ts'
import { defineFault } from '../faults/definition.ts'
import { cutBytes, cutReply, errorMode, namesVerbs, type ErrorMode } from './error-mode.ts'
import type { Exchange, Treatment } from './exchange.ts'
import { mysqlPacket } from './mysql-framer.ts'
import type { MysqlDetail, MysqlPhase } from './mysql-requests.ts'
import type { RequestHead } from './protocol.ts'

interface MysqlErrorAttributes {
  codes: readonly string[]
  message: string
  mode: ErrorMode
  bytes: number
}

interface KnownCode {
  sqlState: string
  text: string
  /** Where a server says it. */
  phases: readonly MysqlPhase[]
  /** The server closes the connection after it. */
  closes?: true
}

const command = ['command'] as const
const known: Readonly<Record<number, KnownCode>> = {
  1040: { sqlState: '08004', text: 'Too many connections', phases: ['greeting'] },
  1045: { sqlState: '28000', text: 'Access denied', phases: ['login'] },
  1049: { sqlState: '42000', text: 'Unknown database', phases: ['login', 'command'] },
  1053: { sqlState: '08S01', text: 'Server shutdown in progress', phases: command, closes: true },
  1064: { sqlState: '42000', text: 'You have an error in your SQL syntax', phases: command },
  1129: {
    sqlState: 'HY000',
    text: 'Host is blocked because of many connection errors',
    phases: ['greeting'],
  },
  1130: { sqlState: 'HY000', text: 'Host is not allowed to connect to this server', phases: ['greeting'] },
  1146: { sqlState: '42S02', text: "Table doesn't exist", phases: command },
  1062: { sqlState: '23000', text: 'Duplicate entry', phases: command },
  1203: { sqlState: '42000', text: 'User has too many active connections', phases: ['login'] },
  1205: {
    sqlState: 'HY000',
    text: 'Lock wait timeout exceeded; try restarting transaction',
    phases: command,
  },
  1213: {
    sqlState: '40001',
    text: 'Deadlock found when trying to get lock; try restarting transaction',
    phases: command,
  },
  1290: { sqlState: 'HY000', text: 'The server is running with the --read-only option', phases: command },
  1317: { sqlState: '70100', text: 'Query execution was interrupted', phases: command },
  1836: { sqlState: 'HY000', text: 'Running in read-only mode', phases: command },
  1927: { sqlState: '70100', text: 'Connection was killed', phases: command, closes: true },
  4031: {
    sqlState: 'HY000',
    text: 'The client was disconnected by the server because of inactivity',
    phases: command,
    closes: true,
  },
}

const highestCode = 65_534

/**
 * An error packet in place of the backend's reply. Codes of connections (1040, 1129, 1130) come in place of the greeting, those
 * of logins in place of what follows it, all others in place of replies to commands; `match` with a verb (CONNECT, LOGIN, SELECT
 * ...) overrules that. After the greeting, a login, and codes that say so (1053, 1927, 4031) the connection is closed.
 *
 * The backend is not told of an error that comes instead of its reply: where a real one would have rolled back the transaction
 * (1213), the client's own ROLLBACK does it.
 */
export const mysqlError = defineFault<MysqlErrorAttributes>({
  type: 'mysql_error',
  summary: 'an error of MySQL: too many connections, lock wait timeout, deadlock, any other',
  attributes: {
    codes: words({
      initial: ['1040', '1205', '1213'],
      help: 'one of these, where it fits; CODE or CODE/SQLSTATE',
      allowed: 'codes from 1 to 65534 such as 1205 or 1205/HY000',
      check: isCode,
    }),
    message: text({ initial: '', help: 'in place of the text that belongs to the code', most: 500 }),
    mode: errorMode,
    bytes: cutBytes,
  },
  units: ['request'],
  suits(request, rule) {
    if (request.replies === 0) return false
    if (namesVerbs(rule)) return true
    const { phase } = detailOf(request)
    return rule.attributes.mode === 'cut'
      ? phase === 'command'
      : fitting(rule.attributes.codes, phase).length > 0
  },
  treat: treated,
})

function treated(
  { request, random }: Exchange,
  { codes, message, mode, bytes }: MysqlErrorAttributes,
): Treatment {
  if (mode === 'cut') return cutReply(bytes)
  const detail = detailOf(request)
  const { phase } = detail
  const fits = fitting(codes, phase)
  const { code, sqlState } = readCode(random.pick(fits.length > 0 ? fits : codes))
  const error = { code, sqlState, message: message || (known[code]?.text ?? `Error ${code}`) }
  // Who was asked for a file takes what comes next for that file, and would take a later command for it, too. What changes the
  // meaning of later packets, on the other hand, a backend must not be asked.
  const isAsked = phase === 'file' || (mode === 'after' && phase === 'command' && changesNothing(request))
  return {
    reply: {
      // The number of the last packet of a long request is not known before its end.
      get bytes() {
        return errorPacket(detail.sequence + 1, error)
      },
      backend: isAsked ? 'asked' : 'spared',
      closes: phase === 'greeting' || phase === 'login' || known[code]?.closes === true,
    },
    detail: { code },
  }
}

function changesNothing({ verb }: RequestHead): boolean {
  return verb !== 'LOAD' && verb !== 'CHANGE_USER'
}

function errorPacket(
  sequence: number,
  { code, sqlState, message }: { code: number; sqlState: string; message: string },
): Buffer {
  const head = Buffer.alloc(3)
  head[0] = 0xff
  head.writeUInt16LE(code, 1)
  return mysqlPacket(sequence, Buffer.concat([head, Buffer.from(`#${sqlState}${message}`)]))
}

function fitting(codes: readonly string[], phase: MysqlPhase): readonly string[] {
  return codes.filter((each) => (known[readCode(each).code]?.phases ?? command).includes(phase as 'command'))
}

function readCode(written: string): { code: number; sqlState: string } {
  const [number, sqlState] = written.split('/')
  const code = Number(number)
  return { code, sqlState: sqlState ?? known[code]?.sqlState ?? 'HY000' }
}

function isCode(word: string): boolean {
  const code = /^(\d{1,5})(?:\/[0-9A-Z]{5})?$/.exec(word)
  return code !== null && Number(code[1]) >= 1 && Number(code[1]) <= highestCode
}

function detailOf(request: RequestHead): MysqlDetail {
  return request.detail as unknown as MysqlDetail
}
