import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from './errors.ts'
import { optionName, rowsOf, suggestion } from './option-table.ts'
import type { OptionTable, RawValues } from './option-table.ts'

/** What a configuration file says: names of tests, and one layer of options for the file and one for the profile. */
export interface Configuration<S> {
  tests: readonly string[]
  layers: RawValues<S>[]
}

/**
 * Reads options from a JSON object whose keys are option names (`test-dir` or `testDir`), `tests`, and `profiles`:
 * named objects of the same form.
 *
 *     { "tests": ["example.TestWebSite"], "users": 10, "profiles": { "nightly": { "duration": "10m" } } }
 *
 * @throws {UsageError} when the file cannot be read or is no such object
 */
export async function readConfigFile<S>(
  table: OptionTable<S>,
  cwd: string,
  file: string,
  profile: string | null,
  problems: string[],
): Promise<Configuration<S>> {
  const content = await parseFile(resolve(cwd, file), file)
  const { profiles, ...base } = content
  const layers = [layerOf(table, base, problems)]
  let tests = testsOf(base, problems)
  if (profile !== null) {
    const named = isObject(profiles) ? profiles : {}
    const chosen = named[profile]
    if (!isObject(chosen)) {
      problems.push(
        `--profile: ${file} has no profile "${profile}"${suggestion(profile, Object.keys(named))}`,
      )
    } else {
      layers.push(layerOf(table, chosen, problems))
      tests = 'tests' in chosen ? testsOf(chosen, problems) : tests
    }
  }
  return { tests, layers }
}

async function parseFile(path: string, file: string): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--config: cannot read ${file}: ${(error as Error).message}`)
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`--config: ${file} is not JSON: ${(error as Error).message}`)
  }
  if (!isObject(content)) throw new UsageError(`--config: ${file} must hold a JSON object of options`)
  return content
}

/** Options of an object by their names. Unknown names and values that are no options become problems. */
export function layerOf<S>(
  table: OptionTable<S>,
  content: Readonly<Record<string, unknown>>,
  problems: string[],
  where = 'in the configuration file',
): RawValues<S> {
  const values = new Map<keyof S, readonly string[]>()
  const keys = new Map<string, keyof S & string>()
  for (const [key, row] of rowsOf(table)) {
    if (row.commandLineOnly === true || key === 'config' || key === 'profile') continue
    for (const name of [key, optionName(key), ...(row.aliases ?? [])]) keys.set(name, key)
  }
  for (const [name, value] of Object.entries(content)) {
    if (name === 'tests' || value === null || value === undefined) continue
    const key = keys.get(name)
    const texts = textsOf(value)
    if (key === undefined)
      problems.push(`unknown key "${name}" ${where}${suggestion(name, [...keys.keys()])}`)
    else if (texts === null)
      problems.push(`"${name}" ${where}: must be a text, a number, true, false or a list`)
    else if (Array.isArray(value) && table[key].repeatable !== true)
      problems.push(`"${name}" ${where}: takes one value, not a list`)
    else values.set(key, texts)
  }
  return { source: 'config', values }
}

function testsOf(content: Record<string, unknown>, problems: string[]): readonly string[] {
  const { tests } = content
  if (tests === undefined) return []
  const texts = textsOf(tests)
  if (texts === null || isObject(tests))
    problems.push('"tests" in the configuration file: must be a list of names')
  return texts ?? []
}

/** A value of the file as the texts that would stand on the command line; null for anything else. */
function textsOf(value: unknown): string[] | null {
  if (isScalar(value)) return [String(value)]
  if (Array.isArray(value)) return value.every(isScalar) ? value.map(String) : null
  if (!isObject(value) || !Object.values(value).every(isScalar)) return null
  return Object.entries(value).map(([name, entry]) => `${name}=${String(entry)}`)
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
