import type { RequestHead } from './protocol.ts'

/** How many bytes follow a head: a number, pieces that tell their sizes, or all until the end of the stream. */
export type BodyLength = number | 'chunked' | 'until-end'

/** Why bytes are not taken for HTTP/1: what they mean would be a guess. */
export class NotHttp extends Error {
  override readonly name = 'NotHttp'
}

// Of tokens (RFC 9110, 5.6.2), and of heads as a whole: line ends are CRLF, and nothing continues a line.
const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\s]+) HTTP\/(\d)\.(\d)$/
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?$/
const badBytes = /\r(?!\n)|(?:^|[^\r])\n|\0|\r\n[ \t]/
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** What the start line and the fields of a message say of its framing. */
class HttpHead {
  /** Without the empty line at its end. */
  readonly bytes: string
  readonly lineEnd: number
  /** Of the start line. */
  protected readonly parts: RegExpExecArray
  /** Null: not told. */
  contentLength: number | null = null
  codings: string | null = null
  connection = ''
  upgrade: string | null = null
  expect: string | null = null

  /** @throws {NotHttp} */
  constructor(bytes: string, start: number, startLine: RegExp) {
    this.bytes = bytes
    const lineEnd = bytes.indexOf('\r\n', start)
    this.lineEnd = lineEnd < 0 ? bytes.length : lineEnd
    const parts = startLine.exec(bytes.slice(start, this.lineEnd))
    if (parts === null) throw new NotHttp('it does not begin as HTTP/1 does')
    this.parts = parts
    if (badBytes.test(bytes)) throw new NotHttp('line ends that are none of HTTP')
    for (let at = this.lineEnd + 2; at < bytes.length;) {
      const end = bytes.indexOf('\r\n', at)
      this.#field(at, end < 0 ? bytes.length : end)
      at = end < 0 ? bytes.length : end + 2
    }
  }

  /** Values of all fields of a name, which is lower case. */
  field(name: string): string | undefined {
    const found: string[] = []
    for (const line of this.bytes.slice(this.lineEnd + 2).split('\r\n')) {
      const colon = line.indexOf(':')
      if (colon === name.length && line.slice(0, colon).toLowerCase() === name)
        found.push(line.slice(colon + 1).trim())
    }
    return found.length === 0 ? undefined : found.join(', ')
  }

  /** Looks at the few fields that framing depends on. */
  #field(at: number, end: number): void {
    const colon = this.bytes.indexOf(':', at)
    if (colon <= at || colon >= end) throw new NotHttp('a field without a name')
    const name = this.bytes.slice(at, colon)
    if (!fieldName.test(name)) throw new NotHttp('a name of a field that is none')
    // By length, so that most fields cost no more than this.
    switch (name.length) {
      case 6:
        if (name.toLowerCase() === 'expect') this.expect = this.#value(colon, end).toLowerCase()
        return
      case 7:
        if (name.toLowerCase() === 'upgrade') this.upgrade = this.#value(colon, end)
        return
      case 10:
        if (name.toLowerCase() === 'connection')
          this.connection += `,${this.#value(colon, end).toLowerCase()}`
        return
      case 14:
        if (name.toLowerCase() !== 'content-length') return
        if (this.contentLength !== null) throw new NotHttp('two lengths')
        this.contentLength = lengthOf(this.#value(colon, end))
        return
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') return
        if (this.codings !== null) throw new NotHttp('two transfer encodings')
        this.codings = this.#value(colon, end).toLowerCase()
        return
      default:
    }
  }

  #value(colon: number, end: number): string {
    return this.bytes.slice(colon + 1, end).trim()
  }

  hasOption(option: string): boolean {
    return this.connection !== '' && this.connection.split(',').some((each) => each.trim() === option)
  }

  /** @throws {NotHttp} when lengths contradict each other */
  protected framing(isAncient: boolean): number | 'chunked' | 'other' | null {
    if (this.codings === null) return this.contentLength
    if (this.contentLength !== null) throw new NotHttp('a length and a transfer encoding')
    if (isAncient) throw new NotHttp('a transfer encoding in HTTP/1.0')
    const codings = this.codings.split(',').map((each) => each.trim())
    const place = codings.indexOf('chunked')
    if (place < 0) return 'other'
    if (place !== codings.length - 1) throw new NotHttp('chunks within another transfer encoding')
    return 'chunked'
  }
}

/** The head of a request, parsed once. */
export class HttpRequest extends HttpHead implements RequestHead {
  readonly replies = 1
  readonly verb: string
  readonly target: string
  readonly isAncient: boolean
  readonly body: number | 'chunked'

  /**
   * @param bytes as latin1, without the empty line at the end
   * @throws {NotHttp}
   */
  constructor(bytes: string) {
    let start = 0
    while (bytes.startsWith('\r\n', start)) start += 2
    super(bytes, start, requestLine)
    const { parts } = this
    if (parts[3] !== '1') throw new NotHttp(`HTTP/${parts[3]!}`)
    this.verb = parts[1]!
    this.target = parts[2]!
    this.isAncient = parts[4] === '0'
    const framing = this.framing(this.isAncient)
    if (framing === 'other') throw new NotHttp('a transfer encoding without chunks')
    this.body = framing ?? 0
  }

  get text(): string {
    return this.parts[0]
  }

  get path(): string {
    const origin = this.target.startsWith('/') ? this.target : this.target.replace(/^[a-z]+:\/\/[^/?#]*/i, '')
    const query = origin.search(/[?#]/)
    return (query < 0 ? origin : origin.slice(0, query)) || '/'
  }

  /** Without the query, in which there may be secrets. */
  get label(): string {
    const where = this.verb === 'CONNECT' ? this.target : this.path
    return `${this.verb} ${where}`.slice(0, 200)
  }

  get detail(): Readonly<Record<string, string | number | boolean>> {
    return {
      method: this.verb,
      keepAlive: this.isAncient ? this.hasOption('keep-alive') : !this.hasOption('close'),
      isAncient: this.isAncient,
      expects: this.expect === '100-continue' && this.body !== 0,
      tunnels: this.tunnels,
    }
  }

  /** Whether its answer may turn the connection into something else. */
  get tunnels(): boolean {
    return this.verb === 'CONNECT' || (this.upgrade !== null && this.hasOption('upgrade'))
  }

  header(name: string): string | undefined {
    return this.field(name)
  }
}

/** The head of a reply, parsed once. */
export class HttpReply extends HttpHead {
  readonly status: number
  readonly #framing: number | 'chunked' | 'other' | null

  /** @throws {NotHttp} */
  constructor(bytes: string) {
    super(bytes, 0, statusLine)
    this.status = Number(this.parts[2])
    this.#framing = this.framing(this.parts[1] === '0')
  }

  get isInterim(): boolean {
    return this.status < 200 && this.status !== 101
  }

  /** What follows it, as an answer to a request of that method. */
  bodyFor(method: string): BodyLength {
    const { status } = this
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0
    return this.#framing === 'other' || this.#framing === null ? 'until-end' : this.#framing
  }

  /** Whether the connection is a tunnel from here on. */
  tunnelsFor(method: string): boolean {
    return this.status === 101 || (method === 'CONNECT' && this.status >= 200 && this.status < 300)
  }
}

/** Whether bytes may yet become the start line of a request: what they are so far, up to its end at most. */
export function mayBecomeRequest(text: string): boolean {
  const line = text.replace(/^(?:\r\n)+/, '')
  const end = line.indexOf('\r\n')
  if (end >= 0) return requestLine.test(line.slice(0, end))
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]*(?: [^\s]*(?: [HTP/.\d]*)?)?\r?$/.test(line)
}

/** The same of a reply. */
export function mayBecomeReply(text: string): boolean {
  const end = text.indexOf('\r\n')
  if (end >= 0) return statusLine.test(text.slice(0, end))
  return text.length < 7 ? 'HTTP/1.'.startsWith(text) : text.startsWith('HTTP/1.') && !text.includes('\n')
}

function lengthOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new NotHttp('a length that is no number')
  return Number(value)
}
