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
import type { RequestHead } from './protocol.ts'
import type { SmtpPhase } from './smtp-request.ts'

const transaction = ['MAIL', 'RCPT', 'DATA', 'BODY', 'BDAT']

/** Verbs that servers answer so; null: any, the greeting too. */
const known: Readonly<Record<string, { text: string; verbs: readonly string[] | null }>> = {
  421: { text: '4.3.2 Service not available, closing transmission channel', verbs: null },
  450: { text: '4.2.1 Mailbox unavailable, try again later', verbs: ['MAIL', 'RCPT', 'BODY', 'BDAT'] },
  451: { text: '4.3.0 Local error in processing', verbs: transaction },
  452: { text: '4.3.1 Insufficient system storage', verbs: transaction },
  454: { text: '4.7.0 Not available due to a temporary reason', verbs: ['AUTH', 'STARTTLS'] },
  535: { text: '5.7.8 Authentication credentials invalid', verbs: ['AUTH'] },
  550: { text: '5.1.1 Mailbox unavailable', verbs: ['MAIL', 'RCPT', 'BODY', 'BDAT', 'VRFY'] },
  552: { text: '5.2.2 Exceeded storage allocation', verbs: ['MAIL', 'RCPT', 'BODY', 'BDAT'] },
  554: { text: '5.3.0 Transaction failed', verbs: [...transaction, 'CONNECT'] },
}

/**
 * A reply of refusal in place of the server's. Each code comes where servers use it: 421 anywhere, in place of the greeting too,
 * others mostly in a transaction; `match` with a verb (CONNECT, EHLO, MAIL, RCPT, DATA, BODY ...) overrules that.
 *
 * 421 closes the connection, as does any code in place of the greeting. A server that waits for a message or for credentials
 * cannot be told that they do not come: an error instead of BODY, or of what AUTH asked for, closes the connection, too, and the
 * message is not delivered. With `after` the server takes the message, the client hears of an error, and the connection goes on.
 */
export const smtpError = defineFault<CodedErrorAttributes>({
  type: 'smtp_error',
  summary: 'a reply of SMTP that refuses: 421, 450, 451, 452, 550, 552, 554, any other',
  attributes: codedErrorAttributes(
    ['421', '450', '451', '452'],
    'a list of codes from 400 to 599, such as 451, 451:3 or 451 some text',
    (code, qualifier) => qualifier === null && /^[45]\d\d$/.test(code),
  ),
  units: ['request', 'connection'],
  check: needsProtocol('smtp'),
  suits(request, rule) {
    if (namesVerbs(rule)) return true
    const { statuses, mode } = rule.attributes
    return mode === 'cut' ? request.verb !== 'CONNECT' : hasFitting(statuses, fitsTo(request))
  },
  treat({ request, random }, { statuses, when, mode, bytes }) {
    if (mode === 'cut') return cutReply(bytes)
    const { code, text } = pickStatus(statuses, fitsTo(request), random)
    const { phase } = request.detail as unknown as { phase: SmtpPhase }
    const isAsked = when === 'after' && (phase === 'body' || (phase === 'command' && changesNothing(request)))
    return {
      reply: {
        bytes: Buffer.from(`${code} ${text ?? known[code]?.text ?? 'Error'}\r\n`),
        backend: isAsked ? 'asked' : 'spared',
        closes: code === '421' || (phase !== 'command' && !isAsked),
      },
      detail: { status: Number(code) },
    }
  },
})

/** A server that has said yes to one of these takes the client's next bytes for something else. */
function changesNothing({ verb }: RequestHead): boolean {
  return verb !== 'DATA' && verb !== 'AUTH' && verb !== 'STARTTLS'
}

function fitsTo({ verb }: RequestHead): (status: CodedStatus) => boolean {
  return ({ code }) => {
    const verbs = known[code]?.verbs
    return verbs === undefined ? verb !== 'CONNECT' : (verbs?.includes(verb ?? '') ?? true)
  }
}
