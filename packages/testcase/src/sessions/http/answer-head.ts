/** Longest head, and longest trailers, of an answer: bytes. */
export const maxHeadBytes = 64 * 1024

/** Most headers of an answer. */
export const maxHeaders = 1000

/** Bytes that a header's name is made of (RFC 9110 `tchar`). */
const isToken = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~") isToken[char.charCodeAt(0)] = 1
for (let code = 0; code < 128; code++) if (/[0-9A-Za-z]/.test(String.fromCharCode(code))) isToken[code] = 1

/** Bytes that a header's value is made of. */
const isValue = new Uint8Array(256).fill(1, 0x20)
isValue[0x09] = 1
isValue[0x7f] = 0

const CR = 13
const LF = 10
const SPACE = 32
const TAB = 9
const COLON = 58

/** An answer that is not HTTP/1.1. */
export class MalformedAnswer extends Error {
  readonly code = 'LOADS_MALFORMED'
}

/**
 * The lines of an answer's head (and of its trailers), one call per line. Every byte is checked: what a strict parser
 * refuses (bare CR or LF, folded lines, a space before the colon, two lengths, a length beside a transfer coding) is
 * refused here, since two readers could understand it in two ways.
 *
 * The bytes must be followed by a 0, which belongs to no line: so the loops need not look after the end.
 */
export class AnswerHead {
  status = 0
  /** Of the body; -1 where none is said. */
  contentLength = -1
  transferCoded = false
  chunked = false
  /** HTTP/1.1, and not 1.0. */
  modern = false
  saysClose = false
  saysKeepAlive = false
  /** Seconds of `Keep-Alive: timeout=`; -1 without. */
  keepAliveSeconds = -1
  setsCookies = false
  headers = 0

  /** Whether the other side means to keep the connection. */
  get persistent(): boolean {
    return !this.saysClose && (this.modern || this.saysKeepAlive)
  }

  reset(): void {
    this.status = 0
    this.contentLength = -1
    this.transferCoded = false
    this.chunked = false
    this.modern = false
    this.saysClose = false
    this.saysKeepAlive = false
    this.keepAliveSeconds = -1
    this.setsCookies = false
    this.headers = 0
  }

  /**
   * @returns where the next line begins; -1 where the line is not complete
   * @throws {MalformedAnswer}
   */
  statusLine(bytes: Buffer, start: number, end: number): number {
    // "HTTP/1.1 200 OK\r\n"; the text after the status may be missing.
    for (let index = 0; index < 7; index++) {
      if (bytes[start + index] === httpOne[index]) continue
      if (start + index >= end) return -1
      throw new MalformedAnswer(`it begins with ${quote(bytes, start, end)}, not with HTTP/1.1`)
    }
    if (start + 12 > end) return -1
    const minor = bytes[start + 7]! - 48
    const [a, b, c] = [bytes[start + 9]! - 48, bytes[start + 10]! - 48, bytes[start + 11]! - 48]
    const digits = a >= 1 && a <= 9 && b >= 0 && b <= 9 && c >= 0 && c <= 9
    if ((minor !== 0 && minor !== 1) || bytes[start + 8] !== SPACE || !digits) {
      throw new MalformedAnswer(`its status line is ${quote(bytes, start, end)}`)
    }
    let at = start + 12
    if (bytes[at] === SPACE) while (at < end && bytes[at] !== CR && bytes[at] !== LF) at++
    if (bytes[at] !== CR) return this.#unfinished('status line', bytes, start, at, end)
    if (bytes[at + 1] !== LF) return this.#unfinished('status line', bytes, start, at + 1, end)
    this.modern = minor === 1
    this.status = a * 100 + b * 10 + c
    return at + 2
  }

  /**
   * @returns where the next line begins; -1 where the line is not complete
   * @throws {MalformedAnswer}
   */
  headerLine(bytes: Buffer, start: number, end: number, trailer: boolean): number {
    let at = start
    while (isToken[bytes[at]!] === 1) at++
    const nameEnd = at
    if (bytes[at] !== COLON || at === start) return this.#unfinished('header', bytes, start, at, end)
    at++
    while (isValue[bytes[at]!] === 1) at++
    if (bytes[at] !== CR) return this.#unfinished('header', bytes, start, at, end)
    if (bytes[at + 1] !== LF) return this.#unfinished('header', bytes, start, at + 1, end)
    if (++this.headers > maxHeaders) throw new MalformedAnswer(`it has more than ${maxHeaders} headers`)
    switch (nameEnd - start) {
      case 10:
        if (!trailer) this.#lengthTen(bytes, start, nameEnd + 1, at)
        break
      case 14:
        if (isName(bytes, start, 'content-length')) this.#contentLength(bytes, nameEnd + 1, at)
        break
      case 16:
        if (!trailer && isName(bytes, start, 'proxy-connection')) this.#connection(bytes, nameEnd + 1, at)
        break
      case 17:
        if (isName(bytes, start, 'transfer-encoding')) this.#transferEncoding(bytes, nameEnd + 1, at, trailer)
    }
    return at + 2
  }

  #lengthTen(bytes: Buffer, start: number, valueStart: number, end: number): void {
    if (isName(bytes, start, 'set-cookie')) this.setsCookies = true
    else if (isName(bytes, start, 'connection')) this.#connection(bytes, valueStart, end)
    else if (isName(bytes, start, 'keep-alive')) {
      const seconds = /timeout=(\d+)/i.exec(bytes.toString('latin1', valueStart, end))?.[1]
      if (seconds !== undefined) this.keepAliveSeconds = Number(seconds)
    }
  }

  #connection(bytes: Buffer, valueStart: number, end: number): void {
    const start = bytes[valueStart] === SPACE ? valueStart + 1 : valueStart
    if (end - start === 10 && isName(bytes, start, 'keep-alive')) {
      this.saysKeepAlive = true
      return
    }
    for (const word of bytes.toString('latin1', start, end).toLowerCase().split(',')) {
      const token = word.trim()
      if (token === 'close') this.saysClose = true
      else if (token === 'keep-alive') this.saysKeepAlive = true
    }
  }

  #contentLength(bytes: Buffer, start: number, end: number): void {
    let at = start
    while (bytes[at] === SPACE || bytes[at] === TAB) at++
    let length = 0
    const first = at
    for (; at < end; at++) {
      const digit = bytes[at]! - 48
      if (digit < 0 || digit > 9) break
      length = length * 10 + digit
    }
    const digits = at - first
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++
    if (digits === 0 || at !== end || length > Number.MAX_SAFE_INTEGER) {
      throw new MalformedAnswer(`its Content-Length is ${quote(bytes, start, end)}`)
    }
    if (this.contentLength !== -1) throw new MalformedAnswer('it has two Content-Lengths')
    if (this.transferCoded) throw new MalformedAnswer('it has both Content-Length and Transfer-Encoding')
    this.contentLength = length
  }

  #transferEncoding(bytes: Buffer, start: number, end: number, trailer: boolean): void {
    if (this.contentLength !== -1) {
      throw new MalformedAnswer('it has both Content-Length and Transfer-Encoding')
    }
    if (trailer) return
    this.transferCoded = true
    // Only the last coding says where the body ends.
    const codings = bytes.toString('latin1', start, end).toLowerCase().split(',')
    this.chunked = codings.at(-1)!.trim() === 'chunked'
  }

  /** A line ends for want of bytes, or for a byte that does not belong there. */
  #unfinished(what: string, bytes: Buffer, start: number, at: number, end: number): -1 {
    if (at >= end) return -1
    throw new MalformedAnswer(`its ${what} ${quote(bytes, start, end)} has a wrong byte at ${at - start}`)
  }
}

const httpOne = Buffer.from('HTTP/1.', 'latin1')

/** Whether a name of the right length is this one (in lower case), whatever its case. */
function isName(bytes: Buffer, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const code = bytes[start + index]!
    if (code === name.charCodeAt(index)) continue
    // Letters alone have another case; '-' is no letter.
    if (code < 65 || code > 90 || code + 32 !== name.charCodeAt(index)) return false
  }
  return true
}

function quote(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('latin1', start, Math.min(end, start + 60))
  const line = text.indexOf('\n')
  return JSON.stringify(line === -1 ? text : text.slice(0, line))
}
