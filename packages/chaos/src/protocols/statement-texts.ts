/** How many are remembered. */
const most = 500
/** Characters of a text that are remembered. */
const mostOfText = 1000
/** A statement with a longer name is not remembered. */
const longestName = 200

/** Texts of prepared statements, for matching: the latest ones of a connection, by number or name. */
export class StatementTexts<Key extends string | number> {
  readonly #texts = new Map<Key, string>()

  get(key: Key): string | undefined {
    return this.#texts.get(key)
  }

  delete(key: Key): void {
    this.#texts.delete(key)
  }

  set(key: Key, text: string): void {
    this.#texts.delete(key)
    if (typeof key === 'string' && key.length > longestName) return
    this.#texts.set(key, text.length > mostOfText ? startOf(text) : text)
    if (this.#texts.size <= most) return
    const [oldest] = this.#texts.keys()
    this.#texts.delete(oldest!)
  }
}

/** A copy: a mere slice would keep the whole text in memory. */
function startOf(text: string): string {
  return Buffer.from(text.slice(0, mostOfText), 'utf16le').toString('utf16le')
}
