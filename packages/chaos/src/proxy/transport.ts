import type { Socket } from 'node:net'
import type { Handshake, HandshakeEnd } from '../tls/handshake.ts'
import type { TlsTreatment } from '../tls/treatment.ts'

/** What lies between TCP and the bytes that faults see: TLS of either side. Made by `openTransport`. */
export interface Transport {
  /**
   * Speaks TLS with a client that was accepted and not read from; null: clients speak plainly. `settled` is called once,
   * unless the handshake is cancelled first: with the socket to read from, or after `raw` was closed.
   */
  readonly accept:
    ((raw: Socket, treatment: TlsTreatment, settled: (end: HandshakeEnd) => void) => Handshake) | null
  /**
   * The same on an established connection to the backend; `asked` is the server name that the client asked for
   * (`SecureSocket.serverName`), null where there was none.
   */
  readonly dial:
    ((raw: Socket, asked: string | null, settled: (end: HandshakeEnd) => void) => Handshake) | null
  /** PEM of the throw-away authority that clients are to trust; null: there is none, or the certificate is the user's own. */
  readonly authority: string | null
}

export const plain: Transport = { accept: null, dial: null, authority: null }
