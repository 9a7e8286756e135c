/** Shorter values are ordinary words: hiding them would make texts unreadable and protect nothing. */
const leastLength = 4

/** Values that nobody may read in what we print, send and store. */
export class Secrets {
  readonly #values: readonly string[]

  constructor(values: readonly string[]) {
    const forms = values.flatMap(formsOf)
    // A value that holds another one must be hidden first.
    this.#values = [...new Set(forms)]
      .filter((value) => value.length >= leastLength)
      .sort((a, b) => b.length - a.length)
  }

  /** The text without the values. */
  hide(text: string): string {
    return this.#values.reduce((hidden, value) => hidden.replaceAll(value, '[redacted]'), text)
  }

  /** The same for every text within a value; what is no text is passed on. */
  hideIn<T>(value: T): T {
    if (this.#values.length === 0) return value
    return this.#walk(value) as T
  }

  #walk(value: unknown): unknown {
    if (typeof value === 'string') return this.hide(value)
    if (Array.isArray(value)) return value.map((item) => this.#walk(item))
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#walk(item)]))
  }
}

/** A value as it stands in texts, in JSON, and in paths and queries of URLs. */
function formsOf(value: string): string[] {
  const inQuery = new URLSearchParams([['', value]]).toString().slice(1)
  return [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), encodeURI(value), inQuery]
}
