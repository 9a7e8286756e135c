import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { ChaosError } from '../errors.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { TlsOptions } from '../proxy/options.ts'
import { plain, type Transport } from '../proxy/transport.ts'
import { Authority, serverContext } from './authority.ts'
import { Originator } from './originate.ts'
import { readPem } from './pem.ts'
import { terminate } from './terminate.ts'
import type { CertificateKind } from './treatment.ts'

/** Clients that connect and say nothing are closed after it. */
const clientTimeoutMs = 120_000

export interface TransportOptions {
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

/**
 * Reads certificates and keys, so that what is wrong with them is known before a client comes.
 *
 * @throws {ChaosError} CHAOS_CERTIFICATE; CHAOS_PROTOCOL where requests are to be seen within opaque TLS
 */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const { terminates, originates, tls = {} } = options
  checkMode(options)
  const shown = (['cert', 'key', 'certificate'] as const).filter((key) => tls[key] !== undefined)
  if (!terminates && shown.length > 0)
    throw new ChaosError(
      'CHAOS_CERTIFICATE',
      `${shown.join(' and ')} of tls would be shown to nobody: write tls:// in front of listen`,
    )
  if (!terminates && !originates) return plain
  const kind = tls.certificate ?? 'good'
  if (kind !== 'good' && (tls.cert !== undefined || tls.key !== undefined))
    throw new ChaosError(
      'CHAOS_CERTIFICATE',
      `certificate ${kind} is made by the throw-away authority: leave cert and key away, or certificate`,
    )
  const own = await ownContext(tls)
  const authority = terminates && own === null ? (await Authority.shared()).certificate : null
  return {
    accept: terminates ? acceptor(options, own, kind) : null,
    dial: originates ? await dialler(options) : null,
    authority,
  }
}

type Accept = NonNullable<Transport['accept']>
type Dial = NonNullable<Transport['dial']>

function acceptor({ protocol }: TransportOptions, own: SecureContext | null, kind: CertificateKind): Accept {
  const alpn = alpnOf(protocol)
  return (raw, treatment, settled) => {
    const context = async (name: string): Promise<SecureContext> => {
      // What is wrong with a certificate by a fault is made by the authority, whatever the proxy shows otherwise.
      if (own !== null && treatment.certificate === undefined) return own
      return (await Authority.shared()).context(name, treatment.certificate ?? kind)
    }
    return terminate(raw, { context, alpn, treatment, timeoutMs: clientTimeoutMs }, settled)
  }
}

async function dialler({ tls = {}, protocol, backendHost, dialTimeoutMs }: TransportOptions): Promise<Dial> {
  const context = await clientContext(tls)
  const { verify = true, serverName } = tls
  const originator = new Originator({ context, alpn: alpnOf(protocol), verify, timeoutMs: dialTimeoutMs })
  return (raw, asked, settled) => {
    if (serverName !== undefined && serverName !== '*') return originator.begin(raw, serverName, settled)
    // An address says nothing about which of its hosts is meant: there the name of the client is passed on.
    const isPassedOn = serverName === '*' || isIP(backendHost) !== 0
    return originator.begin(raw, isPassedOn ? (asked ?? backendHost) : backendHost, settled)
  }
}

/** Only what the proxy can read is agreed to: no HTTP/2 where HTTP/1.1 is treated. */
function alpnOf(protocol: Protocol): readonly string[] {
  return protocol.name === 'http' ? ['http/1.1'] : []
}

function checkMode({ terminates, originates, tls, protocol }: TransportOptions): void {
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
