import { readCommandLine } from './command-line.ts'
import { findConfigFile, noConfiguration, readConfigFile } from './config/config-file.ts'
import type { Configuration } from './config/config-file.ts'
import { layerOf } from './config/layer.ts'
import { readScenarios } from './config/scenario-entries.ts'
import type { ScenarioEntry } from './config/scenario-entries.ts'
import { isUsageError, UsageError } from './errors.ts'
import { environmentName, optionName, readEnvironment, resolveSettings } from './option-table.ts'
import type { RawValues, ReadSettings } from './option-table.ts'
import { problemsOf, GivenLoad } from './load-models/index.ts'
import type { LoadLayer } from './load-models/index.ts'
import { brokerVerbs, optionTable } from './options.ts'
import type { Settings } from './options.ts'
import { earlyThresholdProblems } from './plan-thresholds.ts'
import type { World } from './world.ts'

/** What `loads-runner` was asked to do. */
export interface Invocation extends ReadSettings<Settings> {
  /** Names of tests, those of scenarios included. */
  tests: readonly string[]
  /** Of the configuration file; empty where tests are named directly. */
  scenarios: readonly ScenarioEntry[]
  /** Where options came from: class attributes come between the two. The farthest first. */
  layers: { file: readonly RawValues<Settings>[]; nearer: readonly RawValues<Settings>[] }
  /** Files that the configuration was read from. */
  configFiles: readonly string[]
  help: boolean
  version: boolean
}

type Resolved = Omit<Invocation, 'help' | 'version'>

/** Set by agents for external runners, which may start us again; not options. */
const foreignVariables = ['LOADS_RUN_ID', 'LOADS_AGENT_ID', 'LOADS_USER', 'LOADS_EVENTS_FD', 'LOADS_TEST']

/**
 * Reads settings: defaults < configuration file < environment < command line. (Class attributes come between the file
 * and the environment; they are known once the tests are bundled, see {@link planRun}.)
 *
 * @throws {UsageError} with every problem found, not only the first
 */
export async function readSettings(world: Pick<World, 'args' | 'env' | 'cwd'>): Promise<Invocation> {
  const problems: string[] = []
  const line = readCommandLine(optionTable, world.args, problems)
  const quick = { help: line.help, version: line.version }
  if (line.help || line.version) {
    const nothing = { tests: [], scenarios: [], layers: { file: [], nearer: [] }, configFiles: [] }
    return { ...quick, ...resolveSettings(optionTable, [], []), ...nothing }
  }
  return { ...(await resolve(world, line.raw, line.operands, [], problems)), ...quick }
}

/**
 * The same from code: `options` stands for the command line.
 *
 * @throws {UsageError} with every problem found
 */
export async function invocationFrom(
  world: Pick<World, 'env' | 'cwd'>,
  options: Readonly<Record<string, unknown>>,
  tests: readonly string[],
): Promise<Invocation> {
  const problems: string[] = []
  const place = { where: 'in the options', at: () => '' }
  const { values } = layerOf(optionTable, options, problems, place, ['scenarios'])
  const scenarios = readScenarios(options['scenarios'], () => '', problems)
  const raw = { values, source: 'command line' as const }
  return { ...(await resolve(world, raw, tests, scenarios, problems)), help: false, version: false }
}

async function resolve(
  world: Pick<World, 'env' | 'cwd'>,
  raw: RawValues<Settings>,
  names: readonly string[],
  given: readonly ScenarioEntry[],
  problems: string[],
): Promise<Resolved> {
  const environment = readEnvironment(optionTable, world.env, mentionedVariables(raw), problems)
  const file = await configuration(world.cwd, [environment, raw], problems)
  const nearer = [environment, raw]
  const { settings, sources } = resolveSettings(optionTable, [...file.layers, ...nearer], problems)
  // A verb is about the broker; tests of the file are for runs.
  const isVerb = brokerVerbs.some((verb) => settings[verb] !== null && settings[verb] !== false)
  const scenarios = names.length > 0 || isVerb ? given : given.length > 0 ? given : file.scenarios
  const fromFile = isVerb || scenarios.length > 0 ? [] : file.tests
  const tests = [
    ...new Set([
      ...(names.length > 0 ? names : fromFile),
      ...scenarios.flatMap((scenario) => scenario.tests.map(({ name }) => name)),
    ]),
  ]
  if (names.length > 0 && given.length > 0)
    problems.push('"test" and "scenarios" exclude each other: put the tests into a scenario')
  problems.push(...loadProblems(file.layers, scenarios, nearer))
  problems.push(...earlyThresholdProblems(settings, scenarios))
  problems.push(...conflicts(settings, tests, world.env))
  if (problems.length > 0) throw new UsageError([...new Set(problems)])
  return {
    settings,
    sources,
    tests,
    scenarios,
    layers: { file: file.layers, nearer },
    configFiles: file.inputs,
  }
}

async function configuration(
  cwd: string,
  layers: RawValues<Settings>[],
  problems: string[],
): Promise<Configuration<Settings>> {
  const last = (key: 'config' | 'profile') =>
    layers
      .findLast((layer) => layer.values.has(key))
      ?.values.get(key)
      ?.at(-1)
  const profile = last('profile') ?? null
  try {
    const file = last('config') ?? (await findConfigFile(cwd))
    if (file !== null) return await readConfigFile(optionTable, cwd, file, profile, problems)
    if (profile !== null) problems.push('--profile: needs --config FILE, which holds the profiles')
  } catch (error) {
    if (!isUsageError(error)) throw error
    problems.push(...error.problems)
  }
  return noConfiguration
}

/** What is wrong with the loads so far. What is missing is said once the classes are known. */
function loadProblems(
  file: readonly LoadLayer[],
  scenarios: readonly ScenarioEntry[],
  nearer: readonly LoadLayer[],
): string[] {
  const own = scenarios.length === 0 ? [[]] : scenarios.map((scenario) => [scenario.load])
  return own.flatMap((layers) => {
    const problems: string[] = []
    const load = new GivenLoad([...file, ...layers, ...nearer], problems)
    return [...problems, ...problemsOf(load)]
  })
}

/** Variables of the environment that `--env` and `--secret` take: any name is right. */
function mentionedVariables(raw: RawValues<Settings>): Set<string> {
  const texts = [...(raw.values.get('env') ?? []), ...(raw.values.get('secret') ?? [])]
  return new Set([
    ...foreignVariables,
    ...texts.map((text) => text.replace(/^.*=env:/, '').replace(/=.*$/s, '')),
  ])
}

function conflicts(settings: Settings, tests: readonly string[], env: World['env']): string[] {
  const problems: string[] = []
  problems.push(...verbProblems(settings, tests))
  if ((settings.cert === null) !== (settings.key === null))
    problems.push('--cert and --key go together: give both')
  for (const [name, value] of Object.entries(settings.env)) {
    if (value === null && env[name] === undefined)
      problems.push(`--env ${name}: there is no variable ${name} here`)
  }
  for (const [name, from] of Object.entries(settings.secret)) {
    if (env[from] === undefined) problems.push(`--secret ${name}: there is no variable ${from} here`)
  }
  return problems
}

function verbProblems(settings: Settings, tests: readonly string[]): string[] {
  const problems: string[] = []
  const given = brokerVerbs.filter((verb) => settings[verb] !== null && settings[verb] !== false)
  const named = given.map((verb) => `--${optionName(verb)}`)
  if (given.length > 1) problems.push(`${named.join(' and ')} cannot be combined: give one`)
  if (given.length > 0 && settings.broker === null) {
    problems.push(`${named[0]} needs a broker: give --broker @FILE, or set ${environmentName('broker')}`)
  }
  if (settings.detach && settings.broker === null) {
    problems.push(
      `--detach needs a broker that stays when this command ends: give --broker @FILE, or set ${environmentName('broker')}`,
    )
  }
  if (given.length > 0 && tests.length > 0)
    problems.push(`${named[0]} takes no tests, and ${tests.join(' ')} was given`)
  if (given.length === 0 && tests.length === 0 && settings.testRunner === null) {
    problems.push(
      'name at least one test: loads-runner example.TestWebSite.test_es (--help shows all options)',
    )
  }
  return problems
}
