import type { RequestHead } from './protocol.ts'

const storing = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas'])
const meta = new Set(['mg', 'ms', 'md', 'ma', 'me', 'mn'])
/** Commands whose second word, if any, is a key. */
const keyed = new Set([...storing, ...meta, 'get', 'gets', 'incr', 'decr', 'delete', 'touch'])

/** The server takes no longer key. */
const longestKey = 250
const mostLength = 2 ** 31 - 3

const noDetail: RequestHead['detail'] = {}

/** A command of the text protocol. */
export class MemcacheRequest implements RequestHead {
  readonly verb: string | null
  readonly path: string | null
  readonly text: string
  readonly replies: 0 | 1
  readonly detail = noDetail
  /** Bytes of the value that follows the line, the end of its line included; 0: none. */
  readonly valueLength: number
  /** A meta command that has a reply only when something is to be told. */
  readonly isQuiet: boolean
  /** Flags of a meta command that its reply repeats: its opaque and, with `k`, its key. */
  readonly repeated: readonly string[]

  /** @param line without its end, in Latin-1; or the beginning of one that goes on */
  constructor(line: string) {
    const words = line.split(' ').filter((word) => word !== '')
    // The server knows its commands in lower case only.
    const command = words[0] ?? ''
    this.verb = command === '' ? null : command.toUpperCase()
    this.text = decoded(line)
    const key = keyOf(command, words)
    this.path = key === undefined ? null : decoded(key)
    this.valueLength = valueLengthOf(command, words)
    const isMeta = meta.has(command)
    const flags = isMeta ? words.slice(command === 'ms' ? 3 : 2) : []
    this.isQuiet = flags.includes('q')
    this.repeated = isMeta ? repeatedOf(flags, words[1] ?? '') : []
    const isSilent = command === 'quit' || this.isQuiet || (!isMeta && takesNoreply(command, words))
    this.replies = isSilent ? 0 : 1
  }

  get isMeta(): boolean {
    return meta.has(this.verb?.toLowerCase() ?? '')
  }

  get label(): string {
    if (this.verb === null) return 'empty line'
    const label = this.path === null ? this.verb : `${this.verb} ${this.path}`
    return label.replaceAll(/[\p{Cc}\p{Cs}]/gu, '?').slice(0, 200)
  }

  header(): undefined {
    return undefined
  }
}

function keyOf(command: string, words: readonly string[]): string | undefined {
  if (command === 'gat' || command === 'gats') return words[2]
  return keyed.has(command) && command !== 'mn' ? words[1] : undefined
}

/** What the server reads as a value: nothing after a line that it refuses for its form. */
function valueLengthOf(command: string, words: readonly string[]): number {
  if (command === 'ms') return words.length >= 3 && isKey(words[1]) ? lengthOf(words[2]) : 0
  if (!storing.has(command)) return 0
  const wanted = command === 'cas' ? 6 : 5
  if (words.length !== wanted && words.length !== wanted + 1) return 0
  const isWellFormed =
    isKey(words[1]) && isNumber(words[2], 0, 2 ** 32 - 1) && isNumber(words[3], -(2 ** 31), 2 ** 31 - 1)
  if (command === 'cas' && !/^[+-]?\d+$/.test(words[5] ?? '')) return 0
  return isWellFormed ? lengthOf(words[4]) : 0
}

function isKey(word: string | undefined): boolean {
  return word !== undefined && word.length <= longestKey
}

function isNumber(word: string | undefined, from: number, to: number): boolean {
  if (word === undefined || !/^[+-]?\d+$/.test(word)) return false
  const number = Number(word)
  return number >= from && number <= to
}

function lengthOf(word: string | undefined): number {
  return isNumber(word, 0, mostLength) ? Number(word) + 2 : 0
}

function takesNoreply(command: string, words: readonly string[]): boolean {
  const takes =
    storing.has(command) ||
    ['incr', 'decr', 'delete', 'touch', 'flush_all', 'verbosity', 'cache_memlimit'].includes(command)
  return takes && words.length > 1 && words.at(-1) === 'noreply'
}

function repeatedOf(flags: readonly string[], key: string): readonly string[] {
  const repeated = flags.filter((flag) => flag.startsWith('O'))
  if (flags.includes('k')) repeated.push(`k${key}`)
  return repeated
}

function decoded(latin1: string): string {
  return /[\u0080-\u00ff]/.test(latin1) ? Buffer.from(latin1, 'latin1').toString() : latin1
}
