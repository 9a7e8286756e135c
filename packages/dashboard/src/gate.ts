import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { Refusal } from './refusal.ts'

export interface GateOptions {
  token: string
  /** Names of this machine, besides its addresses and localhost. */
  hostNames: readonly string[]
  /** Who reads needs the token, too. */
  closed: boolean
}

const cookieName = 'loads-session'

/**
 * Who may do what. A page of somebody else's that a browser has open must reach nothing here: its requests come with a
 * host name of its own (a name that was made to point at this address), or with its own origin, and never with the token.
 */
export class Gate {
  readonly #digest: Buffer
  readonly #names: ReadonlySet<string>
  readonly #closed: boolean
  /** What readers keep instead of the token; it ends with this process. */
  readonly #session: string

  constructor({ token, hostNames, closed }: GateOptions) {
    if (token.length < 16) throw new TypeError('a token of fewer than 16 characters can be guessed')
    this.#digest = digestOf(token)
    this.#names = new Set(['localhost', ...hostNames.map((name) => name.toLowerCase())])
    this.#closed = closed
    this.#session = createHmac('sha256', randomBytes(32)).update(token).digest('base64url')
  }

  /** @throws {Refusal} 421, 403: the request is not meant for this server, or comes from a page of another one */
  admit({ headers }: IncomingMessage): void {
    const host = headers.host ?? ''
    const name = nameOf(host)
    if (name === null || (isIP(name) === 0 && !this.#names.has(name)))
      throw new Refusal(
        421,
        'UNKNOWN_HOST',
        `this server is not known as ${JSON.stringify(host.slice(0, 200))}: use its address, or allow the name where it is started`,
      )
    const { origin } = headers
    if (origin !== undefined && !isSameHost(origin, host))
      throw new Refusal(403, 'FOREIGN_ORIGIN', 'requests of pages of other servers are refused')
  }

  /** @throws {Refusal} 401: reading needs the token here, and it is not there */
  admitReader(request: IncomingMessage): void {
    if (!this.#closed || this.#hasSession(request)) return
    this.admitChange(request)
  }

  /** @throws {Refusal} 401: no token, or a wrong one */
  admitChange({ headers }: IncomingMessage): void {
    const [, given] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
    if (given !== undefined && timingSafeEqual(digestOf(given), this.#digest)) return
    throw new Refusal(
      401,
      given === undefined ? 'TOKEN_NEEDED' : 'TOKEN_WRONG',
      given === undefined
        ? 'this needs the token that was printed where the dashboard was started: "Authorization: Bearer TOKEN"'
        : 'that is not the token: take the one that was printed where the dashboard was started',
      { 'WWW-Authenticate': 'Bearer realm="loads"' },
    )
  }

  /** For those who showed the token: lets browsers read, and read only. */
  sessionCookie(): string {
    return `${cookieName}=${this.#session}; Path=/; HttpOnly; SameSite=Strict`
  }

  #hasSession({ headers }: IncomingMessage): boolean {
    const cookies = (headers.cookie ?? '').split(';').map((part) => part.trim())
    const given = cookies.find((part) => part.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1)
    return given !== undefined && timingSafeEqual(digestOf(given), digestOf(this.#session))
  }
}

/** Of one length, so that comparing takes the same time for all. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The name or address in a Host header, in small letters; null when it is none. */
function nameOf(host: string): string | null {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/?#@[\]\s]+))(?::\d{1,5})?$/.exec(host) ?? []
  const name = (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '')
  if (name === undefined || name === '') return null
  return bracketed !== undefined && isIP(bracketed) !== 6 ? null : name
}

function isSameHost(origin: string, host: string): boolean {
  try {
    const url = new URL(origin)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return false
    // The scheme of the origin tells which port a host without one means.
    return url.host === new URL(`${url.protocol}//${host}`).host
  } catch {
    return false
  }
}
