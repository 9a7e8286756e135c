import { UsageError } from '../../errors.ts'

export type HeaderValue = string | number | readonly string[]
export type HeaderRecord = Readonly<Record<string, HeaderValue | null | undefined>>

/**
 * The default headers of a session, as an object that users change freely (`session.headers['x-key'] = '1'`), and as
 * the flat list that requests carry, which is made anew only after a change.
 */
export class DefaultHeaders {
  readonly record: Record<string, HeaderValue>
  /** Grows with each change. */
  version = 0
  #list: string[] | null = null

  constructor(initial: Record<string, HeaderValue>) {
    const changed = () => {
      this.version++
      this.#list = null
      return true
    }
    this.record = new Proxy(initial, {
      set: (target, name, value) => Reflect.set(target, name, value) && changed(),
      deleteProperty: (target, name) => Reflect.deleteProperty(target, name) && changed(),
      defineProperty: (target, name, descriptor) =>
        Reflect.defineProperty(target, name, descriptor) && changed(),
    })
  }

  /** Names and values in turn. Do not change it. */
  get list(): string[] {
    return (this.#list ??= mergeHeaders([], this.record))
  }
}

/** A copy of a list with headers set over it, whatever their case; null or undefined takes one away. */
export function mergeHeaders(list: readonly string[], record: HeaderRecord): string[] {
  const merged = [...list]
  for (const [name, value] of Object.entries(record)) {
    removeHeader(merged, name)
    if (value === null || value === undefined) continue
    for (const each of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) {
      merged.push(name, each)
    }
  }
  return merged
}

/** Takes every header of a name out of a list. */
export function removeHeader(list: string[], name: string): void {
  const wanted = name.toLowerCase()
  for (let index = list.length - 2; index >= 0; index -= 2) {
    if (list[index]!.toLowerCase() === wanted) list.splice(index, 2)
  }
}

export function hasHeader(list: readonly string[], name: string): boolean {
  for (let index = 0; index < list.length; index += 2) if (list[index]!.toLowerCase() === name) return true
  return false
}

/** Bytes of a list of headers in a request's head. */
export function headerBytes(list: readonly string[]): number {
  let bytes = list.length * 2
  for (const part of list) bytes += part.length
  return bytes
}

/** @throws {UsageError} headers that undici would read in another way than the test meant */
export function checkedRecord(headers: unknown): HeaderRecord {
  if (headers instanceof Headers) return Object.fromEntries(headers)
  if (typeof headers === 'object' && headers !== null && !Array.isArray(headers))
    return headers as HeaderRecord
  throw new UsageError('headers must be an object of names and values')
}
