import type { RequestHead } from './protocol.ts'

/** How many bytes follow a head: a number, pieces that tell their sizes, or all until the end of the stream. */
export type BodyLength = number | 'chunked' | 'until-end'

/** Why bytes are not taken for HTTP/1: what they mean would be a guess. */
export class NotHttp extends Error {
  override readonly name = 'NotHttp'
}

const [tab, lf, cr, space, point, zero, colon, nonBreakingSpace] = [9, 10, 13, 0x20, 0x2e, 0x30, 0x3a, 0xa0]
const versionStart = Buffer.from(' HTTP/')
const versionLength = ' HTTP/1.1'.length
const replyStart = Buffer.from('HTTP/1.')

/** 1 for the bytes of tokens (RFC 9110, 5.6.2). */
const isToken = new Uint8Array(256)
for (const byte of Buffer.from(
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
))
  isToken[byte] = 1

/** What the fields of a message say of its framing. Read where they are, with nothing made of them: most are not asked for. */
class HttpHead {
  /** Null: not told. */
  contentLength: number | null = null
  codings: string | null = null
  hasUpgrade = false

  /**
   * Line ends are CRLF, and nothing continues a line.
   *
   * @param at behind the start line
   * @throws {NotHttp}
   */
  protected readFields(bytes: Buffer, from: number, to: number): void {
    let at = from
    while (at < to) {
      if (bytes[at] !== cr || bytes[at + 1] !== lf) throw new NotHttp('line ends that are none of HTTP')
      at += 2
      const name = at
      while (isToken[bytes[at]!] === 1) at++
      if (bytes[at] !== colon || at === name) throw new NotHttp(whyNoField(bytes, name, at))
      const value = at + 1
      at = endOfText(bytes, value, to)
      // By length, so that most fields cost no more than this.
      switch (value - 1 - name) {
        case 7:
          if (isNamed(bytes, name, 'upgrade')) this.hasUpgrade = true
          break
        case 14:
          if (!isNamed(bytes, name, 'content-length')) break
          if (this.contentLength !== null) throw new NotHttp('two lengths')
          this.contentLength = lengthOf(bytes, value, at)
          break
        case 17:
          if (!isNamed(bytes, name, 'transfer-encoding')) break
          if (this.codings !== null) throw new NotHttp('two transfer encodings')
          this.codings = bytes.toString('latin1', value, at).trim().toLowerCase()
          break
        default:
      }
    }
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
  readonly isAncient: boolean
  readonly body: number | 'chunked'
  /** Without the empty lines around it. */
  readonly #head: string
  readonly #line: RequestLine

  /**
   * @param to where the empty line at its end begins; the bytes are lent
   * @throws {NotHttp}
   */
  constructor(bytes: Buffer, from: number, to: number) {
    super()
    let start = from
    while (start < to && bytes[start] === cr && bytes[start + 1] === lf) start += 2
    const line = readRequestLine(bytes.subarray(start, to))
    if (line === null) throw new NotHttp('it does not begin as HTTP/1 does')
    if (line.major !== 1) throw new NotHttp(`HTTP/${line.major}`)
    this.readFields(bytes, start + line.end, to)
    this.#line = line
    this.#head = bytes.toString('latin1', start, to)
    this.verb = this.#head.slice(0, line.verbEnd)
    this.isAncient = line.minor === 0
    const framing = this.framing(this.isAncient)
    if (framing === 'other') throw new NotHttp('a transfer encoding without chunks')
    this.body = framing ?? 0
  }

  get text(): string {
    return this.#head.slice(0, this.#line.end)
  }

  get target(): string {
    return this.#head.slice(this.#line.verbEnd + 1, this.#line.targetEnd)
  }

  get path(): string {
    const { target } = this
    const origin = target.startsWith('/') ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
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
      keepAlive: this.isAncient ? this.#hasOption('keep-alive') : !this.#hasOption('close'),
      isAncient: this.isAncient,
      expects: this.body !== 0 && this.header('expect')?.toLowerCase() === '100-continue',
      tunnels: this.tunnels,
    }
  }

  /** Whether its answer may turn the connection into something else. */
  get tunnels(): boolean {
    return this.verb === 'CONNECT' || (this.hasUpgrade && this.#hasOption('upgrade'))
  }

  /** Values of all fields of a name, which is lower case. */
  header(name: string): string | undefined {
    return fieldOf(this.#head, name)
  }

  #hasOption(option: string): boolean {
    const options = this.header('connection')?.toLowerCase().split(',') ?? []
    return options.some((each) => each.trim() === option)
  }
}

/** The head of a reply, parsed once. */
export class HttpReply extends HttpHead {
  readonly status: number
  /** What it says that the connection becomes; null: nothing. */
  readonly upgrade: string | null
  readonly #framing: number | 'chunked' | 'other' | null

  /**
   * @param to where the empty line at its end begins; the bytes are lent
   * @throws {NotHttp}
   */
  constructor(bytes: Buffer, from: number, to: number) {
    super()
    const end = endOfText(bytes, from, to)
    if (!beginsReply(bytes, from, end)) throw new NotHttp('it does not begin as HTTP/1 does')
    this.status = (bytes[from + 9]! - zero) * 100 + (bytes[from + 10]! - zero) * 10 + bytes[from + 11]! - zero
    this.readFields(bytes, end, to)
    this.upgrade = this.hasUpgrade ? (fieldOf(bytes.toString('latin1', from, to), 'upgrade') ?? null) : null
    this.#framing = this.framing(bytes[from + 7] === zero)
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

/** Offsets within the line: METHOD TARGET HTTP/1.1. */
interface RequestLine {
  verbEnd: number
  targetEnd: number
  end: number
  major: number
  minor: number
}

/** @returns null: it is none */
function readRequestLine(bytes: Buffer): RequestLine | null {
  let at = 0
  while (isToken[bytes[at]!] === 1) at++
  const verbEnd = at
  if (at === 0 || bytes[at] !== space) return null
  at++
  for (let byte = bytes[at]!; byte > space && byte !== nonBreakingSpace; byte = bytes[at]!) at++
  const targetEnd = at
  const end = at + versionLength
  if (at === verbEnd + 1 || end > bytes.length || (end < bytes.length && bytes[end] !== cr)) return null
  for (const byte of versionStart) if (bytes[at++] !== byte) return null
  const [major, minor] = [bytes[at]! - zero, bytes[at + 2]! - zero]
  if (!isDigit(bytes[at]!) || bytes[at + 1] !== point || !isDigit(bytes[at + 2]!)) return null
  return { verbEnd, targetEnd, end, major, minor }
}

/** Whether a line is as HTTP/1.1 200 OK, the words behind the number aside. */
function beginsReply(bytes: Buffer, from: number, end: number): boolean {
  for (let at = 0; at < replyStart.length; at++) if (bytes[from + at] !== replyStart[at]) return false
  const minor = bytes[from + 7]! - zero
  const first = bytes[from + 9]! - zero
  if (end - from < 12 || minor < 0 || minor > 1 || bytes[from + 8] !== space || first < 1 || first > 5)
    return false
  if (!isDigit(bytes[from + 10]!) || !isDigit(bytes[from + 11]!)) return false
  return end - from === 12 || bytes[from + 12] === space
}

/** Whether bytes may yet become the start line of a request: what they are so far, up to its end at most. */
export function mayBecomeRequest(text: string): boolean {
  const line = text.replace(/^(?:\r\n)+/, '')
  const end = line.indexOf('\r\n')
  if (end >= 0) return readRequestLine(Buffer.from(line.slice(0, end), 'latin1')) !== null
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]*(?: [^\s]*(?: [HTP/.\d]*)?)?\r?$/.test(line)
}

/** The same of a reply. */
export function mayBecomeReply(text: string): boolean {
  const end = text.indexOf('\r\n')
  if (end >= 0) return beginsReply(Buffer.from(text, 'latin1'), 0, end)
  return text.length < 7 ? 'HTTP/1.'.startsWith(text) : text.startsWith('HTTP/1.') && !text.includes('\n')
}

/** Values of all fields of a name, which is lower case. */
function fieldOf(head: string, name: string): string | undefined {
  const found: string[] = []
  for (const line of head.split('\r\n').slice(1)) {
    const end = line.indexOf(':')
    if (end === name.length && line.slice(0, end).toLowerCase() === name)
      found.push(line.slice(end + 1).trim())
  }
  return found.length === 0 ? undefined : found.join(', ')
}

/** Where text ends that has no line end and no NUL in it. */
function endOfText(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!
    if (byte <= cr && (byte === cr || byte === lf || byte === 0)) return at
  }
  return to
}

/** @param name lower case: letters and `-` */
function isNamed(bytes: Buffer, from: number, name: string): boolean {
  for (let at = 0; at < name.length; at++)
    if ((bytes[from + at]! | 0x20) !== name.charCodeAt(at)) return false
  return true
}

function whyNoField(bytes: Buffer, name: number, end: number): string {
  if (isBlank(bytes[name]!)) return 'line ends that are none of HTTP: a continued line'
  return bytes[end] === colon || bytes[end] === cr
    ? 'a field without a name'
    : 'a name of a field that is none'
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= zero + 9
}

function lengthOf(bytes: Buffer, from: number, to: number): number {
  let [start, end] = [from, to]
  while (start < end && isBlank(bytes[start]!)) start++
  while (start < end && isBlank(bytes[end - 1]!)) end--
  let length = 0
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at]!)) throw new NotHttp('a length that is no number')
    length = length * 10 + bytes[at]! - zero
  }
  if (start === end || end - start > 15) throw new NotHttp('a length that is no number')
  return length
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab
}
