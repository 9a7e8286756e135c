import type { Socket } from 'node:net'

/** What lies between TCP and the bytes that faults see: TLS of either side. Null: nothing. */
export interface Transport {
  /**
   * Speaks TLS with a client that has connected; reading has not begun. Rejects when it fails, which closes the connection with
   * the cause tls-failed. The proxy destroys the socket when it gives up waiting.
   */
  readonly accept: ((socket: Socket) => Promise<Socket>) | null
  /** The same with a backend. */
  readonly dial: ((socket: Socket) => Promise<Socket>) | null
}

export const plain: Transport = { accept: null, dial: null }
