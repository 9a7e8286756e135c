import { isIP, type Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { ChaosError } from '../errors.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { TlsOptions } from '../proxy/options.ts'
import { Authority, serverContext } from './authority.ts'
import type { Handshake, HandshakeEnd } from './handshake.ts'
import { Originator } from './originate.ts'
import { readPem } from './pem.ts'
import { terminate } from './terminate.ts'
import type { TlsTreatment } from './treatment.ts'

/** Clients that connect and say nothing are closed after it. */
const clientTimeoutMs = 120_000

export interface ProxyTlsOptions {
  /** Whether clients speak TLS to the proxy, and the proxy to the backend. */
  terminates: boolean
  originates: boolean
  /** Host of the backend. */
  backendHost: string
  protocol: Protocol
  tls?: TlsOptions | undefined
  /** For the handshake with the backend. */
  dialTimeoutMs: number
}

/** The TLS of one proxy: towards its clients, towards its backend, or both. */
export class ProxyTls {
  readonly terminates: boolean
  readonly originates: boolean
  /** PEM of the throw-away authority that clients are to trust; null: the certificate is the user's own. */
  readonly authority: string | null
  readonly #contextOf: (name: string, treatment: TlsTreatment) => Promise<SecureContext>
  readonly #originator: Originator
  readonly #alpn: readonly string[]
  readonly #serverName: string | undefined
  readonly #backendHost: string

  private constructor(
    { terminates, originates, backendHost, protocol, tls }: ProxyTlsOptions,
    authority: string | null,
    contextOf: (name: string, treatment: TlsTreatment) => Promise<SecureContext>,
    originator: Originator,
  ) {
    this.terminates = terminates
    this.originates = originates
    this.authority = authority
    this.#contextOf = contextOf
    this.#originator = originator
    this.#alpn = alpnOf(protocol)
    this.#serverName = tls?.serverName
    this.#backendHost = backendHost
  }

  /**
   * Reads certificates and keys, so that what is wrong with them is known before a client comes.
   *
   * @returns null: no side speaks TLS
   * @throws {ChaosError} CHAOS_CERTIFICATE; CHAOS_PROTOCOL where requests are to be seen within opaque TLS
   */
  static async open(options: ProxyTlsOptions): Promise<ProxyTls | null> {
    const { terminates, originates, tls = {}, protocol, dialTimeoutMs } = options
    checkMode(options)
    if (!terminates && !originates) return null
    const own = await ownContext(tls)
    const kind = tls.certificate ?? 'good'
    if (own !== null && kind !== 'good')
      throw new ChaosError(
        'CHAOS_CERTIFICATE',
        `certificate ${kind} is made by the throw-away authority: leave cert and key away, or certificate`,
      )
    const authority = terminates && own === null ? await Authority.shared() : null
    const contextOf = async (name: string, treatment: TlsTreatment): Promise<SecureContext> => {
      if (own !== null && treatment.certificate === undefined) return own
      return (await Authority.shared()).context(name, treatment.certificate ?? kind)
    }
    const originator = new Originator({
      context: await clientContext(tls),
      alpn: alpnOf(protocol),
      verify: tls.verify ?? true,
      timeoutMs: dialTimeoutMs,
    })
    return new ProxyTls(options, authority?.certificate ?? null, contextOf, originator)
  }

  /** With a client that was accepted and not read from. `settled` is called once, unless it is cancelled first. */
  withClient(raw: Socket, treatment: TlsTreatment, settled: (end: HandshakeEnd) => void): Handshake {
    return terminate(
      raw,
      {
        context: (name) => this.#contextOf(name, treatment),
        alpn: this.#alpn,
        treatment,
        timeoutMs: clientTimeoutMs,
      },
      settled,
    )
  }

  /**
   * On an established connection to the backend.
   *
   * @param asked the name that the client asked for
   */
  withBackend(raw: Socket, asked: string | null, settled: (end: HandshakeEnd) => void): Handshake {
    return this.#originator.begin(raw, this.#nameFor(asked), settled)
  }

  /** An address says nothing about which of its hosts is meant: there the name of the client is passed on. */
  #nameFor(asked: string | null): string {
    const wanted = this.#serverName
    if (wanted !== undefined && wanted !== '*') return wanted
    if (wanted === '*' || isIP(this.#backendHost) !== 0) return asked ?? this.#backendHost
    return this.#backendHost
  }
}

/** Only what the proxy can read is agreed to: no HTTP/2 where HTTP/1.1 is treated. */
function alpnOf(protocol: Protocol): readonly string[] {
  return protocol.name === 'http' ? ['http/1.1'] : []
}

function checkMode({ terminates, originates, tls, protocol }: ProxyTlsOptions): void {
  if (tls?.mode !== 'opaque') return
  if (terminates || originates)
    throw new ChaosError(
      'CHAOS_PROTOCOL',
      'tls cannot go through as it is and end here, too: take away mode opaque, or tls:// from listen and backend',
    )
  if (protocol.open !== null)
    throw new ChaosError(
      'CHAOS_PROTOCOL',
      `no fault can know ${protocol.name} within TLS that goes through as it is: write tls:// in front of listen and ` +
        'backend so that the proxy speaks TLS itself, or take protocol tcp',
    )
}

async function ownContext({ cert, key }: TlsOptions): Promise<SecureContext | null> {
  if (cert === undefined && key === undefined) return null
  if (cert === undefined || key === undefined)
    throw new ChaosError('CHAOS_CERTIFICATE', 'tls needs both cert and key, or neither')
  const [certificate, secret] = await Promise.all([readPem(cert, 'cert'), readPem(key, 'key')])
  return made('cert and key', () => serverContext(certificate, secret))
}

async function clientContext({ ca, clientCert, clientKey }: TlsOptions): Promise<SecureContext> {
  if ((clientCert === undefined) !== (clientKey === undefined))
    throw new ChaosError('CHAOS_CERTIFICATE', 'tls needs both clientCert and clientKey, or neither')
  const [authority, cert, key] = await Promise.all([
    ca === undefined ? undefined : readPem(ca, 'ca'),
    clientCert === undefined ? undefined : readPem(clientCert, 'clientCert'),
    clientKey === undefined ? undefined : readPem(clientKey, 'clientKey'),
  ])
  return made('ca, clientCert and clientKey', () => createSecureContext({ ca: authority, cert, key }))
}

function made(what: string, make: () => SecureContext): SecureContext {
  try {
    return make()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ChaosError(
      'CHAOS_CERTIFICATE',
      `${what} of tls do not fit: ${reason}; give a certificate and its own key, not encrypted`,
      { cause: error },
    )
  }
}
