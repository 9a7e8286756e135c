import { oneOf, whole } from '../attributes.ts'
import { onlyTerminated } from '../tls/only-terminated.ts'
import { defineFault } from './definition.ts'

interface TlsCutAttributes {
  bytes: number
  how: 'fin' | 'rst'
}

/** Ends the connection after the client hello, or after some bytes of the answer to it. */
export const tlsCut = defineFault<TlsCutAttributes>({
  type: 'tls_cut',
  summary: 'cuts the connection in the TLS handshake',
  attributes: {
    bytes: whole({
      initial: 0,
      help: 'bytes of the answer to the client hello that get through; beyond it the cut comes right after the handshake',
    }),
    how: oneOf(['fin', 'rst'], { initial: 'fin', help: 'an orderly end, or a reset' }),
  },
  units: ['connection'],
  check: onlyTerminated,
  connect: (_attempt, { bytes, how }) => ({ tls: { handshake: { what: 'cut', bytes, how } } }),
})
