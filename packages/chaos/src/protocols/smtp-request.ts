import type { RequestHead } from './protocol.ts'

/** Where in a connection a request stands: what is left to do if something else than the backend answers it. */
export type SmtpPhase = 'greeting' | 'command' | 'credentials' | 'body'

/** All others may be anything: an unknown word is not shown. */
const knownVerbs = new Set(
  'EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP AUTH STARTTLS ETRN BURL XCLIENT XFORWARD'.split(
    ' ',
  ),
)

/** After these nothing is known of the client's next bytes before they are answered. */
const pausing = new Set(['AUTH', 'DATA', 'STARTTLS'])

/** A request of SMTP as rules see it: a command line, a message, or the greeting that no bytes ask for. */
export class SmtpRequest implements RequestHead {
  readonly verb: string | null
  readonly path = null
  /** The command line; of AUTH without what is secret in it. */
  readonly text: string | null
  readonly label: string
  readonly replies = 1
  readonly detail: { readonly phase: SmtpPhase }
  readonly speaksFirst: boolean
  /** Bytes of a message that follow the line. */
  readonly chunk: number

  constructor(phase: SmtpPhase, verb: string | null, text: string | null, chunk = 0) {
    this.verb = verb
    this.text = text
    this.label = phase !== 'command' || knownVerbs.has(verb ?? '') ? (verb ?? '') : 'COMMAND'
    this.detail = { phase }
    this.speaksFirst = phase === 'greeting'
    this.chunk = chunk
  }

  /** Whether the client's next bytes depend on the reply. */
  get pauses(): boolean {
    return pausing.has(this.verb ?? '')
  }

  header(): undefined {
    return undefined
  }

  static greeting(): SmtpRequest {
    return new SmtpRequest('greeting', 'CONNECT', null)
  }

  static body(): SmtpRequest {
    return new SmtpRequest('body', 'BODY', null)
  }

  /** What the server asked for after AUTH. */
  static credentials(): SmtpRequest {
    return new SmtpRequest('credentials', 'AUTH', null)
  }

  /** @param line with its end */
  static command(line: Buffer): SmtpRequest {
    const text = line.toString('utf8').trimEnd()
    const [verb = '', argument = ''] = text.trimStart().split(/\s+/, 2)
    const name = /^[a-z\d]{1,20}$/i.test(verb) ? verb.toUpperCase() : null
    if (name === 'AUTH') return new SmtpRequest('command', name, `AUTH ${argument}`)
    const size = name === 'BDAT' && /^\d{1,15}$/.test(argument) ? Number(argument) : 0
    return new SmtpRequest('command', name, text, size)
  }
}
