import { milliseconds, whole } from '../attributes.ts'
import { onlyTerminated } from '../tls/only-terminated.ts'
import { defineFault } from './definition.ts'

interface TlsStallAttributes {
  bytes: number
  delay: number
}

/** Leaves the client waiting in the handshake; nothing is lost, so it goes on when the delay or the rule is over. */
export const tlsStall = defineFault<TlsStallAttributes>({
  type: 'tls_stall',
  summary: 'stands still in the TLS handshake',
  attributes: {
    bytes: whole({
      initial: 0,
      help: 'bytes of the answer to the client hello that get through; beyond it the stall comes right after the handshake',
    }),
    delay: milliseconds({ initial: 0, help: 'how long; 0: until the fault is removed or the client leaves' }),
  },
  units: ['connection'],
  check: onlyTerminated,
  connect: (_attempt, { bytes, delay }) => ({ tls: { handshake: { what: 'stall', bytes, ms: delay } } }),
})
