import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { Refusal } from './refusal.ts'

export interface GateOptions {
  /** Who has it may do everything; null: none is asked for. */
  token: string | null
  /** Name or address that the server was asked to listen on. */
  host: string
  /** The address that it listens on is one of this machine alone. */
  isLoopback: boolean
}

/**
 * Who may call. Pages that a browser has open must reach nothing here: their requests say that they come from a browser, or
 * with a host name that was made to point at this address.
 */
export class Gate {
  readonly #digest: Buffer | null
  readonly #names: ReadonlySet<string> | null

  constructor({ token, host, isLoopback }: GateOptions) {
    this.#digest = token === null ? null : digestOf(token)
    this.#names = isLoopback && token === null ? new Set(['localhost', host.toLowerCase()]) : null
  }

  /** @throws {Refusal} 401, 403 */
  admit({ headers }: IncomingMessage): void {
    if (/^\s*mozilla\//i.test(headers['user-agent'] ?? '') || headers.origin !== undefined)
      throw new Refusal(403, 'User agent not allowed', {
        detail: 'pages in browsers are refused; call from a program',
      })
    if (this.#names !== null && headers.host !== undefined) {
      const name = nameOf(headers.host)
      if (name === null || (isIP(name) === 0 && !this.#names.has(name)))
        throw new Refusal(403, `host ${JSON.stringify(headers.host.slice(0, 200))} is not this server`, {
          detail: 'call it by its address or as localhost, or start it with a token',
        })
    }
    if (this.#digest === null) return
    const [, given] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
    if (given !== undefined && timingSafeEqual(digestOf(given), this.#digest)) return
    throw new Refusal(
      401,
      given === undefined
        ? 'this needs the token that the server was started with: "Authorization: Bearer TOKEN"'
        : 'that is not the token that the server was started with',
      { headers: { 'www-authenticate': 'Bearer realm="loads-proxy"' } },
    )
  }
}

/** Of one length, so that comparing takes the same time for all. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The name or address in a Host header, in small letters; null when it is none. */
function nameOf(host: string): string | null {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/?#@[\]\s]+))(?::\d{1,5})?$/.exec(host) ?? []
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '') ?? null
}
