import type { TlsOptions } from '../proxy/options.ts'

/** What can be wrong with a certificate, and nothing. */
export type CertificateKind = NonNullable<TlsOptions['certificate']>

export const certificateKinds = ['good', 'expired', 'not-yet-valid', 'wrong-name', 'self-signed'] as const

/** What goes wrong in the TLS of one client: part of what becomes of a new connection that was hit. */
export interface TlsTreatment {
  certificate?: CertificateKind
  handshake?: HandshakeTrouble
  /** False: the connection ends without the word that it does. */
  closeNotify?: false
}

/** `bytes`: how much of the answer to the client hello gets through; of a whole handshake at most. */
export type HandshakeTrouble =
  | { what: 'cut'; bytes: number; how: 'fin' | 'rst' }
  /** Goes on after `ms`; 0: never, unless the rule is removed. */
  | { what: 'stall'; bytes: number; ms: number }
  /** A fatal alert in place of an answer. */
  | { what: 'alert'; code: number }
