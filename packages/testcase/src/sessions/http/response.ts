import { BodyError } from '../../errors.ts'
import { decodeBody } from './content-coding.ts'
import type { HttpCall } from './http-call.ts'
import { ResponseHeaders, type RawHeaders } from './response-headers.ts'

/** Longest decoded body, in bytes: what a small compressed one may unfold to. */
const maxDecodedBytes = 512 * 1024 * 1024

/**
 * A complete answer: the body is read to its end before the test gets it. Everything but the status is worked out when
 * first asked, so a test that looks at the status only pays for nothing else.
 */
export class HttpResponse {
  readonly status: number
  /** Milliseconds of service time of this hop: from sending the request to the last byte. */
  readonly elapsed: number
  /** Bytes received: head and body, as they came over the connection (compressed). */
  readonly bytesIn: number
  /** Whether redirects were followed to get here. */
  redirected = false
  /** @internal False where it certainly sets none. */
  readonly mayHaveCookies: boolean
  readonly #call: HttpCall
  readonly #rawHeaders: RawHeaders
  /** As it came; small ones as latin1 text. */
  readonly #body: string | Buffer | null
  #headers: ResponseHeaders | null = null
  #bytes: Buffer | null = null
  #text: string | null = null

  /** @internal */
  constructor(
    call: HttpCall,
    status: number,
    rawHeaders: RawHeaders,
    body: string | Buffer | null,
    bytesIn: number,
    elapsed: number,
    mayHaveCookies: boolean,
  ) {
    this.#call = call
    this.status = status
    this.#rawHeaders = rawHeaders
    this.#body = body
    this.bytesIn = bytesIn
    this.elapsed = elapsed
    this.mayHaveCookies = mayHaveCookies
  }

  /** Status 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  /** The URL that answered, without credentials: the last one where redirects were followed. */
  get url(): string {
    return this.#call.href
  }

  /** @internal What was sent. */
  get call(): HttpCall {
    return this.#call
  }

  get method(): string {
    return this.#call.method
  }

  get headers(): ResponseHeaders {
    return (this.#headers ??= new ResponseHeaders(this.#rawHeaders))
  }

  /** Cookies that this answer sets, by name. Those the user has are `session.cookies`. */
  get cookies(): Record<string, string> {
    const cookies: Record<string, string> = {}
    for (const header of this.headers.getSetCookie()) {
      const pair = header.split(';', 1)[0]!
      const equals = pair.indexOf('=')
      if (equals > 0) cookies[pair.slice(0, equals).trim()] = pair.slice(equals + 1).trim()
    }
    return cookies
  }

  /**
   * The body, decompressed.
   *
   * @throws {BodyError} it cannot be decompressed
   */
  get bytes(): Buffer {
    if (this.#bytes !== null) return this.#bytes
    const body = this.#body ?? ''
    const whole = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
    const coding = whole.length === 0 ? null : this.headers.get('content-encoding')
    return (this.#bytes = coding === null ? whole : decodeBody(whole, coding, maxDecodedBytes))
  }

  /**
   * The body as text, in the charset of Content-Type, else UTF-8.
   *
   * @throws {BodyError} it cannot be decompressed
   */
  text(): string {
    if (this.#text !== null) return this.#text
    const charset = /charset="?([\w.:-]+)/i.exec(this.headers.get('content-type') ?? '')?.[1]
    return (this.#text = decodeText(this.bytes, charset?.toLowerCase() ?? 'utf-8'))
  }

  /**
   * The body as JSON.
   *
   * @throws {BodyError} it is none; the message shows how it begins
   */
  json<T = unknown>(): T {
    const text = this.text()
    try {
      return JSON.parse(text) as T
    } catch (cause) {
      const start = text.length > 200 ? `${text.slice(0, 200)}...` : text
      throw new BodyError(`${this.method} ${this.status}: the body is no JSON: ${JSON.stringify(start)}`, {
        cause,
      })
    }
  }
}

function decodeText(bytes: Buffer, charset: string): string {
  if (charset === 'utf-8' || charset === 'utf8') return bytes.toString('utf8')
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    // An unknown name of a charset is no reason to lose the text.
    return bytes.toString('utf8')
  }
}
