const lineFeed = 0x0a
const asterisk = 0x2a
const dollar = 0x24

/** Words that a head has at most, and their bytes together; behind it a command is bytes only. */
const mostWords = 8
const mostHeadBytes = 16 * 1024
/** Bytes of a word that are looked at. */
const mostWordBytes = 1024
/** The server takes no longer line. */
const longestLine = 64 * 1024
const longestNumberLine = 32

/** The beginning of a command. What belongs to it depends on the bytes alone, never on how they were split. */
export interface CommandHead {
  /** In Latin-1, cut where they are long. */
  words: readonly string[]
  /** Words of the whole command; 0: nothing that the server answers. */
  length: number
  /** Offset behind the head. */
  end: number
  /** Bulk strings that follow it. */
  left: number
}

/** @returns more: the head is not complete; undefined: this is no command */
export function readCommandHead(bytes: Buffer, from: number): CommandHead | 'more' | undefined {
  return bytes[from] === asterisk ? readArray(bytes, from) : readInline(bytes, from)
}

function readArray(bytes: Buffer, from: number): CommandHead | 'more' | undefined {
  const line = readNumberLine(bytes, from)
  if (typeof line !== 'object') return line
  const length = Math.max(0, line.number)
  const words: string[] = []
  let at = line.end
  let room = mostHeadBytes
  while (words.length < length && words.length < mostWords) {
    if (at >= bytes.length) return 'more'
    if (bytes[at] !== dollar) return undefined
    const size = readNumberLine(bytes, at)
    if (typeof size !== 'object') return size
    if (size.number < 0) return undefined
    room -= size.number
    if (room < 0) break
    const end = size.end + size.number
    if (end + 2 > bytes.length) return 'more'
    words.push(bytes.toString('latin1', size.end, Math.min(end, size.end + mostWordBytes)))
    at = end + 2
  }
  return { words, length, end: at, left: length - words.length }
}

/** The number behind the first byte of a line. */
function readNumberLine(bytes: Buffer, from: number): { number: number; end: number } | 'more' | undefined {
  let number = 0
  let at = from + 1
  const isNegative = bytes[at] === 0x2d
  if (isNegative) at++
  const first = at
  for (; at < bytes.length; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) break
    number = number * 10 + digit
  }
  if (at - from > longestNumberLine || !Number.isSafeInteger(number)) return undefined
  if (at >= bytes.length) return 'more'
  if (at === first || bytes[at] !== 0x0d) return undefined
  if (at + 1 >= bytes.length) return 'more'
  if (bytes[at + 1] !== lineFeed) return undefined
  return { number: isNegative ? -number : number, end: at + 2 }
}

/** A command as a person types it: one line, words apart by spaces, some in quotes. */
function readInline(bytes: Buffer, from: number): CommandHead | 'more' | undefined {
  const end = bytes.indexOf(lineFeed, from)
  if ((end === -1 ? bytes.length : end) - from > longestLine) return undefined
  if (end === -1) return 'more'
  const line = bytes.toString('latin1', from, end)
  const all = line.match(/"(?:\\.|[^"\\])*"|'(?:\\'|[^'])*'|\S+/g) ?? []
  const words = all.slice(0, mostWords).map((word) => unquoted(word).slice(0, mostWordBytes))
  return { words, length: all.length, end: end + 1, left: 0 }
}

function unquoted(word: string): string {
  if (!/^(".*"|'.*')$/s.test(word) || word.length < 2) return word
  return word.slice(1, -1).replaceAll(/\\(["'\\])/g, '$1')
}
