import { parseDuration } from '../duration.ts'
import { isUsageError } from '../errors.ts'
import type { LoadLayer } from '../load-models/given-load.ts'
import { loadOptions } from '../options/load.ts'
import { inBrackets, isObject, layerOf, textsOf } from './layer.ts'

/** A scenario as the configuration file has it: its load is not put together with that of elsewhere yet. */
export interface ScenarioEntry {
  name: string
  tests: readonly { name: string; weight: number | null }[]
  load: LoadLayer
  startMs: number
  tags: Readonly<Record<string, string>>
  params: Readonly<Record<string, string>>
  thresholds: readonly string[]
}

const ownKeys = ['tests', 'startAfter', 'start-after', 'tags', 'params', 'thresholds']

/** As of a class: weights are parts of a cycle that each user runs through. */
const mostWeight = 10_000

/** Parts of an execution id are parted by `/`, and a threshold names a scenario inside of `{}`. */
const scenarioName = /^[\w][\w .-]*$/

/** Reads `scenarios` of a configuration: objects by name. Whatever is wrong becomes a problem. */
export function readScenarios(
  value: unknown,
  at: (path: readonly string[]) => string,
  problems: string[],
): ScenarioEntry[] {
  if (value === undefined || value === null) return []
  if (!isObject(value)) {
    problems.push('"scenarios": must be an object, with the name of each scenario as a key')
    return []
  }
  if (Object.keys(value).length === 0)
    problems.push('"scenarios": is empty; describe one at least, or leave it out')
  return Object.entries(value).map(([name, content]) => readScenario(name, content, at, problems))
}

function readScenario(
  name: string,
  content: unknown,
  at: (path: readonly string[]) => string,
  problems: string[],
): ScenarioEntry {
  const say = (key: string, text: string) =>
    problems.push(`"${key}" of scenario "${name}": ${text}${inBrackets(at([name, key]))}`)
  if (!scenarioName.test(name)) {
    problems.push(
      `scenario "${name}": a name has letters, digits, blanks and . _ - only${inBrackets(at([name]))}`,
    )
  }
  if (!isObject(content)) {
    problems.push(`scenario "${name}": must be an object with "tests" and a load${inBrackets(at([name]))}`)
    content = { tests: [] }
  }
  const own = content as Record<string, unknown>
  const place = { where: `of scenario "${name}"`, at: (key: string) => at([name, key]) }
  const words = (key: string): Record<string, string> => {
    const found = own[key]
    if (found === undefined || found === null) return {}
    if (isObject(found) && Object.values(found).every((each) => textsOf(each)?.length === 1))
      return Object.fromEntries(Object.entries(found).map(([word, each]) => [word, String(each)]))
    say(key, 'must be an object of texts')
    return {}
  }
  const thresholds = textsOf(own['thresholds'] ?? [])
  if (thresholds === null || isObject(own['thresholds'])) say('thresholds', 'must be a list of texts')
  return {
    name,
    tests: testsOf(name, own['tests'], say),
    load: layerOf(loadOptions, own, problems, place, ownKeys),
    startMs: startOf(own['startAfter'] ?? own['start-after'] ?? 0, say),
    tags: words('tags'),
    params: words('params'),
    thresholds: thresholds ?? [],
  }
}

type Say = (key: string, text: string) => void

function testsOf(scenario: string, value: unknown, say: Say): { name: string; weight: number | null }[] {
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || list.length === 0) {
    say('tests', "is missing: name at least one test, like ['example.TestLogin']")
    return []
  }
  return list.flatMap((each: unknown) => {
    const { test, weight = null, ...rest } = isObject(each) ? each : { test: each }
    if (typeof test !== 'string' || test === '' || Object.keys(rest).length > 0) {
      say('tests', `${JSON.stringify(each)} is neither a name nor { test, weight }`)
      return []
    }
    if (
      weight === null ||
      (Number.isInteger(weight) && (weight as number) >= 0 && (weight as number) <= mostWeight)
    )
      return [{ name: test, weight: weight as number | null }]
    say('tests', `the weight of ${test} is no whole number from 0 to ${mostWeight}`)
    return []
  })
}

function startOf(value: unknown, say: Say): number {
  try {
    return parseDuration(textsOf(value)?.[0] ?? '')
  } catch (error) {
    if (!isUsageError(error)) throw error
    say('startAfter', error.message)
    return 0
  }
}
