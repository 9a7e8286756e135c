import type { Expression } from './expression.ts'

/** Names and values of a query or form; null when it is not written as browsers do. */
export function pairsOf(text: string): [string, string][] | null {
  if (text === '') return []
  // A body in JSON may well be called a form; what a browser would escape is no form either.
  if (/[^\w.~*!'()%+&=:@/?,;$[\]-]/.test(text)) return null
  if (text.split('&').some((piece) => piece.indexOf('=') < 1)) return null
  try {
    // Escapes that are none would be sent in another way.
    decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return null
  }
  return [...new URLSearchParams(text)]
}

/** Names that come several times become lists; null when that would change their order. */
export function grouped(pairs: readonly (readonly [string, Expression])[]): [string, Expression][] | null {
  const entries: [string, Expression][] = []
  const places = new Map<string, number>()
  for (const [name, value] of pairs) {
    const place = places.get(name)
    if (place === undefined) {
      places.set(name, entries.length)
      entries.push([name, value])
    } else if (place === entries.length - 1) {
      const before = entries[place]![1]
      entries[place]![1] = Array.isArray(before) ? [...(before as Expression[]), value] : [before, value]
    } else return null
  }
  return entries
}
