import type { PostgresFramer } from './postgres-framer.ts'

/** Texts of prepared statements that are remembered for matching: so many, and of each so many characters. */
const remembered = 500
const rememberedText = 1000

/** What a client's messages say of statements. */
export class PostgresStatements {
  readonly #prepared = new Map<string, string>()
  readonly #portals = new Map<string, string>()

  /** The statement of a message; null: it has none, or an unknown one. */
  of({ type, head }: PostgresFramer): string | null {
    switch (type) {
      case 'Q':
        return textAt(head, 0).text
      case 'P': {
        const { text: name, end } = textAt(head, 0)
        const { text } = textAt(head, end)
        remember(this.#prepared, name, text)
        return text
      }
      case 'B': {
        const { text: portal, end } = textAt(head, 0)
        const text = this.#prepared.get(textAt(head, end).text) ?? null
        if (text !== null) remember(this.#portals, portal, text)
        return text
      }
      case 'E':
        return this.#portals.get(textAt(head, 0).text) ?? null
      case 'D':
      case 'C': {
        const names = head[0] === 0x53 ? this.#prepared : this.#portals
        const name = textAt(head, 1).text
        const text = names.get(name) ?? null
        if (type === 'C') names.delete(name)
        return text
      }
      default:
        return null
    }
  }
}

function remember(names: Map<string, string>, name: string, text: string): void {
  names.delete(name)
  names.set(name, text.slice(0, rememberedText))
  if (names.size <= remembered) return
  const [oldest] = names.keys()
  names.delete(oldest!)
}

/** A text up to its zero byte, or to the end of what is there. */
function textAt(head: Buffer, from: number): { text: string; end: number } {
  const zero = head.indexOf(0, from)
  const end = zero === -1 ? head.length : zero
  return { text: head.toString('utf8', from, end), end: end + 1 }
}
