import type { TLSSocket } from 'node:tls'
import type { CloseCause } from '../events/event.ts'

/** A socket that speaks TLS, ready for plain bytes. */
export interface SecureSocket {
  readonly socket: TLSSocket
  /** Of a client: the name that it asked for; null: none. */
  readonly serverName: string | null
  /** Ends it with a reset, which a TLS socket cannot do itself. */
  reset(): void
}

/** How a handshake ended; where there is no socket, that below is closed already. */
export type HandshakeEnd =
  { secure: SecureSocket; cause?: never } | { secure: null; cause: CloseCause; detail: string }

/** A handshake on its way. */
export interface Handshake {
  /** Closes the socket; nothing more is told. Safe at any time. */
  cancel(): void
  /** A stall is over: the rule was removed. */
  goOn(): void
}

/** A short, stable word for what went wrong: the code where there is one. */
export function detailOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return code ?? error.message
}
