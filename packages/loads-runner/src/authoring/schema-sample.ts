import type { Node } from './input-file.ts'

/** Values that fit JSON schemas, as OpenAPI documents have them. */

/** Values made for one sample; what is larger helps nobody. */
const mostValues = 2000
const deepest = 12
/** References that lead to references. */
const mostHops = 50

/** Something in a schema refers to itself and nothing is there to break the circle. */
const nothing = Symbol('nothing')

/** Finds what `$ref` stands for, in one document. */
export class References {
  readonly #root: Node

  constructor(root: Node) {
    this.#root = root
  }

  /**
   * @throws {UsageError} a reference to nothing, to another file, or to itself
   */
  follow(node: Node): Node {
    let target = node
    for (let hop = 0; ; hop++) {
      const reference = refOf(target)
      if (reference === null) return target
      if (hop === mostHops) node.fail(`"${refOf(node)}" leads to itself`)
      if (!reference.startsWith('#'))
        target.fail(`"${reference}" is in another file: put all into one first (a bundler for OpenAPI does)`)
      target = this.#find(target, reference)
    }
  }

  #find(from: Node, reference: string): Node {
    let node = this.#root
    for (const part of reference.slice(1).split('/').slice(1)) {
      const key = unescaped(part)
      node = Array.isArray(node.value) ? (node.items()[Number(key)] ?? node.at(key)) : node.at(key)
      if (node.value === undefined) from.fail(`"${reference}" is not there`)
    }
    return node
  }
}

export function refOf(node: Node): string | null {
  const { value } = node
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const reference = (value as { $ref?: unknown }).$ref
  return typeof reference === 'string' ? reference : null
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return part
  }
}

/** Makes the value of a request from its schema: examples first, then defaults and enums, then what fits the type. */
export class Sampler {
  readonly #references: References
  #left = mostValues

  constructor(references: References) {
    this.#references = references
  }

  /** @throws {UsageError} a schema that is none */
  sample(schema: Node): unknown {
    this.#left = mostValues
    const value = this.#value(schema, new Set(), 0)
    return value === nothing ? null : value
  }

  #value(given: Node, above: ReadonlySet<unknown>, depth: number): unknown {
    if (given.missing || typeof given.value === 'boolean') return null
    const node = this.#references.follow(given)
    if (above.has(node.value) || depth > deepest || this.#left-- <= 0) return nothing
    const schema = node.record()
    const shown = shownValue(schema)
    if (shown !== undefined) return shown
    const inside = new Set([...above, node.value])
    for (const choice of ['oneOf', 'anyOf'] as const) {
      for (const option of node.at(choice).items()) {
        const value = this.#value(option, inside, depth + 1)
        if (value === nothing || value === null) continue
        const rest = isObject(value) && ('properties' in schema || 'allOf' in schema)
        return rest ? { ...(this.#typed(node, inside, depth) as object), ...value } : value
      }
    }
    return this.#typed(node, inside, depth)
  }

  #typed(node: Node, above: ReadonlySet<unknown>, depth: number): unknown {
    const schema = node.record()
    const parts = node.at('allOf').items()
    const values = parts
      .map((part) => this.#value(part, above, depth + 1))
      .filter((value) => value !== nothing)
    const type = typeOf(schema)
    if (type === 'object' || 'properties' in schema || values.some(isObject))
      return { ...Object.assign({}, ...values.filter(isObject)), ...this.#object(node, above, depth) }
    if (values.length > 0) return values.at(-1)
    if (type === 'array' || 'items' in schema) return this.#list(node, above, depth)
    return scalar(type, schema)
  }

  #object(node: Node, above: ReadonlySet<unknown>, depth: number): Record<string, unknown> {
    const required = new Set(
      node
        .at('required')
        .items()
        .map((each) => each.value),
    )
    const entries: [string, unknown][] = []
    for (const [name, property] of node.at('properties').entries()) {
      if (property.missing) continue
      const target = typeof property.value === 'boolean' ? property : this.#references.follow(property)
      // The server makes those up.
      if (isObject(target.value) && target.value['readOnly'] === true) continue
      const value = this.#value(property, above, depth + 1)
      if (value !== nothing) entries.push([name, value])
      else if (required.has(name)) entries.push([name, null])
    }
    return Object.fromEntries(entries)
  }

  #list(node: Node, above: ReadonlySet<unknown>, depth: number): unknown[] {
    const value = this.#value(node.at('items'), above, depth + 1)
    if (value === nothing) return []
    const least = node.at('minItems').value
    const count = typeof least === 'number' ? Math.min(Math.max(1, least), 10) : 1
    return Array.from({ length: count }, () => value)
  }
}

/** What the author has shown; undefined where nothing is. */
function shownValue(schema: Record<string, unknown>): unknown {
  const { examples, enum: choices } = schema
  if ('const' in schema) return schema['const']
  if ('example' in schema) return schema['example']
  if (Array.isArray(examples) && examples.length > 0) return examples[0] as unknown
  if ('default' in schema) return schema['default']
  return Array.isArray(choices) && choices.length > 0 ? (choices[0] as unknown) : undefined
}

function typeOf(schema: Record<string, unknown>): string {
  const { type } = schema
  if (Array.isArray(type)) return String(type.find((each) => each !== 'null') ?? 'null')
  return typeof type === 'string' ? type : ''
}

const formats: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'user@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
  byte: 'dGV4dA==',
  password: 'password',
}

function scalar(type: string, schema: Record<string, unknown>): unknown {
  const { minimum, maximum, exclusiveMinimum, multipleOf, format, minLength, maxLength } = schema
  if (type === 'boolean') return true
  if (type === 'null') return null
  if (type === 'integer' || type === 'number') {
    const step = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : 1
    const above = exclusiveMinimum === true ? minimum : exclusiveMinimum
    const least = typeof above === 'number' ? above + step : typeof minimum === 'number' ? minimum : step
    const most = typeof maximum === 'number' ? maximum : Infinity
    return Math.min(Math.ceil(least / step) * step, most)
  }
  const known = typeof format === 'string' ? formats[format] : undefined
  if (known !== undefined) return known
  const least = typeof minLength === 'number' ? Math.min(minLength, 1000) : 0
  const most = typeof maxLength === 'number' ? Math.max(0, maxLength) : Infinity
  return 'text'.padEnd(least, 'x').slice(0, most)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
