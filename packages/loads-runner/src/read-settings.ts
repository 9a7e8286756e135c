import { readCommandLine } from './command-line.ts'
import { layerOf, readConfigFile } from './config-file.ts'
import { isUsageError, UsageError } from './errors.ts'
import { describe, environmentName, optionName, readEnvironment, resolveSettings } from './option-table.ts'
import type { RawValues, ReadSettings, SettingSources } from './option-table.ts'
import { brokerVerbs, optionTable } from './options.ts'
import type { Settings } from './options.ts'
import { stageProblem } from './stages.ts'
import type { World } from './world.ts'

/** What `loads-runner` was asked to do. */
export interface Invocation extends ReadSettings<Settings> {
  tests: readonly string[]
  help: boolean
  version: boolean
}

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
    return { ...quick, ...resolveSettings(optionTable, [], []), tests: [] }
  }
  return { ...(await resolve(world, line.raw, line.operands, problems)), ...quick }
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
  const layer = layerOf(optionTable, options, problems, 'in the options')
  const raw = { ...layer, source: 'command line' as const }
  return { ...(await resolve(world, raw, tests, problems)), help: false, version: false }
}

async function resolve(
  world: Pick<World, 'env' | 'cwd'>,
  raw: RawValues<Settings>,
  names: readonly string[],
  problems: string[],
): Promise<ReadSettings<Settings> & { tests: readonly string[] }> {
  const environment = readEnvironment(optionTable, world.env, mentionedVariables(raw), problems)
  const files = await configuration(world.cwd, [environment, raw], problems)
  const layers = [...files.layers, environment, raw]
  const { settings, sources } = resolveSettings(optionTable, layers, problems)
  // A verb is about the broker; tests of the file are for runs.
  const fromFile = brokerVerbs.some((verb) => settings[verb] !== null && settings[verb] !== false)
    ? []
    : files.tests
  const tests = names.length > 0 ? names : fromFile
  dropOverruled(settings, sources)
  problems.push(...conflicts(settings, sources, tests, world.env))
  if (problems.length > 0) throw new UsageError([...new Set(problems)])
  return { settings, sources, tests }
}

async function configuration(cwd: string, layers: RawValues<Settings>[], problems: string[]) {
  const last = (key: 'config' | 'profile') =>
    layers
      .findLast((layer) => layer.values.has(key))
      ?.values.get(key)
      ?.at(-1)
  const file = last('config')
  const profile = last('profile') ?? null
  if (file === undefined) {
    if (profile !== null) problems.push('--profile: needs --config FILE, which holds the profiles')
    return { tests: [], layers: [] }
  }
  try {
    return await readConfigFile(optionTable, cwd, file, profile, problems)
  } catch (error) {
    if (!isUsageError(error)) throw error
    problems.push(...error.problems)
    return { tests: [], layers: [] }
  }
}

/** Variables of the environment that `--env` and `--secret` take: any name is right. */
function mentionedVariables(raw: RawValues<Settings>): Set<string> {
  const texts = [...(raw.values.get('env') ?? []), ...(raw.values.get('secret') ?? [])]
  return new Set([
    ...foreignVariables,
    ...texts.map((text) => text.replace(/^.*=env:/, '').replace(/=.*$/s, '')),
  ])
}

/** `--duration` on the command line overrules iterations from a file, and the other way round. */
function dropOverruled(settings: Settings, sources: SettingSources<Settings>): void {
  const rank = { default: 0, config: 1, environment: 2, 'command line': 3 }
  if (settings.iterations === null || settings.duration === null) return
  const difference = rank[sources.iterations] - rank[sources.duration]
  if (difference < 0) settings.iterations = null
  if (difference > 0) settings.duration = null
}

function conflicts(
  settings: Settings,
  sources: SettingSources<Settings>,
  tests: readonly string[],
  env: World['env'],
): string[] {
  const problems: string[] = []
  if (settings.iterations !== null && settings.duration !== null) {
    problems.push(
      `${describe('iterations', sources.iterations)} and ${describe('duration', sources.duration)} exclude each other: give one`,
    )
  }
  const stages = stageProblem(settings)
  if (stages !== null) problems.push(stages)
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
