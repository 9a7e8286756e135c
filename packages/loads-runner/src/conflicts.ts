import { describe, environmentName, optionName } from './option-table.ts'
import type { SettingSources } from './option-table.ts'
import { brokerVerbs } from './options.ts'
import type { Settings } from './options.ts'
import { loadKeys } from './options/load.ts'
import type { World } from './world.ts'

/** An option was given that is null or false where it is not. */
export function isGiven(value: unknown): boolean {
  return value !== null && value !== false
}

/** Options that contradict each other, other than those that shape the load; each problem names both and what to do. */
export function conflictsOf(
  settings: Settings,
  sources: SettingSources<Settings>,
  tests: readonly string[],
  env: World['env'],
): string[] {
  return [
    ...verbProblems(settings, tests),
    ...wayProblems(settings, sources, tests),
    ...controlProblems(settings),
    ...valueProblems(settings, sources, env),
  ]
}

function valueProblems(settings: Settings, sources: SettingSources<Settings>, env: World['env']): string[] {
  const problems: string[] = []
  if ((settings.cert === null) !== (settings.key === null) && settings.replay === null)
    problems.push('--cert and --key go together: give both')
  if (settings.delayAbort > 0 && !settings.abortOnFail && sources.delayAbort === 'command line')
    problems.push('--delay-abort says nothing without --abort-on-fail: add that, or leave it out')
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
  const given = brokerVerbs.filter((verb) => isGiven(settings[verb]))
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
  const needsTest = given.length === 0 && settings.replay === null && settings.testRunner === null
  if (needsTest && tests.length === 0) {
    problems.push(
      'name at least one test: loads-runner example.TestWebSite.test_es (--help shows all options)',
    )
  }
  return problems
}

/** Ways to run that decide what others would, and what each cannot be combined with. */
const ways = {
  once: ['agents', 'broker', 'detach', 'findCapacity', 'replay'],
  replay: ['agents', 'broker', 'detach', 'findCapacity', 'dryRun', 'testRunner'],
  findCapacity: ['detach', 'watch', 'inspect', 'dryRun'],
  watch: ['detach', 'dryRun', 'inspect'],
} as const

const decidedBySearch = ['iterations', 'sharedHits', 'stages', 'maxDuration', 'rampUp'] as const

function wayProblems(
  settings: Settings,
  sources: SettingSources<Settings>,
  tests: readonly string[],
): string[] {
  const problems: string[] = []
  const typed = (key: keyof Settings) => sources[key] === 'command line' && isGiven(settings[key])
  for (const [way, others] of Object.entries(ways) as [keyof typeof ways, readonly (keyof Settings)[]][]) {
    if (!isGiven(settings[way])) continue
    for (const other of others) {
      if (typed(other))
        problems.push(`--${optionName(way)} and --${optionName(other)} cannot be combined: give one`)
    }
  }
  for (const way of ['once', 'replay'] as const) {
    if (!isGiven(settings[way])) continue
    const does =
      way === 'once' ? 'runs each test once, with one user' : 'runs one execution, as it was recorded'
    for (const key of [...loadKeys, 'workers' as const]) {
      if (sources[key] !== 'command line' || (key === 'workers' && settings.workers === 0)) continue
      problems.push(`--${optionName(way)} ${does}: leave ${describe(key, 'command line')} out`)
    }
  }
  if (settings.findCapacity !== null) {
    for (const key of decidedBySearch) {
      if (sources[key] === 'command line')
        problems.push(`--find-capacity decides itself how much load is made: leave --${optionName(key)} out`)
    }
  }
  if (settings.replay !== null && tests.length > 0)
    problems.push(`--replay takes its test from the run, and ${tests.join(' ')} was given: leave that out`)
  if (settings.verbose && !settings.once && settings.replay === null)
    problems.push('--verbose prints every request: it goes with --once or --replay')
  return problems
}

const changes = ['setUsers', 'setRate', 'pauseLoad', 'resumeLoad'] as const

function controlProblems(settings: Settings): string[] {
  const given = changes.filter((key) => isGiven(settings[key])).map((key) => `--${optionName(key)}`)
  if (settings.control === null) {
    const stray = [...given, ...(settings.ofScenario === null ? [] : ['--of-scenario'])]
    return stray.map((name) => `${name} needs --control: add that, with the run where there are several`)
  }
  const problems: string[] = []
  if (given.length === 0)
    problems.push('--control needs a change: give --set-users N, --set-rate R, --pause-load or --resume-load')
  if (settings.setUsers !== null && settings.setRate !== null)
    problems.push('--set-users and --set-rate cannot be combined: a run controls one of them')
  if (settings.pauseLoad && settings.resumeLoad)
    problems.push('--pause-load and --resume-load cannot be combined: give one')
  return problems
}
