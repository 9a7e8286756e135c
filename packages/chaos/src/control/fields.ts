import { said } from '../attributes.ts'
import { badBody } from './refusal.ts'

/**
 * An object of JSON as clients write it: keys in any case (asked for in small letters), null as if it were not there, further
 * keys ignored.
 */
export class Fields {
  readonly #values = new Map<string, unknown>()

  /** @throws {Refusal} 400: it is no object */
  constructor(value: unknown, what = 'it') {
    if (!isObject(value)) throw badBody(`${what} must be an object, not ${said(value)}`)
    for (const [key, each] of Object.entries(value)) {
      const small = key.toLowerCase()
      // Written exactly as it is called, it counts before other spellings.
      if (each !== null && (key === small || !this.#values.has(small))) this.#values.set(small, each)
    }
  }

  /** @throws {Refusal} 400: it is no text */
  text(key: string): string | undefined {
    return this.#get(key, 'a text', (value) => typeof value === 'string')
  }

  /** @throws {Refusal} 400: it is not true or false */
  flag(key: string): boolean | undefined {
    return this.#get(key, 'true or false', (value) => typeof value === 'boolean')
  }

  /** @throws {Refusal} 400: it is no number */
  number(key: string): number | undefined {
    return this.#get(key, 'a number', (value) => typeof value === 'number')
  }

  /** @throws {Refusal} 400: it is no object */
  object(key: string): Readonly<Record<string, unknown>> | undefined {
    return this.#get(key, 'an object', isObject)
  }

  /** @throws {Refusal} 400: it is no list */
  list(key: string): readonly unknown[] | undefined {
    return this.#get(key, 'a list', Array.isArray)
  }

  #get<T>(key: string, allowed: string, is: (value: unknown) => boolean): T | undefined {
    const value = this.#values.get(key)
    if (value === undefined) return undefined
    if (!is(value)) throw badBody(`${key} must be ${allowed}, not ${said(value)}`, key)
    return value as T
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
