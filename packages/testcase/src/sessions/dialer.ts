import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import { connect as connectTls, type ConnectionOptions as TlsConnectOptions, type TLSSocket } from 'node:tls'
import type { TargetOptions } from '../context.ts'
import { nextSource, spreadLookup } from './addresses.ts'
import { tlsSettingsOf } from './connector.ts'
import { readBuffer, readBytes } from './http/read-buffer.ts'

/** Opens connections to one `scheme://host:port`, and remembers its TLS session, so that the next ones resume it. */
export class Dialer {
  readonly secure: boolean
  readonly #host: string
  readonly #port: number
  readonly #target: TargetOptions
  #session: Buffer | null = null

  constructor(origin: string, target: TargetOptions) {
    const { protocol, hostname, port } = new URL(origin)
    this.secure = protocol === 'https:'
    this.#host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    this.#port = port === '' ? (this.secure ? 443 : 80) : Number(port)
    this.#target = target
  }

  /**
   * @param onRead gets how many bytes have come into the read buffer; the socket has no `data` events then
   * @param protocols for ALPN
   */
  dial(onRead: ((length: number) => void) | null, protocols: readonly string[]): Socket {
    const source = nextSource(this.#target)
    const options: TcpNetConnectOpts = {
      host: this.#host,
      port: this.#port,
      noDelay: true,
      ...(source === null ? {} : { localAddress: source }),
      ...(this.#target.connections.dns === 'spread' ? { lookup: spreadLookup } : {}),
    }
    if (onRead !== null) {
      options.onread = {
        buffer: readBuffer.subarray(0, readBytes),
        callback: (length) => {
          onRead(length)
          return true
        },
      }
    }
    return this.secure ? this.#dialTls(options, protocols) : connect(options)
  }

  #dialTls(tcp: TcpNetConnectOpts, protocols: readonly string[]): TLSSocket {
    const options: TlsConnectOptions = {
      ...tcp,
      ...tlsSettingsOf(this.#target),
      ALPNProtocols: [...protocols],
      ...(isIP(this.#host) === 0 ? { servername: this.#host } : {}),
      ...(this.#session === null ? {} : { session: this.#session }),
    }
    const socket = connectTls(options)
    socket.on('session', (session) => {
      this.#session = session
    })
    return socket
  }
}
