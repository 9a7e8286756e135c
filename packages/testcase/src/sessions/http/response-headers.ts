/** Headers as a connection got them: names and values in turn, or the lines of the head as text. */
export type RawHeaders = string | readonly string[] | readonly Buffer[]

/** Headers of an answer, as they came. Names are found whatever their case; read-only. */
export class ResponseHeaders implements Iterable<[name: string, value: string]> {
  /** Names in lower case, and values, in turn. */
  readonly #list: readonly string[]

  constructor(raw: RawHeaders) {
    this.#list = typeof raw === 'string' ? listOfLines(raw) : listOf(raw)
  }

  /** The value; several of one name joined by a comma; null without. */
  get(name: string): string | null {
    const values = this.getAll(name)
    return values.length === 0 ? null : values.join(', ')
  }

  getAll(name: string): string[] {
    const wanted = name.toLowerCase()
    const values: string[] = []
    for (let index = 0; index < this.#list.length; index += 2) {
      if (this.#list[index] === wanted) values.push(this.#list[index + 1]!)
    }
    return values
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0
  }

  getSetCookie(): string[] {
    return this.getAll('set-cookie')
  }

  *[Symbol.iterator](): Iterator<[name: string, value: string]> {
    for (let index = 0; index < this.#list.length; index += 2) {
      yield [this.#list[index]!, this.#list[index + 1]!]
    }
  }

  /** Names in lower case with their (joined) values. */
  toJSON(): Record<string, string> {
    const all: Record<string, string> = {}
    for (const [name] of this) all[name] ??= this.get(name)!
    return all
  }
}

/** Of `Name: value\r\n` lines, each known to be valid. */
function listOfLines(text: string): string[] {
  const list: string[] = []
  let start = 0
  while (start < text.length) {
    const end = text.indexOf('\r\n', start)
    const colon = text.indexOf(':', start)
    list.push(text.slice(start, colon).toLowerCase(), trimmed(text, colon + 1, end))
    start = end + 2
  }
  return list
}

function listOf(raw: readonly string[] | readonly Buffer[]): string[] {
  const list: string[] = []
  for (let index = 0; index < raw.length; index += 2) {
    const value = latin1(raw[index + 1]!)
    list.push(latin1(raw[index]!).toLowerCase(), trimmed(value, 0, value.length))
  }
  return list
}

function latin1(part: string | Buffer): string {
  return typeof part === 'string' ? part : part.toString('latin1')
}

/** Without the blanks around it, which are no part of a value. Other white space, such as a byte A0, is. */
function trimmed(text: string, from: number, to: number): string {
  let [start, end] = [from, to]
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
