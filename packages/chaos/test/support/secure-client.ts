import { once } from 'node:events'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { Peer } from './peer.ts'

/** A TLS connection that is established. @throws what went wrong in the handshake */
export async function secureClient(options: ConnectionOptions): Promise<{ socket: TLSSocket; peer: Peer }> {
  const socket = connect({ allowHalfOpen: true, ...options } as ConnectionOptions)
  const failed = new Promise<never>((_, reject) => {
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
  })
  failed.catch(() => {})
  await Promise.race([once(socket, 'secureConnect'), failed])
  return { socket, peer: new Peer(socket) }
}

/** The code of what goes wrong in the handshake; `closed` where it is no error. */
export async function handshakeError(options: ConnectionOptions): Promise<string> {
  try {
    const { socket } = await secureClient(options)
    socket.destroy()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message
  }
  throw new Error('the handshake went well')
}
