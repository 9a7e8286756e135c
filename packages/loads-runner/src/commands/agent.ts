import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { helpText, readCommandLine } from '../command-line.ts'
import { UsageError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { resolveSettings } from '../option-table.ts'
import type { OptionTable, RawValues } from '../option-table.ts'
import { flag, oneOf, pair, whole, word } from '../option-values.ts'
import { processLog, removeLeftOvers, untilToldToStop } from '../standing-process.ts'
import { version } from '../version.ts'
import type { World } from '../world.ts'

interface AgentSettings {
  broker: string | null
  name: string | null
  label: Readonly<Record<string, string>>
  slots: number
  runs: number | null
  workDir: string | null
  private: boolean
  logLevel: 'debug' | 'info' | 'warning' | 'error'
}

const group = 'Options:'

const agentTable: OptionTable<AgentSettings> = {
  broker: {
    flags: '--broker <@FILE|URL>',
    group,
    help: "the agent's join string, or @ and the file that holds it (also: LOADS_BROKER)",
    initial: null,
    parse: word,
  },
  name: {
    flags: '--name <NAME>',
    group,
    help: 'name of the agent, the same after a restart (default: from host and working directory)',
    initial: null,
    parse: word,
  },
  label: {
    flags: '--label <K=V>',
    group,
    help: 'label of the agent; repeatable',
    initial: {},
    parse: pair,
    repeatable: true,
  },
  slots: {
    flags: '--slots <N>',
    group,
    help: 'runs at one time (default: 1)',
    initial: 1,
    parse: whole(1, 1000),
  },
  runs: {
    flags: '--runs <N>',
    group,
    help: 'end after taking part in N runs, as a job of a cluster does (default: stay)',
    initial: null,
    parse: whole(1, 1_000_000),
  },
  workDir: {
    flags: '--work-dir <DIR>',
    group,
    help: 'where runs have their files (default: the temporary directory)',
    initial: null,
    parse: word,
  },
  private: {
    flags: '--private',
    group,
    help: 'for one run: it is its own session, and ends with its standard input',
    initial: false,
    parse: flag,
  },
  logLevel: {
    flags: '--log-level <LEVEL>',
    group,
    help: 'debug, info, warning or error (default: info)',
    initial: 'info',
    parse: oneOf('debug', 'info', 'warning', 'error'),
  },
}

const agentText = {
  name: 'loads-agent',
  usage: '--broker @FILE [options]',
  description: 'The process that makes load: it registers with a broker and runs what that says.',
  epilogue: '',
}

/** A private agent whose broker is gone has nothing to wait for. Milliseconds. */
const privateReconnectMs = 5000

/** `loads-agent`: makes load until it is told to stop. */
export async function agentCommand(world: World): Promise<number> {
  const problems: string[] = []
  const line = readCommandLine(agentTable, world.args, problems)
  const { settings } = resolveSettings(agentTable, [fromEnvironment(world.env), line.raw], problems)
  if (line.help || line.version) {
    world.stdout.write(line.help ? helpText(agentTable, agentText) : `${version}\n`)
    return 0
  }
  if (line.operands.length > 0) problems.push(`unexpected: ${line.operands.join(' ')}`)
  if (settings.broker === null) problems.push('which broker? Give --broker @FILE with its agent.join')
  if (problems.length > 0) throw new UsageError(problems)
  try {
    return await serve(world, settings, settings.broker!)
  } finally {
    if (settings.private) await removeLeftOvers()
  }
}

async function serve(world: World, settings: AgentSettings, broker: string): Promise<number> {
  const [{ dialer, readJoin }, { Agent }] = await Promise.all([
    import('@loads-runner/protocol'),
    import('@loads-runner/agent'),
  ])
  const log = processLog(world, settings.logLevel)
  const join = await readJoin(broker)
  const id = settings.name ?? (await stableName(world.cwd))
  const agent = new Agent({
    dialer: dialer(join),
    identity: {
      id,
      incarnation: randomUUID(),
      host: hostname(),
      pid: process.pid,
      version,
      slots: settings.slots,
      labels: { ...settings.label },
    },
    workDir: settings.workDir === null ? null : resolve(world.cwd, settings.workDir),
    sessions: settings.private ? 'own' : 'child',
    log,
    ...(settings.private ? { maxReconnectMs: privateReconnectMs } : {}),
    ...(settings.runs === null ? {} : { maxRuns: settings.runs }),
  })
  const told = untilToldToStop(world, settings.private).then(() => null)
  const registered = agent.start().then(() => log('info', `agent ${id} is registered`))
  const first = await Promise.race([told, registered])
  if (first !== null) {
    const end = await Promise.race([told, agent.ended])
    if (end?.done === true) {
      log('info', `agent ${id} has ended: ${end.reason}`)
      return 0
    }
    if (end !== null) {
      log('error', `agent ${id} has ended: ${end.reason}`)
      return exitCodes.infrastructure
    }
  }
  await agent.stop()
  return 0
}

/** The join string may come from the environment, as containers like it. */
function fromEnvironment(env: World['env']): RawValues<AgentSettings> {
  const broker = env['LOADS_BROKER']
  const given = broker === undefined || broker === '' ? [] : [['broker', [broker]] as const]
  return { source: 'environment', values: new Map(given) }
}

/** `host-1a2b3c`: the same for the same place on the same machine, different for two agents side by side. */
async function stableName(cwd: string): Promise<string> {
  const machine = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  const part = createHash('sha256').update(`${machine.trim()} ${cwd}`).digest('hex').slice(0, 6)
  return `${hostname()}-${part}`
}
