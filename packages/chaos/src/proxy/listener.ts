import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { ChaosError } from '../errors.ts'
import { hostToBind, showAddress, type Address } from './address.ts'

/** Connections that wait to be accepted; the kernel may allow fewer. */
const backlog = 4096

/** A port that takes connections. */
export class Listener {
  readonly address: { host: string; port: number }
  readonly #server: Server

  private constructor(server: Server) {
    const { address, port } = server.address() as AddressInfo
    this.#server = server
    this.address = { host: address, port }
  }

  /**
   * @param accept given sockets that are not read from, and end each direction on their own
   * @throws {ChaosError} CHAOS_BIND
   */
  static async open({ host, port }: Address, accept: (socket: Socket) => void): Promise<Listener> {
    const bound = hostToBind(host)
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, accept)
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(bindError({ host: bound, port }, error)))
      server.listen({ host: bound, port, backlog }, resolve)
    })
    // What goes wrong with one connection (too many open files) must not end the others.
    server.removeAllListeners('error').on('error', () => {})
    return new Listener(server)
  }

  /** New connections are refused from now on; the port is free. */
  close(): void {
    this.#server.close()
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
  ENOTFOUND: 'no such host',
}

/** In the words that clients of the control API look for. */
function bindError(address: { host: string; port: number }, error: NodeJS.ErrnoException): ChaosError {
  const text = `listen tcp ${showAddress(address)}: bind: ${bindReason(error)}`
  return new ChaosError('CHAOS_BIND', text, { cause: error })
}

/** Why nothing listens. */
export function bindReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return reasons[code ?? ''] ?? message
}
