import type { CookieJar } from 'tough-cookie'
import { toughCookie } from '../libraries.ts'

export interface CookieOptions {
  /** Whose cookie it is; default: the server. */
  url?: string
  path?: string
  domain?: string
  secure?: boolean
  /** Seconds. */
  maxAge?: number
}

/**
 * The cookies of one user, kept as a browser keeps them (RFC 6265; jar and rules of tough-cookie). The jar is made when
 * the first cookie arrives, so users without cookies pay nothing.
 */
export class Cookies {
  #jar: CookieJar | null = null
  /** Cookie headers by URL, until a cookie changes or expires. */
  #headers = new Map<string, string>()
  #headersUntil = Infinity
  readonly #resolve: (url: string) => string

  /** @param resolve makes a full URL of a relative one */
  constructor(resolve: (url: string) => string) {
    this.#resolve = resolve
  }

  get isEmpty(): boolean {
    return this.#jar === null
  }

  /** Takes one Set-Cookie header from an answer of this URL. A cookie that the rules forbid is left out. */
  store(setCookie: string, url: string): void {
    this.#jar ??= new (toughCookie().CookieJar)(undefined, { looseMode: true, allowSpecialUseDomain: true })
    try {
      this.#jar.setCookieSync(setCookie, url, { ignoreError: true })
    } catch {
      // A header that is no cookie at all.
    }
    this.#headers.clear()
    this.#headersUntil = Infinity
  }

  /** The Cookie header for a request to this URL; '' without cookies. */
  header(url: string): string {
    if (this.#jar === null) return ''
    if (Date.now() >= this.#headersUntil || this.#headers.size > 1000) {
      this.#headers.clear()
      this.#headersUntil = Infinity
    }
    let header = this.#headers.get(url)
    if (header === undefined) {
      const cookies = this.#jar.getCookiesSync(url)
      for (const cookie of cookies) {
        const expiry = cookie.expiryTime()
        if (expiry !== undefined && expiry < this.#headersUntil) this.#headersUntil = expiry
      }
      header = cookies.map((cookie) => cookie.cookieString()).join('; ')
      this.#headers.set(url, header)
    }
    return header
  }

  /** Name and value of the cookies that a request carries; the URL may be relative, and is the server's root if left out. */
  all(url = '/'): Record<string, string> {
    const found: Record<string, string> = {}
    if (this.#jar === null) return found
    for (const cookie of this.#jar.getCookiesSync(this.#resolve(url))) found[cookie.key] = cookie.value
    return found
  }

  get(name: string, url = '/'): string | undefined {
    return this.all(url)[name]
  }

  /** Sets a cookie as if the server (or the one at that URL) had. */
  set(name: string, value: string, options: CookieOptions = {}): void {
    let text = `${name}=${value}; Path=${options.path ?? '/'}`
    if (options.domain !== undefined) text += `; Domain=${options.domain}`
    if (options.maxAge !== undefined) text += `; Max-Age=${options.maxAge}`
    if (options.secure === true) text += '; Secure'
    this.store(text, this.#resolve(options.url ?? '/'))
  }

  clear(): void {
    this.#jar = null
    this.#headers.clear()
    this.#headersUntil = Infinity
  }
}
