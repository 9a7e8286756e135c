import { optionName, rowsOf, suggestion } from '../option-table.ts'
import type { OptionTable, RawValues } from '../option-table.ts'

/** Where options are written down, for messages. */
export interface Place {
  /** After the name of an option: `in the configuration file`, `of scenario "login"`. */
  where: string
  /** Where a key stands: `loads.config.yaml:12`; empty where nobody knows. */
  at: (key: string) => string
}

/**
 * Options of an object by their names. Unknown names and values that are no options become problems.
 *
 * @param others keys that are read elsewhere
 */
export function layerOf<S>(
  table: OptionTable<S>,
  content: Readonly<Record<string, unknown>>,
  problems: string[],
  place: Place = { where: 'in the options', at: () => '' },
  others: readonly string[] = [],
): RawValues<S> {
  const values = new Map<keyof S & string, readonly string[]>()
  const written = new Map<string, string>()
  const keys = new Map<string, keyof S & string>()
  for (const [key, row] of rowsOf(table)) {
    if (row.commandLineOnly === true || key === 'config' || key === 'profile') continue
    for (const name of [key, optionName(key), ...(row.aliases ?? [])]) keys.set(name, key)
  }
  for (const [name, value] of Object.entries(content)) {
    if (others.includes(name) || value === null || value === undefined) continue
    const key = keys.get(name)
    const texts = textsOf(value)
    const say = (text: string) => problems.push(`${text}${inBrackets(place.at(name))}`)
    if (key === undefined)
      say(`unknown key "${name}" ${place.where}${suggestion(name, [...keys.keys(), ...others])}`)
    else if (texts === null) say(`"${name}" ${place.where}: must be a text, a number, true, false or a list`)
    else if (Array.isArray(value) && table[key].repeatable !== true)
      say(`"${name}" ${place.where}: takes one value, not a list`)
    else {
      values.set(key, texts)
      written.set(key, name)
    }
  }
  const nameOf = (key: string) => {
    const name = written.get(key) ?? key
    return `"${name}" ${place.where}${inBrackets(place.at(name))}`
  }
  return { source: 'config', values, nameOf }
}

export function inBrackets(place: string): string {
  return place === '' ? '' : ` (${place})`
}

/** A value as the texts that would stand on the command line; null for anything else. */
export function textsOf(value: unknown): string[] | null {
  if (isScalar(value)) return [String(value)]
  if (Array.isArray(value)) return value.every(isScalar) ? value.map(String) : null
  if (!isObject(value) || !Object.values(value).every(isScalar)) return null
  return Object.entries(value).map(([name, entry]) => `${name}=${String(entry)}`)
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
