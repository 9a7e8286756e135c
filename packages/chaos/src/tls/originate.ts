import { isIP, type Socket } from 'node:net'
import { connect, type ConnectionOptions, type SecureContext } from 'node:tls'
import { detailOf, type Handshake, type HandshakeEnd } from './handshake.ts'

/** Sessions by name; the oldest goes first. */
const mostSessions = 256

export interface OriginateOptions {
  context: SecureContext
  alpn: readonly string[]
  verify: boolean
  timeoutMs: number
}

/** Speaks TLS to a backend, and resumes the sessions that it gave. */
export class Originator {
  readonly #options: OriginateOptions
  readonly #sessions = new Map<string, Buffer>()

  constructor(options: OriginateOptions) {
    this.#options = options
  }

  /**
   * On a connection that is established and was not read from.
   *
   * @param name host name, or an address that must stand in the certificate
   */
  begin(raw: Socket, name: string, settled: (end: HandshakeEnd) => void): Handshake {
    const { context, alpn, verify, timeoutMs } = this.#options
    const session = this.#sessions.get(name)
    const options: ConnectionOptions = {
      socket: raw,
      secureContext: context,
      rejectUnauthorized: verify,
      host: name,
      // RFC 6066: literal addresses are not asked for.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      ...(session === undefined ? {} : { session }),
    }
    const secure = connect(options)
    let isOver = false
    const end = (result: HandshakeEnd): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      secure.off('error', failed).off('close', closed)
      if (result.secure === null) {
        secure.on('error', () => {}).destroy()
        raw.on('error', () => {}).destroy()
      }
      settled(result)
    }
    const failed = (error: Error): void => {
      this.#sessions.delete(name)
      end({ secure: null, cause: 'tls-failed', detail: detailOf(error) })
    }
    const closed = (): void =>
      end({ secure: null, cause: 'tls-failed', detail: 'backend left in the handshake' })
    const timer = setTimeout(() => end({ secure: null, cause: 'tls-failed', detail: 'ETIMEDOUT' }), timeoutMs)
    secure.on('error', failed).on('close', closed)
    secure.on('session', (given) => this.#keep(name, given))
    secure.once('secureConnect', () => {
      raw.on('error', () => {})
      const reset = (): void => {
        raw.resetAndDestroy()
        secure.destroy()
      }
      end({ secure: { socket: secure, serverName: null, reset } })
    })
    return {
      cancel: () => {
        if (isOver) return
        isOver = true
        clearTimeout(timer)
        secure.on('error', () => {}).destroy()
        raw.on('error', () => {}).destroy()
      },
      goOn: () => {},
    }
  }

  #keep(name: string, session: Buffer): void {
    this.#sessions.delete(name)
    if (this.#sessions.size >= mostSessions) this.#sessions.delete(this.#sessions.keys().next().value!)
    this.#sessions.set(name, session)
  }
}
