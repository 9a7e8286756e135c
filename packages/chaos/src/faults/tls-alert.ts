import { oneOf } from '../attributes.ts'
import { onlyTerminated } from '../tls/only-terminated.ts'
import { defineFault } from './definition.ts'

/** RFC 8446, section 6.2: those that a server answers a client hello with. */
const alerts = {
  handshake_failure: 40,
  access_denied: 49,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  unrecognized_name: 112,
  no_application_protocol: 120,
} as const

type AlertName = keyof typeof alerts

/** Refuses the handshake with a fatal alert. */
export const tlsAlert = defineFault<{ alert: AlertName }>({
  type: 'tls_alert',
  summary: 'refuses the TLS handshake with an alert',
  attributes: {
    alert: oneOf(Object.keys(alerts) as AlertName[], { initial: 'handshake_failure', help: 'which' }),
  },
  units: ['connection'],
  check: onlyTerminated,
  connect: (_attempt, { alert }) => ({ tls: { handshake: { what: 'alert', code: alerts[alert] } } }),
})
