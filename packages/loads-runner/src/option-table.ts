import { editDistance } from '@loads-runner/metrics'
import { isUsageError } from './errors.ts'

/**
 * Options as a typed table: one row per option, read from defaults, a configuration file, the environment and the
 * command line. A setting without a row does not compile; help is made from the rows.
 */

export type OptionSource = 'default' | 'config' | 'class' | 'environment' | 'command line'

export interface OptionRow<T> {
  /** As commander reads them: `-u, --users <N>`, `--quiet`, `--attach [RUN]`. */
  flags: string
  group: string
  help: string
  initial: T
  /**
   * Reads one value; a flag gets 'true' or 'false', an optional value that was left out gets ''.
   * `previous` is what a repeatable option holds so far from the same source.
   *
   * @throws {UsageError} with a message that does not name the option
   */
  parse: (text: string, previous: T) => T
  /** May be given several times; each adds. */
  repeatable?: boolean
  /** What stands between values in a variable of the environment. Default: a comma. */
  separator?: string
  /** Only meaningful on the command line (verbs, the configuration file itself). */
  commandLineOnly?: boolean
  /** Other long names for the same option. */
  aliases?: readonly string[]
}

export type OptionTable<S> = { readonly [K in keyof S]: OptionRow<S[K]> }

export type SettingSources<S> = Record<keyof S, OptionSource>

/** What was read: settings, and where each came from. */
export interface ReadSettings<S> {
  settings: S
  sources: SettingSources<S>
}

/** Values as found in one source: a list of texts per option. */
export interface RawValues<S> {
  source: OptionSource
  values: ReadonlyMap<keyof S, readonly string[]>
  /** How an option is called there, where its source does not say it. */
  nameOf?(key: keyof S & string): string
}

/** `testDir` is `test-dir` on the command line and in files. */
export function optionName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** `testDir` is `LOADS_TEST_DIR` in the environment. */
export function environmentName(key: string, prefix = 'LOADS_'): string {
  return `${prefix}${optionName(key).replaceAll('-', '_').toUpperCase()}`
}

/** Variables of `loads-proxy`. */
export const proxyPrefix = 'LOADS_PROXY_'

export type OptionKind = 'flag' | 'value' | 'optional value'

export function kindOf(row: OptionRow<never>): OptionKind {
  if (row.flags.includes('<')) return 'value'
  return row.flags.includes('[') ? 'optional value' : 'flag'
}

/** The rows with their keys, in the order of the table. */
export function rowsOf<S>(table: OptionTable<S>): [keyof S & string, OptionRow<never>][] {
  return Object.entries(table) as [keyof S & string, OptionRow<never>][]
}

/**
 * Later sources win over earlier ones, whole options at a time: a list on the command line replaces the list of the
 * configuration file. Every problem is collected before anything is thrown.
 */
export function resolveSettings<S>(
  table: OptionTable<S>,
  layers: readonly RawValues<S>[],
  problems: string[],
): ReadSettings<S> {
  const settings: Record<string, unknown> = {}
  const sources: Record<string, OptionSource> = {}
  for (const [key, row] of rowsOf(table)) {
    settings[key] = row.initial
    sources[key] = 'default'
    for (const layer of layers) {
      const texts = layer.values.get(key)
      if (texts === undefined) continue
      try {
        settings[key] = texts.reduce<unknown>(
          (previous, text) => row.parse(text, previous as never),
          row.initial,
        )
        sources[key] = layer.source
      } catch (error) {
        if (!isUsageError(error)) throw error
        problems.push(`${layer.nameOf?.(key) ?? describe(key, layer.source)}: ${error.message}`)
      }
    }
  }
  return { settings: settings as S, sources: sources as SettingSources<S> }
}

/** How an option is called where it was given. */
export function describe(key: string, source: OptionSource): string {
  if (source === 'environment') return environmentName(key)
  return source === 'config' ? `"${optionName(key)}" in the configuration file` : `--${optionName(key)}`
}

/** Options named `LOADS_...` in the environment; unknown ones are problems, except those in `known` and of `loads-proxy`. */
export function readEnvironment<S>(
  table: OptionTable<S>,
  env: Readonly<Record<string, string | undefined>>,
  known: ReadonlySet<string>,
  problems: string[],
  prefix = 'LOADS_',
): RawValues<S> {
  const values = new Map<keyof S, readonly string[]>()
  const names = new Map<string, keyof S & string>()
  for (const [key, row] of rowsOf(table)) {
    for (const name of [key, ...(row.aliases ?? [])])
      if (row.commandLineOnly !== true) names.set(environmentName(name, prefix), key)
  }
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || value === undefined || value === '') continue
    const key = names.get(name)
    if (key === undefined) {
      const isOfProxy = prefix !== proxyPrefix && name.startsWith(proxyPrefix)
      if (!known.has(name) && !isOfProxy)
        problems.push(`unknown environment variable ${name}${suggestion(name, [...names.keys()])}`)
      continue
    }
    values.set(key, table[key].repeatable === true ? value.split(table[key].separator ?? ',') : [value])
  }
  return { source: 'environment', values, nameOf: (key) => environmentName(key, prefix) }
}

/** `: did you mean --users?`, or nothing when no candidate is near. */
export function suggestion(wrong: string, candidates: readonly string[]): string {
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(wrong.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wrong, candidate)
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best === null ? '' : `: did you mean ${best}?`
}
