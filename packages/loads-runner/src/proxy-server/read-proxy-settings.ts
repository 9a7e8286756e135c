import { loadModule } from '@loads-runner/chaos'
import { readCommandLine } from '../command-line.ts'
import {
  environmentName,
  optionName,
  proxyPrefix,
  readEnvironment,
  resolveSettings,
  type OptionTable,
  type RawValues,
  type SettingSources,
} from '../option-table.ts'
import type { World } from '../world.ts'
import { behaviorOptions, type BehaviorOption, type BehaviorSettings } from './behavior-options.ts'
import { proxyTable, type ProxySettings } from './options.ts'
import { withoutPast } from './past-options.ts'

/** Told to users of a run under the same prefix; nothing that this program takes. */
const foreignVariables: ReadonlySet<string> = new Set()

export interface ProxyInvocation {
  settings: ProxySettings
  sources: SettingSources<ProxySettings>
  /** Options of behaviors that were given: with how each was called there. */
  behaviors: readonly (BehaviorOption & { text: string; called: string })[]
  help: boolean
  version: boolean
  warnings: readonly string[]
}

/**
 * Reads the environment and the command line. Modules are loaded on the way, because their faults have options, too.
 *
 * @throws {UsageError}, {ChaosError} CHAOS_MODULE, CHAOS_EXISTS
 */
export async function readProxySettings(
  world: Pick<World, 'args' | 'env' | 'cwd'>,
  problems: string[],
): Promise<ProxyInvocation> {
  const { args, warnings } = withoutPast(world.args)
  for (const module of modulesNamed(args, world.env)) await loadModule(module, world.cwd)
  const { table: behaviorTable, options } = behaviorOptions()
  const table = { ...proxyTable, ...behaviorTable } as OptionTable<ProxySettings & BehaviorSettings>
  const line = readCommandLine(table, args, problems)
  const environment = readEnvironment(table, world.env, foreignVariables, problems, proxyPrefix)
  const { settings, sources } = resolveSettings(table, [environment, line.raw], problems)
  if (line.operands.length > 0) problems.push(`unexpected: ${line.operands.join(' ')}`)
  const behaviors = [...options].flatMap(([key, option]) => {
    const text = (settings as BehaviorSettings)[key]
    if (text === null || text === undefined) return []
    const called =
      isFrom(environment, key) && !isFrom(line.raw, key)
        ? environmentName(key, proxyPrefix)
        : `--${optionName(key)}`
    return [{ ...option, text, called }]
  })
  return { settings, sources, behaviors, help: line.help, version: line.version, warnings }
}

function isFrom(layer: RawValues<never>, key: string): boolean {
  return layer.values.has(key as never)
}

/** The command line cannot be read before the modules are there: they are looked for with what is known until then. */
function modulesNamed(args: readonly string[], env: World['env']): readonly string[] {
  const found = args.flatMap((arg, at) => {
    if (arg === '--module') return args[at + 1] ?? []
    return arg.startsWith('--module=') ? arg.slice('--module='.length) : []
  })
  if (found.length > 0) return found
  return (env[environmentName('module', proxyPrefix)] ?? '').split(',').filter((name) => name !== '')
}
