import { readCommandLine } from './command-line.ts'
import { findConfigFile, noConfiguration, readConfigFile } from './config/config-file.ts'
import type { Configuration } from './config/config-file.ts'
import { layerOf } from './config/layer.ts'
import { readScenarios } from './config/scenario-entries.ts'
import type { ScenarioEntry } from './config/scenario-entries.ts'
import { isUsageError, UsageError } from './errors.ts'
import { conflictsOf, isGiven } from './conflicts.ts'
import { readEnvironment, resolveSettings } from './option-table.ts'
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

/** What outputs and observers take from the environment, since secrets belong in no command line. */
const secretVariables = [
  'LOADS_INFLUX_PASSWORD',
  'LOADS_INFLUX_TOKEN',
  'LOADS_PROMETHEUS_TOKEN',
  'LOADS_OBSERVE_TOKEN',
  'LOADS_WEBHOOK_SECRET',
]

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
  const { scenarios: described, config, profile, ...rest } = options
  const { values } = layerOf(optionTable, rest, problems, place, ['scenarios', 'config', 'profile'])
  const files = Object.entries({ config, profile }).filter(([, value]) => typeof value === 'string')
  const named = files.map(([key, value]) => [key as keyof Settings, [value as string]] as const)
  const scenarios = readScenarios(described, () => '', problems)
  const raw = { values: new Map([...values, ...named]), source: 'command line' as const }
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
  const isVerb = settings.replay !== null || brokerVerbs.some((verb) => isGiven(settings[verb]))
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
  // Where a search begins is no part of the load that it makes.
  const shaping = settings.findCapacity === null ? nearer : nearer.map(withoutStart)
  problems.push(...loadProblems(file.layers, scenarios, shaping))
  problems.push(...earlyThresholdProblems(settings, scenarios))
  problems.push(...conflictsOf(settings, sources, tests, world.env))
  if (problems.length > 0) throw new UsageError([...new Set(problems)])
  if (settings.once || settings.replay !== null) stayHere(settings)
  return {
    settings,
    sources,
    tests,
    scenarios,
    layers: { file: file.layers, nearer },
    configFiles: file.inputs,
  }
}

function withoutStart(layer: LoadLayer): LoadLayer {
  const { values } = layer
  return {
    ...layer,
    values: {
      has: (key) => key !== 'start' && values.has(key),
      get: (key) => (key === 'start' ? undefined : values.get(key)),
    },
  }
}

/** One execution is made in this process, where it can be watched, whatever files and variables say of a cluster. */
function stayHere(settings: Settings): void {
  settings.agents = null
  settings.broker = null
  settings.workers = 0
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
    ...secretVariables,
    ...texts.map((text) => text.replace(/^.*=env:/, '').replace(/=.*$/s, '')),
  ])
}
