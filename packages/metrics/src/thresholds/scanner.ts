/** Thrown inside the parser: one thing wrong at one place. */
export class Complaint extends Error {
  readonly at: number

  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

/** Goes through a part of an expression from left to right; spaces mean nothing. Places are of the whole expression. */
export class Scanner {
  readonly #text: string
  readonly #end: number
  #at: number

  constructor(text: string, from: number, to: number) {
    this.#text = text
    this.#at = from
    this.#end = to
  }

  /** Where the next thing begins. */
  get at(): number {
    this.#skip()
    return this.#at
  }

  get isAtEnd(): boolean {
    this.#skip()
    return this.#at >= this.#end
  }

  /** What is left. */
  get rest(): string {
    return this.#text.slice(this.#at, this.#end)
  }

  /** Takes what the pattern matches here, after spaces; null, and nothing is taken, where it does not. */
  take(pattern: RegExp): RegExpExecArray | null {
    const before = this.#at
    this.#skip()
    const here = new RegExp(pattern, `${pattern.flags}y`)
    here.lastIndex = this.#at
    const match = here.exec(this.#text)
    if (match === null || here.lastIndex > this.#end) {
      this.#at = before
      return null
    }
    this.#at = here.lastIndex
    return match
  }

  /** Does the pattern match here, after spaces? Takes nothing. */
  sees(pattern: RegExp): boolean {
    const before = this.#at
    const found = this.take(pattern) !== null
    this.#at = before
    return found
  }

  back(at: number): void {
    this.#at = at
  }

  fail(message: string, at = this.#at): never {
    throw new Complaint(at, message)
  }

  #skip(): void {
    while (this.#at < this.#end && /\s/.test(this.#text[this.#at]!)) this.#at++
  }
}

/**
 * Cuts a text at separators, but not inside quotes, braces and parentheses.
 *
 * @returns where each part begins and ends
 */
export function partsOf(
  text: string,
  from: number,
  to: number,
  separators: readonly string[],
): [from: number, to: number][] {
  const parts: [number, number][] = []
  let start = from
  let depth = 0
  let quote = ''
  for (let at = from; at < to; at++) {
    const letter = text[at]!
    if (quote !== '') {
      if (letter === quote) quote = ''
      continue
    }
    if (isQuote(text, at)) quote = letter
    else if (letter === '{' || letter === '(') depth++
    else if ((letter === '}' || letter === ')') && depth > 0) depth--
    const separator = depth === 0 ? separators.find((each) => text.startsWith(each, at)) : undefined
    if (separator === undefined) continue
    parts.push([start, at])
    at += separator.length - 1
    start = at + 1
  }
  parts.push([start, to])
  return parts
}

/** A quote opens where a word or value begins, so that an apostrophe inside a word is only that. */
function isQuote(text: string, at: number): boolean {
  return (text[at] === '"' || text[at] === "'") && (at === 0 || /[\s{,:=&]/.test(text[at - 1]!))
}
