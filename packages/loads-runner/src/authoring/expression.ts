/**
 * Expressions of generated code, laid out as prettier does with the settings of this repository: no semicolons, single
 * quotes, 110 columns. Strings come from strangers, so everything that could leave a literal is escaped.
 */

/** Code that is written as it stands: the name of a variable, a call. */
export class Code {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A text with code in it: a template literal. */
export class Mixed {
  readonly parts: readonly (string | Code)[]

  constructor(parts: readonly (string | Code)[]) {
    this.parts = parts
  }
}

/** Entries of an object literal, in their order, whatever their names. */
export class Fields {
  readonly entries: readonly (readonly [string, Expression])[]

  constructor(entries: readonly (readonly [string, Expression])[]) {
    this.entries = entries
  }
}

export type Expression = null | boolean | number | string | Code | Mixed | Fields | readonly Expression[]

/** Columns of a line. */
export const lineWidth = 110

/** What JSON says, as an expression. */
export function fromJson(value: unknown): Expression {
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value === 'object' && value !== null)
    return new Fields(Object.entries(value).map(([key, each]) => [key, fromJson(each)] as const))
  return value as Expression
}

/**
 * @param indent blanks before the line that it stands in
 * @param before characters on that line before it
 * @param after characters that follow it on its last line
 */
export function print(expression: Expression, indent: number, before: number, after = 1): string {
  const flat = printFlat(expression)
  if (flat !== null && before + flat.length + after <= lineWidth) return flat
  if (expression instanceof Fields) return printFields(expression, indent)
  if (Array.isArray(expression) && expression.length > 0)
    return printList(expression as readonly Expression[], indent)
  return flat ?? ''
}

/** On one line; null for what is always broken into several. */
export function printFlat(expression: Expression): string | null {
  if (expression === null || typeof expression === 'boolean') return String(expression)
  if (typeof expression === 'number') return numberLiteral(expression)
  if (typeof expression === 'string') return stringLiteral(expression)
  if (expression instanceof Code) return expression.text
  if (expression instanceof Mixed) return templateLiteral(expression)
  if (expression instanceof Fields) {
    const fields = expression.entries.map(([key, value]) => {
      const text = printFlat(value)
      return text === null ? null : isShorthand(key, value) ? key : `${keyLiteral(key)}: ${text}`
    })
    if (fields.includes(null)) return null
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
  }
  if (isMatrix(expression)) return null
  const items = expression.map(printFlat)
  return items.includes(null) ? null : `[${items.join(', ')}]`
}

function printFields({ entries }: Fields, indent: number): string {
  if (entries.length === 0) return '{}'
  const inner = indent + 2
  const lines = entries.map(([key, value]) => {
    if (isShorthand(key, value)) return `${' '.repeat(inner)}${key},\n`
    const start = `${' '.repeat(inner)}${keyLiteral(key)}: `
    // A long text goes to a line of its own, where it cannot be broken.
    const text = print(value, inner, start.length)
    const tooLong = !text.includes('\n') && start.length + text.length + 1 > lineWidth
    // Behind a very short name nothing would be won.
    if (tooLong && typeof value === 'string' && keyLiteral(key).length > 2)
      return `${start.trimEnd()}\n${' '.repeat(inner + 2)}${text},\n`
    return `${start}${text},\n`
  })
  return `{\n${lines.join('')}${' '.repeat(indent)}}`
}

function printList(items: readonly Expression[], indent: number): string {
  const inner = indent + 2
  const blanks = ' '.repeat(inner)
  if (items.length > 1 && items.every((item) => typeof item === 'number')) {
    const lines: string[] = []
    for (const item of items.map((each) => numberLiteral(each))) {
      const last = lines.at(-1)
      if (last !== undefined && last.length + item.length + 2 <= lineWidth)
        lines[lines.length - 1] = `${last} ${item},`
      else lines.push(`${blanks}${item},`)
    }
    return `[\n${lines.join('\n')}\n${' '.repeat(indent)}]`
  }
  const lines = items.map((item) => `${blanks}${print(item, inner, inner)},\n`)
  return `[\n${lines.join('')}${' '.repeat(indent)}]`
}

/** Lists of several objects or lists with several things each read best as rows. */
function isMatrix(items: readonly Expression[]): boolean {
  if (items.length < 2) return false
  return (
    items.every((item) => item instanceof Fields && item.entries.length > 1) ||
    items.every((item) => Array.isArray(item) && item.length > 1)
  )
}

function isShorthand(key: string, value: Expression): boolean {
  return value instanceof Code && value.text === key && isIdentifier(key)
}

function numberLiteral(value: number): string {
  if (Object.is(value, -0)) return '-0'
  // JSON has neither; whoever made it up gets something that parses.
  if (!Number.isFinite(value)) return 'null'
  return String(value).replace('e+', 'e')
}

export function isIdentifier(text: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(text)
}

/** `__proto__: x` would set the prototype. */
export function keyLiteral(key: string): string {
  if (key === '__proto__') return "['__proto__']"
  return isIdentifier(key) ? key : stringLiteral(key)
}

/** Controls, line separators, marks that turn the direction of text, the byte order mark, halves of surrogate pairs. */
export const unsafe =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll(
      unsafe,
      (mark) => shortEscapes[mark] ?? `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
}

/** In single quotes, or in double ones where that saves escapes. */
export function stringLiteral(text: string): string {
  const singles = text.split("'").length - 1
  const doubles = text.split('"').length - 1
  const quote = singles > doubles ? '"' : "'"
  return quote + escaped(text).replaceAll(quote, `\\${quote}`) + quote
}

function templateLiteral({ parts }: Mixed): string {
  const text = parts.map((part) =>
    part instanceof Code ? `\${${part.text}}` : escaped(part).replaceAll('`', '\\`').replaceAll('${', '\\${'),
  )
  return `\`${text.join('')}\``
}
