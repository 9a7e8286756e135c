import type { Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { buildConnector, Client } from 'undici'
import type { TargetOptions } from '../context.ts'
import { UsageError } from '../errors.ts'
import { nextSource, spreadLookup } from './addresses.ts'
import { undici } from './libraries.ts'
import { basic } from './http/route.ts'

/** undici's connector gives the socket back at once, which its types do not say. */
export type Connector = (
  options: buildConnector.Options,
  callback: buildConnector.Callback,
) => { destroy(): void } | undefined

/** TLS settings of a target, in the words of `tls.connect`. */
export interface TlsSettings {
  rejectUnauthorized: boolean
  secureContext: SecureContext
}

const secureContexts = new WeakMap<TargetOptions, SecureContext>()

/** One secure context serves all users of a target: making one for each connection would be slow. */
export function tlsSettingsOf(target: TargetOptions): TlsSettings {
  let secureContext = secureContexts.get(target)
  if (secureContext === undefined) {
    secureContext = secureContextOf(target)
    secureContexts.set(target, secureContext)
  }
  return { rejectUnauthorized: !target.insecure, secureContext }
}

function secureContextOf(target: TargetOptions): SecureContext {
  try {
    return createSecureContext({
      ...(target.ca === null ? {} : { ca: target.ca }),
      ...(target.cert === null ? {} : { cert: target.cert }),
      ...(target.key === null ? {} : { key: target.key }),
    })
  } catch (cause) {
    throw new UsageError(`--ca, --cert or --key hold no valid PEM: ${(cause as Error).message}`, { cause })
  }
}

/** Plain connections keep nothing between them, so all users share one connector. Timeouts are the session's. */
let connectPlain: Connector | null = null

/** Makes the connector of one user: TLS sessions are resumed within a user, not between users. */
export function connectorFor(target: TargetOptions, secure: boolean): Connector {
  const { buildConnector } = undici()
  const { proxy, connections } = target
  const spread = connections.dns === 'spread' ? { lookup: spreadLookup } : {}
  if (!secure) {
    if (connections.dns === 'first') connectPlain ??= buildConnector({ timeout: 0 }) as unknown as Connector
    const connect =
      connections.dns === 'first'
        ? connectPlain!
        : (buildConnector({ timeout: 0, ...spread }) as unknown as Connector)
    return fromSources(target, connect)
  }
  const connectSecure = buildConnector({
    timeout: 0,
    ...spread,
    ...tlsSettingsOf(target),
  }) as unknown as Connector
  if (proxy === null) return fromSources(target, connectSecure)
  return (options, callback) => {
    const tunnel = new Tunnel(proxy, options.hostname, Number(options.port) || 443, nextSource(target))
    tunnel.open().then(
      (httpSocket) => void connectSecure({ ...options, httpSocket }, callback),
      (error: Error) => callback(error, null),
    )
    return tunnel
  }
}

/** Gives each connection the next local address, where the target names some. */
function fromSources(target: TargetOptions, connect: Connector): Connector {
  if (target.connections.sourceAddresses.length === 0) return connect
  return (options, callback) => connect({ ...options, localAddress: nextSource(target) }, callback)
}

/** A proxy's URL in parts. */
export interface ProxyAddress {
  origin: string
  /** `Proxy-Authorization`; null without credentials. */
  authorization: string | null
}

export function proxyAddressOf(proxy: string): ProxyAddress {
  if (!URL.canParse(proxy) || !/^https?:\/\//i.test(proxy)) {
    throw new UsageError(
      `--proxy "${redact(proxy)}" is no http:// or https:// URL, such as http://localhost:3128`,
    )
  }
  const { origin, username, password } = new URL(proxy)
  const authorization =
    username === '' ? null : basic(decodeURIComponent(username), decodeURIComponent(password))
  return { origin, authorization }
}

function redact(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}

/** A TCP connection to a host through an HTTP proxy's CONNECT. */
export class Tunnel {
  readonly #client: Client
  readonly #path: string
  readonly #authorization: string | null
  #socket: Socket | null = null
  #destroyed = false

  constructor(proxy: string, host: string, port: number, localAddress: string | null = null) {
    const { origin, authorization } = proxyAddressOf(proxy)
    const { Client } = undici()
    this.#client = new Client(origin, {
      headersTimeout: 0,
      ...(localAddress === null ? {} : { localAddress }),
    })
    this.#path = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
    this.#authorization = authorization
  }

  async open(): Promise<Socket> {
    const headers: Record<string, string> = { host: this.#path }
    if (this.#authorization !== null) headers['proxy-authorization'] = this.#authorization
    try {
      const { statusCode, socket } = await this.#client.connect({ path: this.#path, headers })
      this.#socket = socket as Socket
      if (statusCode !== 200) {
        this.#socket.on('error', () => {})
        throw new ProxyRefusal(`the proxy answered ${statusCode} to CONNECT ${this.#path}`)
      }
      if (this.#destroyed) throw new ProxyRefusal('given up')
      return this.#socket
    } catch (error) {
      this.destroy()
      throw error
    }
  }

  destroy(): void {
    this.#destroyed = true
    this.#socket?.destroy()
    this.#client.destroy(null, () => {})
  }
}

class ProxyRefusal extends Error {
  readonly code = 'LOADS_PROXY_REFUSED'
}
