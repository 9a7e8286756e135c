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
import { postgresMessage } from './postgres-framer.ts'
import type { PostgresDetail, PostgresPhase } from './postgres-request.ts'
import type { RequestHead } from './protocol.ts'

interface KnownCode {
  text: string
  /** Where a server says it. */
  phase: PostgresPhase
  /** The server closes the connection after it. */
  isFatal?: true
}

const known: Readonly<Record<string, KnownCode>> = {
  '08006': { text: 'connection failure', phase: 'command', isFatal: true },
  '23505': { text: 'duplicate key value violates unique constraint', phase: 'command' },
  '25006': { text: 'cannot execute this in a read-only transaction', phase: 'command' },
  '25P03': {
    text: 'terminating connection due to idle-in-transaction timeout',
    phase: 'command',
    isFatal: true,
  },
  '28000': { text: 'no pg_hba.conf entry for host', phase: 'connect' },
  '28P01': { text: 'password authentication failed', phase: 'login' },
  '3D000': { text: 'database does not exist', phase: 'connect' },
  '40001': { text: 'could not serialize access due to concurrent update', phase: 'command' },
  '40P01': { text: 'deadlock detected', phase: 'command' },
  '42P01': { text: 'relation does not exist', phase: 'command' },
  '53100': { text: 'could not extend file: No space left on device', phase: 'command' },
  '53200': { text: 'out of memory', phase: 'command' },
  '53300': { text: 'sorry, too many clients already', phase: 'connect' },
  '55P03': { text: 'could not obtain lock on row', phase: 'command' },
  '57014': { text: 'canceling statement due to statement timeout', phase: 'command' },
  '57P01': {
    text: 'terminating connection due to administrator command',
    phase: 'command',
    isFatal: true,
  },
  '57P02': {
    text: 'terminating connection because of crash of another server process',
    phase: 'command',
    isFatal: true,
  },
  '57P03': { text: 'the database system is starting up', phase: 'connect' },
}

/**
 * An error in place of the server's reply. Codes of connections (53300, 57P03, 28000, 3D000) come in place of a login and close
 * the connection, all others in place of replies to statements; `match` with a verb (CONNECT, SELECT, COMMIT ...) overrules that.
 * Codes that end a connection (57P01, 57P02, 25P03, 08006, and any as CODE/FATAL) do so here; after all others the server is
 * ready, within a transaction for its end alone.
 *
 * The server is not told of an error that comes instead of its reply: its transaction is as it was, and the client's own ROLLBACK
 * makes it right. COPY is never executed, since the server might wait for data.
 */
export const postgresError = defineFault<CodedErrorAttributes>({
  type: 'postgres_error',
  summary: 'an error of Postgres: too many clients, serialization failure, deadlock, any other',
  attributes: codedErrorAttributes(
    ['53300', '40001', '40P01'],
    'a list of codes such as 40001, 57P01/FATAL, 40001:3 or 40001 some text',
    (code, severity) =>
      /^[\dA-Z]{5}$/.test(code) && (severity === null || /^(?:ERROR|FATAL|PANIC)$/.test(severity)),
  ),
  units: ['request', 'connection'],
  check: needsProtocol('postgres'),
  suits(request, rule) {
    const { phase } = detailOf(request)
    if (request.replies === 0 || phase === 'encryption') return false
    if (namesVerbs(rule)) return true
    // What follows an error, or tells the end of data, fails no more by itself.
    if (phase === 'copy' || request.verb === 'SYNC') return false
    const { mode, statuses } = rule.attributes
    return mode === 'cut' ? phase === 'command' : hasFitting(statuses, fitsIn(phase))
  },
  treat({ request, random }, { statuses, when, mode, bytes }) {
    if (mode === 'cut') return cutReply(bytes)
    const detail = detailOf(request)
    const { phase } = detail
    const status = pickStatus(statuses, fitsIn(phase), random)
    const isFatal = phase === 'connect' || phase === 'login' || isFatalCode(status)
    const isAsked = phase === 'copy' || (when === 'after' && phase === 'command' && request.verb !== 'COPY')
    return {
      reply: {
        // Whether a transaction is open, and what ends the request, is not known before its end.
        get bytes() {
          return isFatal ? errorMessage(status, true) : errorAndReady(status, detail)
        },
        backend: isAsked ? 'asked' : 'spared',
        closes: isFatal,
      },
      detail: { status: status.code },
    }
  },
})

function errorAndReady(status: CodedStatus, { isReady, transaction }: PostgresDetail): Buffer {
  const error = errorMessage(status, false)
  if (!isReady) return error
  return Buffer.concat([error, postgresMessage('Z', Buffer.from(transaction ? 'E' : 'I'))])
}

function errorMessage({ code, qualifier, text }: CodedStatus, isFatal: boolean): Buffer {
  const severity = qualifier ?? (isFatal ? 'FATAL' : 'ERROR')
  const message = text ?? known[code]?.text ?? `error ${code}`
  return postgresMessage('E', Buffer.from(`S${severity}\0V${severity}\0C${code}\0M${message}\0\0`))
}

function isFatalCode({ code, qualifier }: CodedStatus): boolean {
  return qualifier === null ? known[code]?.isFatal === true : qualifier !== 'ERROR'
}

function fitsIn(phase: PostgresPhase): (status: CodedStatus) => boolean {
  return ({ code }) => (known[code]?.phase ?? 'command') === phase
}

function detailOf(request: RequestHead): PostgresDetail {
  return request.detail as unknown as PostgresDetail
}
