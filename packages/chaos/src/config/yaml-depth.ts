import type { CST } from 'yaml'

/**
 * Whether tokens are nested deeper than a number of levels. Asked before they are made into nodes: that is done by recursion,
 * and a stack that is full may end the process.
 */
export function isTooDeep(tokens: readonly CST.Token[], most: number): boolean {
  let level: readonly CST.Token[] = tokens
  for (let depth = 0; level.length > 0; depth++) {
    // The document itself is one.
    if (depth > most + 1) return true
    level = level.flatMap(partsOf)
  }
  return false
}

function partsOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value]
  if (!('items' in token)) return []
  return token.items.flatMap(({ key, value }) => [...(key ? [key] : []), ...(value ? [value] : [])])
}
