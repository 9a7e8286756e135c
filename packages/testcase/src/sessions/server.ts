import { ServerUrlError, UsageError } from '../errors.ts'

/** The server that relative URLs belong to: from the run (`--server-url`), else from the class (`static serverUrl`). */
export class Server {
  readonly #className: string
  #url: URL | null = null
  #text: string | null
  /** Grows with each change, so that what was derived from the old URL can be dropped. */
  version = 0

  constructor(url: string | null, className: string) {
    this.#className = className
    this.#text = url
  }

  get url(): string | null {
    return this.#text
  }

  set url(url: string | null) {
    this.#text = url
    this.#url = null
    this.version++
  }

  /** `scheme://host:port` of the server; null when there is none. */
  get origin(): string | null {
    return this.#text === null ? null : this.#parsed(this.#text).origin
  }

  /**
   * The full URL for a relative one. The path of the server's URL is kept in front of it.
   *
   * @throws {ServerUrlError} no server is known
   */
  resolve(relative: string): URL {
    if (this.#text === null) throw new ServerUrlError(relative, this.#className)
    const server = this.#parsed(this.#text)
    const base = server.pathname.endsWith('/') ? server.pathname.slice(0, -1) : server.pathname
    const separator = /^[/?#]/.test(relative) ? '' : '/'
    // Put together as text: as a relative reference, "//x" would name another host and "/x" would drop the server's path.
    const full = new URL(`${server.origin}${base}${separator}${relative}`)
    full.username = server.username
    full.password = server.password
    return full
  }

  #parsed(text: string): URL {
    if (this.#url === null) {
      if (!URL.canParse(text) || !/^https?:/i.test(text)) {
        throw new UsageError(
          `server URL "${text}" is no http:// or https:// URL, such as http://localhost:8080`,
        )
      }
      this.#url = new URL(text)
    }
    return this.#url
  }
}

/** Whether a URL carries its own scheme. */
export function isAbsolute(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url)
}
