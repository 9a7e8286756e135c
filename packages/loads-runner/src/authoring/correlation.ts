import { Code } from './expression.ts'
import { camelCase, singular } from './names.ts'
import type { Names } from './names.ts'
import type { Capture } from './planned-test.ts'

/** Values shorter than that are too often the same by chance. */
const leastLength = 6
const longestValue = 4096
/** Leaves of one answer, and of all together, that are looked at. */
const mostLeaves = 5000
const mostValues = 100_000
const deepest = 30

interface Origin {
  captures: Capture[]
  path: readonly (string | number)[]
  type: 'string' | 'number'
  /** Once it is used. */
  variable: Code | null
}

/**
 * Finds what a server has made up: ids and tokens of an earlier JSON answer that a later request sends, exactly as they
 * were. What a request has sent before any answer had it is the user's own, and stays as it is.
 */
export class Correlation {
  readonly #origins = new Map<string, Origin>()
  readonly #sent = new Set<string>()
  readonly #names: Names

  constructor(names: Names) {
    this.#names = names
  }

  /** The user has sent this. */
  sent(value: string | number): void {
    const text = String(value)
    if (this.#sent.size < mostValues && isTelling(text)) this.#sent.add(text)
  }

  /** An answer has come; what of it is used later goes to `captures`. A text that is no JSON says nothing. */
  answered(json: string, captures: Capture[]): void {
    let body: unknown
    try {
      body = JSON.parse(json)
    } catch {
      return
    }
    let left = mostLeaves
    const visit = (value: unknown, path: readonly (string | number)[]): void => {
      if (left <= 0 || path.length > deepest) return
      if (typeof value === 'object' && value !== null) {
        for (const [key, each] of Object.entries(value))
          visit(each, [...path, Array.isArray(value) ? Number(key) : key])
        return
      }
      left--
      if (path.length === 0 || (typeof value !== 'string' && typeof value !== 'number')) return
      const text = String(value)
      if (!isTelling(text) || !looksMadeUp(text, path)) return
      if (this.#sent.has(text) || this.#origins.has(text) || this.#origins.size >= mostValues) return
      const type = typeof value === 'string' ? 'string' : 'number'
      this.#origins.set(text, { captures, path, type, variable: null })
    }
    visit(body, [])
  }

  /** The variable that holds this value; null when no answer has had it. */
  codeFor(value: string | number): Code | null {
    const origin = this.#origins.get(String(value))
    if (origin === undefined) return null
    // Where the server had a text a number would not be the same thing.
    if (typeof value === 'number' && origin.type === 'string') return null
    if (origin.variable === null) {
      origin.variable = new Code(this.#names.take(nameOf(origin.path), 'value'))
      origin.captures.push({ variable: origin.variable, path: origin.path, type: origin.type })
    }
    return origin.variable
  }

  /** The same where a text has to be sent. */
  textFor(value: string): Code | null {
    const code = this.codeFor(value)
    if (code === null) return null
    return this.#origins.get(value)!.type === 'number' ? new Code(`String(${code.text})`) : code
  }
}

function isTelling(text: string): boolean {
  return text.length >= leastLength && text.length <= longestValue
}

/** Ids and tokens, and no words, dates, addresses: those would be the same in every answer. */
function looksMadeUp(text: string, path: readonly (string | number)[]): boolean {
  if (/\s|:\/\//.test(text) || /^\d{4}-\d\d-\d\d/.test(text)) return false
  if (/\d/.test(text) || text.length >= 16) return true
  return /id$|token|key|code|csrf|session|nonce|secret|cursor/i.test(String(path.at(-1)))
}

/** `user.id` is userId, `token` is token, `items[0].id` is itemId. */
function nameOf(path: readonly (string | number)[]): string {
  const words = path.filter((part) => typeof part === 'string')
  const last = words.at(-1) ?? ''
  const before = words.at(-2)
  if (before === undefined || !/^(?:id|key|code|name|uuid|guid|value|number)$/i.test(last))
    return camelCase(last)
  return camelCase(`${singular(before)} ${last}`)
}
