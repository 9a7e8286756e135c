/** Messages are compared up to this length; what differs later is one error. Keeps the work per error constant. */
export const longestMessage = 500

const uuid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi
// A quote inside a word is an apostrophe and opens nothing.
const quoted = /(?<!\w)(["'`])(?:(?!\1)[^\n]){0,200}\1(?!\w)/g
const hex = /\b(?:0x[0-9a-f]+|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,})\b/gi
// Its digits and its e would be taken for a hexadecimal number.
const scientific = /(?<![\w.])-?\d+(?:\.\d+e[+-]?|e[+-])\d+\b/gi
// A sign, an address with its port, an exponent.
const number = /(?:(?<![\w-])-)?\d+(?:[.:,]\d+)*(?:e[+-]?\d+)?/gi

/**
 * What makes two errors the same kind of error: their type, and their message with everything folded that changes from
 * one to the next (ids, quoted texts, hexadecimal and decimal numbers, addresses). Readable on purpose.
 */
export function fingerprintOf(type: string, message: string): string {
  const folded = message
    .slice(0, longestMessage)
    .replace(uuid, '<id>')
    .replace(quoted, '<text>')
    .replace(scientific, '<n>')
    .replace(hex, '<hex>')
    .replace(number, '<n>')
  return `${type}: ${folded}`
}
