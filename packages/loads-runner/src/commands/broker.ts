import { createWriteStream } from 'node:fs'
import { join, resolve } from 'node:path'
import type { OutputEnvironment } from '@loads-runner/outputs'
import type * as Protocol from '@loads-runner/protocol'
import type { Dialer } from '@loads-runner/protocol'
import { Secrets } from '@loads-runner/testcase/secrets'
import { helpText, readCommandLine } from '../command-line.ts'
import { BrokerRuns } from '../dashboard/broker-runs.ts'
import { UsageError } from '../errors.ts'
import { resolveSettings } from '../option-table.ts'
import type { OptionTable } from '../option-table.ts'
import { flag, hostAndPort, list, oneOf, whole, word } from '../option-values.ts'
import type { Log } from '../place.ts'
import { BrokerOutputs } from '../outputs/broker-outputs.ts'
import { planOutputs } from '../outputs/planned-outputs.ts'
import { parentWatch, processLog, removeLeftOvers, untilToldToStop } from '../standing-process.ts'
import { Teardown } from '../teardown.ts'
import type { World } from '../world.ts'
import { version } from '../version.ts'

interface BrokerSettings {
  bind: { host: string; port: number }
  advertise: { host: string; port: number } | null
  stateDir: string | null
  private: boolean
  init: boolean
  http: { host: string; port: number } | null
  httpName: readonly string[]
  output: readonly string[]
  keepRuns: number | null
  keepDays: number | null
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
  init: {
    flags: '--init',
    group: 'Options:',
    help: 'make keys and join files in the state directory, and end: for secrets of a cluster',
    initial: false,
    parse: flag,
  },
  http: {
    flags: '--http <HOST:PORT>',
    group: 'Options:',
    help: 'show all runs live on a web page; changes need the token in dashboard.token of the state directory',
    initial: null,
    parse: hostAndPort,
  },
  httpName: {
    flags: '--http-name <NAME>',
    group: 'Options:',
    help: 'a name by which browsers reach that page, besides addresses and localhost; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
  },
  output: {
    flags: '-o, --output <NAME:ARGS>',
    group: 'Options:',
    help: 'where the figures of every run go: statsd:HOST:PORT, influx:URL, prometheus:HOST:PORT, otlp:URL, webhook:URL; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
  },
  keepRuns: {
    flags: '--keep-runs <N>',
    group: 'Options:',
    help: 'remove the journals of all but the last N runs (default: 1000)',
    initial: 1000,
    parse: whole(1, 1_000_000),
  },
  keepDays: {
    flags: '--keep-days <N>',
    group: 'Options:',
    help: 'remove journals of runs that ended so many days ago (default: never)',
    initial: null,
    parse: whole(1, 100_000),
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
  if (settings.init) return makeKeys(world, settings, protocol)
  const log = processLog(world, settings.logLevel)
  const environment = { cwd: world.cwd, env: world.env, log }
  const outputs = await planBrokerOutputs(settings, environment)
  const stateDir = settings.private
    ? null
    : resolve(world.cwd, settings.stateDir ?? protocol.defaultStateDir())
  const keys = stateDir === null ? protocol.createKeys() : await protocol.loadOrCreateKeys(stateDir)
  const { host, port } = settings.private ? { host: '127.0.0.1', port: 0 } : settings.bind
  const isOrphan = parentWatch()
  const teardown = new Teardown((name, error) => log('warning', `${name} did not stop: ${String(error)}`))
  try {
    const listener = await protocol.listen({ host, port, keys })
    // This process is an operator of its own broker: page and outputs are watchers like any other.
    const inside = protocol.createInProcessChannel()
    const keepRuns = { runs: settings.keepRuns, days: settings.keepDays }
    let written: BrokerOutputs | null = null
    const broker = new Broker({
      listeners: [listener, inside.listener],
      stateDir,
      version,
      log,
      keepRuns,
      onRun: (runId, spec) => written?.begin(runId, spec),
    })
    teardown.add('the broker', () => broker.close())
    await broker.start()
    const advertise = settings.advertise === null ? listener.address : addressOf(settings.advertise)
    if (stateDir === null) {
      const [agent, operator] = (['agent', 'operator'] as const).map((role) =>
        protocol.formatJoin(keys, role, advertise),
      )
      await announce({ agent, operator })
    } else {
      const runs = new BrokerRuns({
        dialer: inside.dialer,
        secrets: new Secrets([]),
        onTrouble: (text) => log('warning', text),
      })
      teardown.add('the watch over its runs', () => runs.close())
      const writing = new BrokerOutputs(runs, outputs, environment)
      written = writing
      teardown.add('its outputs', () => writing.close())
      const files = await protocol.writeJoinFiles(stateDir, keys, advertise)
      world.stdout.write(
        `loads-broker listens on ${listener.address}; join files: ${files.agent} ${files.operator}\n`,
      )
      if (settings.http !== null) {
        const page = await openPage(settings, settings.http, stateDir, inside.dialer, log)
        teardown.add('the page', () => page.close())
        world.stdout.write(`runs are shown at ${page.url}; the token for changes: ${page.tokenFile}\n`)
      }
    }
    await untilToldToStop(world, settings.private)
    return 0
  } finally {
    await teardown.run()
    // Who waits for us need not wait for that, too.
    if (settings.private && isOrphan()) await removeLeftOvers()
  }
}

async function makeKeys(
  world: World,
  { stateDir, advertise, bind }: BrokerSettings,
  { defaultStateDir, loadOrCreateKeys, writeJoinFiles }: typeof Protocol,
): Promise<number> {
  const directory = resolve(world.cwd, stateDir ?? defaultStateDir())
  const files = await writeJoinFiles(
    directory,
    await loadOrCreateKeys(directory),
    addressOf(advertise ?? bind),
  )
  return say(world, `keys are in ${directory}; join files: ${files.agent} ${files.operator}\n`)
}

/** @throws {UsageError} outputs that are not a broker's */
async function planBrokerOutputs(settings: BrokerSettings, environment: OutputEnvironment) {
  const { here } = await planOutputs({ output: settings.output, broker: null, json: null }, environment)
  const others = here.filter(({ place }) => place !== 'server')
  if (others.length > 0) {
    const names = others.map(({ name }) => name).join(', ')
    throw new UsageError(
      `--output: ${names}: a broker writes to servers only; files are written by the console that starts a run`,
    )
  }
  return here
}

async function openPage(
  { httpName, bind }: BrokerSettings,
  place: { host: string; port: number },
  stateDir: string,
  dialer: Dialer,
  log: Log,
) {
  const [{ openDashboard }, { readOrCreateToken }] = await Promise.all([
    import('../dashboard/open-dashboard.ts'),
    import('../dashboard/token-file.ts'),
  ])
  const { token, file: tokenFile } = await readOrCreateToken(stateDir)
  const page = await openDashboard({
    dialer,
    secrets: new Secrets([]),
    bind: place,
    roots: [join(stateDir, 'runs')],
    token,
    hostNames: [...httpName, bind.host],
    onTrouble: (text) => log('warning', text),
  })
  return { ...page, tokenFile }
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
