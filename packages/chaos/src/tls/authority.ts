import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { generate } from 'selfsigned'
import type { CertificateKind } from './treatment.ts'

const dayMs = 86_400_000
/** Names come from clients: a scan with random ones must not fill the memory. */
const mostContexts = 256
/** Whatever name was asked for, this is another; no such host can be. */
const wrongName = 'wrong-name.invalid'

/**
 * A throw-away authority: it signs certificates for whatever name a client asks for. Its keys exist in this process alone.
 */
export class Authority {
  /** PEM; clients that trust it trust what it signed. */
  readonly certificate: string
  readonly #key: string
  /** By kind and name; the oldest goes first. */
  readonly #contexts = new Map<string, Promise<SecureContext>>()

  private constructor(certificate: string, key: string) {
    this.certificate = certificate
    this.#key = key
  }

  /** The one of this process, made at first use: clients need to trust only one. */
  static shared(): Promise<Authority> {
    shared ??= Authority.make()
    return shared
  }

  static async make(): Promise<Authority> {
    const name = `Loads throw-away authority ${randomUUID().slice(0, 8)}`
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
      keyType: 'ec',
      algorithm: 'sha256',
      // Clocks of clients may be late, and expired certificates must have been signed in its lifetime.
      notBeforeDate: new Date(Date.now() - 30 * dayMs),
      notAfterDate: new Date(Date.now() + 3650 * dayMs),
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      ],
    })
    return new Authority(cert, key)
  }

  /**
   * What a server needs to be taken for `name`, or just not: one for all connections, so that sessions are resumed.
   *
   * @param name host name or address
   */
  context(name: string, kind: CertificateKind): Promise<SecureContext> {
    const id = `${kind} ${name}`
    let context = this.#contexts.get(id)
    if (context === undefined) {
      if (this.#contexts.size >= mostContexts) this.#contexts.delete(this.#contexts.keys().next().value!)
      context = this.#sign(name, kind).then(({ cert, key }) => serverContext(cert, key))
      this.#contexts.set(id, context)
      // What failed may be tried again.
      context.catch(() => this.#contexts.delete(id))
    }
    return context
  }

  async #sign(name: string, kind: CertificateKind): Promise<{ cert: string; key: string }> {
    const now = Date.now()
    const [from, to] =
      kind === 'expired'
        ? [now - 2 * dayMs, now - dayMs]
        : kind === 'not-yet-valid'
          ? [now + dayMs, now + 30 * dayMs]
          : [now - dayMs, now + 365 * dayMs]
    const asked = kind === 'wrong-name' ? wrongName : name
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'loads-proxy' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notBeforeDate: new Date(from),
      notAfterDate: new Date(to),
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [isIP(asked) === 0 ? { type: 2, value: asked } : { type: 7, ip: asked }],
        },
      ],
      ...(kind === 'self-signed' ? {} : { ca: { cert: this.certificate, key: this.#key } }),
    })
    return { cert, key }
  }
}

let shared: Promise<Authority> | undefined

/** Sessions of one context are not resumed in another unless both have this, too. */
export function serverContext(cert: string, key: string): SecureContext {
  return createSecureContext({ cert, key, sessionIdContext: 'loads-proxy' })
}
