import { defineFault } from '../faults/definition.ts'
import {
  codedErrorAttributes,
  cutReply,
  hasFitting,
  namesVerbs,
  needsProtocol,
  pickStatus,
  type CodedErrorAttributes,
  type CodedStatus,
} from './error-mode.ts'
import { mysqlPacket } from './mysql-framer.ts'
import type { MysqlDetail, MysqlPhase } from './mysql-requests.ts'
import type { RequestHead } from './protocol.ts'

interface KnownCode {
  sqlState: string
  text: string
  /** Where a server says it. */
  phases: readonly MysqlPhase[]
  /** The server closes the connection after it. */
  closes?: true
}

const command: readonly MysqlPhase[] = ['command']
const known: Readonly<Record<string, KnownCode>> = {
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
 * An error packet in place of the server's reply. Codes of connections (1040, 1129, 1130) come in place of the greeting, those
 * of logins in place of what follows it, all others in place of replies to commands; `match` with a verb (CONNECT, LOGIN, SELECT
 * ...) overrules that. After the greeting, a login, and codes that say so (1053, 1927, 4031) the connection is closed.
 *
 * The server is not told of an error that comes instead of its reply: where a real one would have rolled back the transaction
 * (1213), the client's own ROLLBACK does it. LOAD is never executed, since the server might ask for a file.
 */
export const mysqlError = defineFault<CodedErrorAttributes>({
  type: 'mysql_error',
  summary: 'an error of MySQL: too many connections, lock wait timeout, deadlock, any other',
  attributes: codedErrorAttributes(
    ['1040', '1205', '1213'],
    'a list of codes from 1 to 65534, such as 1205, 1205/HY000, 1205:3 or 1205 some text',
    isCode,
  ),
  units: ['request', 'connection'],
  check: needsProtocol('mysql'),
  suits(request, rule) {
    if (request.replies === 0) return false
    if (namesVerbs(rule)) return true
    const { phase } = detailOf(request)
    const { mode, statuses } = rule.attributes
    return mode === 'cut' ? phase === 'command' : hasFitting(statuses, fitsIn(phase))
  },
  treat({ request, random }, { statuses, when, mode, bytes }) {
    if (mode === 'cut') return cutReply(bytes)
    const detail = detailOf(request)
    const { phase } = detail
    const status = pickStatus(statuses, fitsIn(phase), random)
    // Who was asked for a file takes what comes next for that file, and would take a later command for it, too. What changes
    // the meaning of later packets, on the other hand, a server must not be asked.
    const isAsked = phase === 'file' || (when === 'after' && phase === 'command' && changesNothing(request))
    return {
      reply: {
        // The number of the last packet of a long request is not known before its end.
        get bytes() {
          return errorPacket(detail.sequence + 1, status)
        },
        backend: isAsked ? 'asked' : 'spared',
        closes: phase === 'greeting' || phase === 'login' || known[status.code]?.closes === true,
      },
      detail: { status: Number(status.code) },
    }
  },
})

function changesNothing({ verb }: RequestHead): boolean {
  return verb !== 'LOAD' && verb !== 'CHANGE_USER'
}

function errorPacket(sequence: number, { code, qualifier, text }: CodedStatus): Buffer {
  const head = Buffer.alloc(3)
  head[0] = 0xff
  head.writeUInt16LE(Number(code), 1)
  const sqlState = qualifier ?? known[code]?.sqlState ?? 'HY000'
  const message = text ?? known[code]?.text ?? `Error ${code}`
  return mysqlPacket(sequence, Buffer.concat([head, Buffer.from(`#${sqlState}${message}`)]))
}

function fitsIn(phase: MysqlPhase): (status: CodedStatus) => boolean {
  return ({ code }) => (known[code]?.phases ?? command).includes(phase)
}

function isCode(code: string, sqlState: string | null): boolean {
  if (sqlState !== null && sqlState.length !== 5) return false
  return /^[1-9]\d*$/.test(code) && Number(code) <= highestCode
}

function detailOf(request: RequestHead): MysqlDetail {
  return request.detail as unknown as MysqlDetail
}
