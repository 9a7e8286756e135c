import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { suggestion } from '../option-table.ts'
import type { OptionTable, RawValues } from '../option-table.ts'
import { readDocument } from './document.ts'
import type { ConfigDocument } from './document.ts'
import { isObject, layerOf, textsOf } from './layer.ts'
import { readScenarios } from './scenario-entries.ts'
import type { ScenarioEntry } from './scenario-entries.ts'

/** What a configuration file says: one layer of options for the file and one for the profile, and what is to be run. */
export interface Configuration<S> {
  tests: readonly string[]
  scenarios: readonly ScenarioEntry[]
  layers: RawValues<S>[]
  /** Files that it was read from. */
  inputs: readonly string[]
}

export const noConfiguration = { tests: [], scenarios: [], layers: [], inputs: [] }

const usualNames = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'].map((end) => `loads.config.${end}`)

/**
 * The configuration file of a directory; null without one.
 *
 * @throws {UsageError} when there are several
 */
export async function findConfigFile(cwd: string): Promise<string | null> {
  const there = await Promise.all(
    usualNames.map((name) =>
      access(resolve(cwd, name)).then(
        () => true,
        () => false,
      ),
    ),
  )
  const found = usualNames.filter((_, index) => there[index])
  if (found.length > 1)
    throw new UsageError(`${found.join(' and ')} are both here: keep one, or name one with --config`)
  return found[0] ?? null
}

const otherKeys = ['tests', 'scenarios']

/**
 * Reads an object whose keys are option names (`test-dir` or `testDir`), `tests`, `scenarios`, and `profiles`: named
 * objects of the same form. The tests and scenarios of a profile replace those of the file.
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
  const document = await readDocument(resolve(cwd, file), file)
  const { profiles, ...base } = document.content
  const read = (content: Record<string, unknown>, path: readonly string[]) =>
    readPart(table, content, { ...document, at: (keys) => document.at([...path, ...keys]) }, problems)
  const whole = read(base, [])
  const result = { ...whole, layers: [whole.layer], inputs: document.inputs }
  if (profiles !== undefined && !isObject(profiles))
    problems.push(`"profiles" in the configuration file: must be an object of named profiles`)
  const named = isObject(profiles) ? profiles : {}
  // Those that are not chosen are read, too: what is wrong with them is better known today.
  const parts = new Map(
    Object.entries(named).flatMap(([name, content]) => {
      if (isObject(content)) return [[name, { content, ...read(content, ['profiles', name]) }] as const]
      problems.push(`profile "${name}": must be an object of options (${document.at(['profiles', name])})`)
      return []
    }),
  )
  if (profile === null) return result
  const part = parts.get(profile)
  if (part === undefined) {
    problems.push(`--profile: ${file} has no profile "${profile}"${suggestion(profile, Object.keys(named))}`)
    return result
  }
  const replaces = otherKeys.some((key) => key in part.content)
  return {
    ...result,
    ...(replaces ? { tests: part.tests, scenarios: part.scenarios } : {}),
    layers: [whole.layer, part.layer],
  }
}

function readPart<S>(
  table: OptionTable<S>,
  content: Record<string, unknown>,
  document: ConfigDocument,
  problems: string[],
) {
  const place = { where: 'in the configuration file', at: (key: string) => document.at([key]) }
  const scenarios = readScenarios(
    content['scenarios'],
    (keys) => document.at(['scenarios', ...keys]),
    problems,
  )
  const tests = testsOf(content, problems)
  if (tests.length > 0 && scenarios.length > 0)
    problems.push(
      `"tests" and "scenarios" in the configuration file exclude each other: put the tests into a scenario (${document.at(['tests'])})`,
    )
  return { layer: layerOf(table, content, problems, place, [...otherKeys, 'profiles']), scenarios, tests }
}

function testsOf(content: Record<string, unknown>, problems: string[]): readonly string[] {
  const { tests } = content
  if (tests === undefined || tests === null) return []
  const texts = textsOf(tests)
  if (texts === null || isObject(tests))
    problems.push('"tests" in the configuration file: must be a list of names')
  return texts ?? []
}
