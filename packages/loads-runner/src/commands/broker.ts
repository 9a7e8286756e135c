import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import { helpText, readCommandLine } from '../command-line.ts'
import { UsageError } from '../errors.ts'
import { resolveSettings } from '../option-table.ts'
import type { OptionTable } from '../option-table.ts'
import { flag, hostAndPort, oneOf, word } from '../option-values.ts'
import { processLog, untilToldToStop } from '../standing-process.ts'
import type { World } from '../world.ts'
import { version } from '../version.ts'

interface BrokerSettings {
  bind: { host: string; port: number }
  advertise: { host: string; port: number } | null
  stateDir: string | null
  private: boolean
  logLevel: 'debug' | 'info' | 'warning' | 'error'
}

const defaultPort = 7776
/** Descriptor on which a private broker tells its parent how to join. */
const announceDescriptor = 4

const brokerTable: OptionTable<BrokerSettings> = {
  bind: {
    flags: '--bind <HOST:PORT>',
    group: 'Options:',
    help: `where to listen (default: 127.0.0.1:${defaultPort})`,
    initial: { host: '127.0.0.1', port: defaultPort },
    parse: hostAndPort,
  },
  advertise: {
    flags: '--advertise <HOST:PORT>',
    group: 'Options:',
    help: 'where others reach it, for the join files (default: as --bind)',
    initial: null,
    parse: hostAndPort,
  },
  stateDir: {
    flags: '--state-dir <DIR>',
    group: 'Options:',
    help: 'keys, join files and the journal of runs (default: the state directory of the user)',
    initial: null,
    parse: word,
  },
  private: {
    flags: '--private',
    group: 'Options:',
    help: 'for one run: keeps nothing, listens on any local port, ends with its standard input',
    initial: false,
    parse: flag,
  },
  logLevel: {
    flags: '--log-level <LEVEL>',
    group: 'Options:',
    help: 'debug, info, warning or error (default: info)',
    initial: 'info',
    parse: oneOf('debug', 'info', 'warning', 'error'),
  },
}

const brokerText = {
  name: 'loads-broker',
  usage: '[options]',
  description: 'The process that knows: it takes agents and runs, merges their figures and gives verdicts.',
  epilogue: '',
}

/** `loads-broker`: serves until it is told to stop. */
export async function brokerCommand(world: World): Promise<number> {
  const problems: string[] = []
  const line = readCommandLine(brokerTable, world.args, problems)
  const { settings } = resolveSettings(brokerTable, [line.raw], problems)
  if (line.help) return say(world, helpText(brokerTable, brokerText))
  if (line.version) return say(world, `${version}\n`)
  if (line.operands.length > 0) problems.push(`unexpected: ${line.operands.join(' ')}`)
  if (problems.length > 0) throw new UsageError(problems)

  const [protocol, { Broker }] = await Promise.all([
    import('@loads-runner/protocol'),
    import('@loads-runner/broker'),
  ])
  const log = processLog(world, settings.logLevel)
  const stateDir = settings.private
    ? null
    : resolve(world.cwd, settings.stateDir ?? protocol.defaultStateDir())
  const keys = stateDir === null ? protocol.createKeys() : await protocol.loadOrCreateKeys(stateDir)
  const { host, port } = settings.private ? { host: '127.0.0.1', port: 0 } : settings.bind
  const listener = await protocol.listen({ host, port, keys })
  const broker = new Broker({ listener, stateDir, version, log })
  await broker.start()
  const advertise = settings.advertise === null ? listener.address : addressOf(settings.advertise)
  if (stateDir === null) {
    const [agent, operator] = (['agent', 'operator'] as const).map((role) =>
      protocol.formatJoin(keys, role, advertise),
    )
    await announce({ agent, operator })
  } else {
    const files = await protocol.writeJoinFiles(stateDir, keys, advertise)
    world.stdout.write(
      `loads-broker listens on ${listener.address}; join files: ${files.agent} ${files.operator}\n`,
    )
  }
  await untilToldToStop(world, settings.private)
  await broker.close()
  return 0
}

function say(world: World, text: string): number {
  world.stdout.write(text)
  return 0
}

function addressOf({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** One line of JSON for the parent, on a descriptor that only it reads. */
async function announce(joins: object): Promise<void> {
  const stream = createWriteStream('', { fd: announceDescriptor })
  await new Promise<void>((done, failed) => {
    stream.once('error', failed)
    stream.end(`${JSON.stringify(joins)}\n`, done)
  })
}
