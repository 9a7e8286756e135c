import type { PostgresFramer } from './postgres-framer.ts'
import { StatementTexts } from './statement-texts.ts'

/** What a client's messages say of statements. */
export class PostgresStatements {
  readonly #prepared = new StatementTexts<string>()
  readonly #portals = new StatementTexts<string>()

  /** The statement of a message; null: it has none, or an unknown one. */
  of({ type, head }: PostgresFramer): string | null {
    switch (type) {
      case 'Q':
        return textAt(head, 0).text
      case 'P': {
        const { text: name, end } = textAt(head, 0)
        const { text } = textAt(head, end)
        this.#prepared.set(name, text)
        return text
      }
      case 'B': {
        const { text: portal, end } = textAt(head, 0)
        const text = this.#prepared.get(textAt(head, end).text) ?? null
        if (text !== null) this.#portals.set(portal, text)
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

/** A text up to its zero byte, or to the end of what is there. */
function textAt(head: Buffer, from: number): { text: string; end: number } {
  const zero = head.indexOf(0, from)
  const end = zero === -1 ? head.length : zero
  return { text: head.toString('utf8', from, end), end: end + 1 }
}
