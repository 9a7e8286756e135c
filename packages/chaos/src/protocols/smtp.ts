import type { FaultDefinition } from '../faults/definition.ts'
import { defineProtocol } from './protocol.ts'
import { SmtpDialogue } from './smtp-dialogue.ts'
import { smtpError } from './smtp-error.ts'

/**
 * SMTP. A request is a command, with `verb` and `text` (the line; of AUTH without what is secret in it). The server's greeting is
 * the reply to a request CONNECT without bytes, a message after DATA is a request BODY, one of BDAT belongs to its command. What
 * follows STARTTLS is opaque.
 */
export const smtp = defineProtocol({
  name: 'smtp',
  summary: 'SMTP; a request is a command or a message, the first one the greeting',
  error: smtpError as FaultDefinition<never>,
  open: (talk) => new SmtpDialogue(talk),
})
