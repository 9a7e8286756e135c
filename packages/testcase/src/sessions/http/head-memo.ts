import { AnswerHead } from './answer-head.ts'
import { readWords } from './read-buffer.ts'

/** Longest head that is remembered, in bytes. */
const maxBytes = 4096

/** How many are remembered. */
const slots = 64

/**
 * Heads that were parsed lately. Answers to one request have the same head for as long as their Date does not change,
 * and to compare words is several times faster than to parse bytes; a head that differs costs a few words more.
 */
export class HeadMemo {
  head = new AnswerHead()
  text = ''
  /** Bytes up to the empty line. */
  length = 0
  readonly #words = new Int32Array(maxBytes / 4)
  #lastBytes = 0

  /** Whether the bytes at the start of the read buffer are this head and its empty line, and end with or before `end`. */
  matches(end: number): boolean {
    const { length } = this
    if (length === 0 || length + 2 > end) return false
    const words = this.#words
    const count = (length + 2) >> 2
    for (let index = 0; index < count; index++) if (words[index] !== readWords[index]) return false
    return (readWords[count]! & maskOf(length + 2)) === this.#lastBytes
  }

  /** Remembers the head at the start of the read buffer. Takes the parsed one over. */
  keep(head: AnswerHead, text: string, length: number): void {
    if (length + 8 > maxBytes) return
    const count = (length + 2) >> 2
    for (let index = 0; index < count; index++) this.#words[index] = readWords[index]!
    this.#lastBytes = readWords[count]! & maskOf(length + 2)
    this.head = head
    this.text = text
    this.length = length
  }
}

/** Those bytes of the last word that belong to something that long; words have their first byte in the lowest place. */
function maskOf(length: number): number {
  return (1 << ((length & 3) * 8)) - 1
}

const memos: (HeadMemo | undefined)[] = Array.from({ length: slots })

/** The memo of a series of requests. Two that share one by chance only make it less useful. */
export function headMemoOf(name: string): HeadMemo {
  let hash = 0
  for (let index = 0; index < name.length; index++) hash = (hash * 31 + name.charCodeAt(index)) | 0
  return (memos[hash & (slots - 1)] ??= new HeadMemo())
}
