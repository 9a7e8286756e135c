const lineFeed = 0x0a

/** Of a line, what is kept: the longest that has a meaning is a key of 250 bytes and some numbers. */
const mostOfLine = 2048

/** Finds where replies of memcached end, in bytes that are split anywhere; their own words say so, whatever was asked. */
export class MemcacheFramer {
  /** The first line without its end, in Latin-1; of a very long one the beginning. */
  line = ''
  /** Whether `line` is known. */
  isKnown = false
  isDone = true
  #current = ''
  #bodyLeft = 0
  #endsBehindBody = false

  start(): void {
    this.line = ''
    this.isKnown = false
    this.isDone = false
    this.#current = ''
    this.#bodyLeft = 0
    this.#endsBehindBody = false
  }

  /** @returns the offset behind the last byte that belongs to the reply; -1: this is none */
  scan(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && !this.isDone) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, bytes.length - at)
        at += taken
        this.#bodyLeft -= taken
        if (this.#bodyLeft === 0 && this.#endsBehindBody) this.isDone = true
        continue
      }
      const end = bytes.indexOf(lineFeed, at)
      const behind = end === -1 ? bytes.length : end
      const room = mostOfLine - this.#current.length
      if (room > 0) this.#current += bytes.toString('latin1', at, Math.min(behind, at + room))
      if (!this.isKnown && (end !== -1 || this.#current.length === mostOfLine)) {
        this.line = withoutReturn(this.#current)
        this.isKnown = true
      }
      if (end === -1) return bytes.length
      at = end + 1
      const body = bodyOf(withoutReturn(this.#current))
      this.#current = ''
      if (body === undefined) return -1
      if (body === 'ends') this.isDone = true
      else if (body !== 'goes on') {
        this.#bodyLeft = body.length + 2
        this.#endsBehindBody = body.isLast
      }
    }
    return at
  }
}

/** What follows a line of a reply; undefined: it is none. */
export function bodyOf(line: string): { length: number; isLast: boolean } | 'goes on' | 'ends' | undefined {
  const words = line.split(' ')
  switch (words[0]) {
    case 'VALUE':
      return valueOf(words[3], false)
    case 'VA':
      return valueOf(words[1], true)
    case 'STAT':
    case 'ITEM':
    case 'PREFIX':
    case 'mg': // of a dump of all keys
      return 'goes on'
    default:
      return line.startsWith('key=') ? 'goes on' : 'ends'
  }
}

function valueOf(
  length: string | undefined,
  isLast: boolean,
): { length: number; isLast: boolean } | undefined {
  return length !== undefined && /^\d{1,10}$/.test(length) ? { length: Number(length), isLast } : undefined
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
