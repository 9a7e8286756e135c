import { parseDuration } from './duration.ts'
import { UsageError } from './errors.ts'
import type { OptionTable } from './option-table.ts'
import {
  flag,
  httpUrl,
  list,
  oneOf,
  pair,
  ratio,
  secret,
  stages,
  variable,
  whole,
  word,
} from './option-values.ts'
import { parseOutput } from './outputs.ts'
import type { OutputRequest } from './outputs.ts'

type Words = Readonly<Record<string, string>>

/** Everything `loads-runner` can be told. Times are milliseconds; null is "not given". */
export interface Settings {
  users: readonly number[] | null
  iterations: readonly number[] | null
  duration: number | null
  rampUp: number
  delay: number

  agents: number | null
  broker: string | null
  workers: number | null
  onAgentLoss: 'respread' | 'continue' | 'fail'
  minCoverage: number
  lease: number
  maxOrphanTime: number
  maxSeries: number

  serverUrl: string | null
  timeout: number
  insecure: boolean
  /** File names of PEM texts. */
  ca: string | null
  cert: string | null
  key: string | null
  proxy: string | null

  testDir: string
  includeFile: readonly string[]
  external: readonly string[]
  testRunner: string | null
  testTimeout: number
  param: Words
  /** null: the value of our own variable of that name. */
  env: Readonly<Record<string, string | null>>
  /** The users' variable to the name of ours that holds the value. */
  secret: Words
  seed: number | null

  output: readonly OutputRequest[]
  quiet: boolean
  json: string | null
  results: string
  label: Words
  projectName: string | null
  userId: string | null
  debug: boolean

  detach: boolean
  /** '' is "the only active run". */
  attach: string | null
  stop: string | null
  listRuns: boolean
  pingBroker: boolean
  checkCluster: boolean
  purgeBroker: boolean
  dryRun: boolean

  config: string | null
  profile: string | null
}

const load = 'Load:'
const cluster = 'Cluster:'
const target = 'Target:'
const tests = 'Tests:'
const results = 'Results:'
const verbs = 'Other commands:'
const configuration = 'Configuration:'

const nothing: Words = {}

export const optionTable: OptionTable<Settings> = {
  users: {
    flags: '-u, --users <N>',
    group: load,
    help: 'virtual users, in total over all agents; 10:20:30 are successive stages (default: 1, with --agents N: N)',
    initial: null,
    parse: stages,
  },
  iterations: {
    flags: '--iterations <N>',
    group: load,
    help: 'executions per user; N:M pairs with the stages of --users (default: 1; also called --hits)',
    initial: null,
    parse: stages,
    aliases: ['hits'],
  },
  duration: {
    flags: '-d, --duration <T>',
    group: load,
    help: 'make load for this time (30s, 5m), in each stage; instead of --iterations',
    initial: null,
    parse: positiveDuration,
  },
  rampUp: {
    flags: '--ramp-up <T>',
    group: load,
    help: 'spread the start of the users of a stage over this time',
    initial: 0,
    parse: parseDuration,
  },
  delay: {
    flags: '--delay <T>',
    group: load,
    help: 'pause between two executions of a user',
    initial: 0,
    parse: parseDuration,
  },

  agents: {
    flags: '-a, --agents <N>',
    group: cluster,
    help: 'run on N agents: of the broker, or without --broker on N processes started here for this run',
    initial: null,
    parse: whole(1, 100_000),
  },
  broker: {
    flags: '-b, --broker <@FILE|URL>',
    group: cluster,
    help: "the operator's join string of a standing broker, or @ and the file that holds it",
    initial: null,
    parse: word,
  },
  workers: {
    flags: '--workers <N>',
    group: cluster,
    help: 'load threads per agent; 0 runs the users on the main thread, for debugging (default: by cores)',
    initial: null,
    parse: whole(0, 1024),
  },
  onAgentLoss: {
    flags: '--on-agent-loss <WHAT>',
    group: cluster,
    help: 'respread: other agents take over its users; continue: go on without them; fail: end the run',
    initial: 'respread',
    parse: oneOf('respread', 'continue', 'fail'),
  },
  minCoverage: {
    flags: '--min-coverage <R>',
    group: cluster,
    help: 'share of the windows of all agents that must arrive, else the verdict is "incomplete" (default: 1)',
    initial: 1,
    parse: ratio,
  },
  lease: {
    flags: '--lease <T>',
    group: cluster,
    help: 'an agent that is silent for this long is lost (default: 6s)',
    initial: 6000,
    parse: positiveDuration,
  },
  maxOrphanTime: {
    flags: '--max-orphan-time <T>',
    group: cluster,
    help: 'an agent without its broker stops its load after this time (default: 30s)',
    initial: 30_000,
    parse: parseDuration,
  },
  maxSeries: {
    flags: '--max-series <N>',
    group: cluster,
    help: 'different names that are measured; the rest is summed up as one (default: 1000)',
    initial: 1000,
    parse: whole(1, 1_000_000),
  },

  serverUrl: {
    flags: '--server-url <URL>',
    group: target,
    help: 'the address that relative paths of the tests belong to',
    initial: null,
    parse: httpUrl,
  },
  timeout: {
    flags: '--timeout <T>',
    group: target,
    help: 'longest time for one request (default: 30s)',
    initial: 30_000,
    parse: positiveDuration,
  },
  insecure: {
    flags: '--insecure',
    group: target,
    help: 'accept any TLS certificate of the target',
    initial: false,
    parse: flag,
  },
  ca: {
    flags: '--ca <FILE>',
    group: target,
    help: 'certificates to trust (PEM)',
    initial: null,
    parse: word,
  },
  cert: {
    flags: '--cert <FILE>',
    group: target,
    help: "the users' TLS certificate (PEM)",
    initial: null,
    parse: word,
  },
  key: { flags: '--key <FILE>', group: target, help: 'the key of --cert (PEM)', initial: null, parse: word },
  proxy: {
    flags: '--proxy <URL>',
    group: target,
    help: 'HTTP proxy on the way to the target',
    initial: null,
    parse: httpUrl,
  },

  testDir: {
    flags: '--test-dir <DIR>',
    group: tests,
    help: 'where tests are (default: the working directory)',
    initial: '.',
    parse: word,
  },
  includeFile: {
    flags: '--include-file <GLOB>',
    group: tests,
    help: 'more files that tests read, shipped to agents; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
  },
  external: {
    flags: '--external <PKG>',
    group: tests,
    help: 'package that is not bundled; repeatable',
    initial: [],
    parse: list,
    repeatable: true,
  },
  testRunner: {
    flags: '--test-runner <CMD>',
    group: tests,
    help: 'command that is run as a virtual user, in any language',
    initial: null,
    parse: word,
  },
  testTimeout: {
    flags: '--test-timeout <T>',
    group: tests,
    help: 'an execution that takes longer is cut and counted as an error (default: 10m)',
    initial: 600_000,
    parse: positiveDuration,
  },
  param: {
    flags: '--param <K=V>',
    group: tests,
    help: 'what tests read as this.params; repeatable',
    initial: nothing,
    parse: pair,
    repeatable: true,
  },
  env: {
    flags: '--env <NAME[=V]>',
    group: tests,
    help: "variable of the users' environment; repeatable",
    initial: {},
    parse: variable,
    repeatable: true,
  },
  secret: {
    flags: '--secret <NAME=env:X>',
    group: tests,
    help: 'likewise, with the value of our variable X, which is shown nowhere; repeatable',
    initial: nothing,
    parse: secret,
    repeatable: true,
  },
  seed: {
    flags: '--seed <N>',
    group: tests,
    help: 'every random choice of the run derives from it (default: random, printed)',
    initial: null,
    parse: whole(0),
  },

  output: {
    flags: '-o, --output <NAME[:ARGS]>',
    group: results,
    help: 'where results go besides the terminal: json:FILE, null; repeatable',
    initial: [],
    parse: (text, previous) => [...previous, parseOutput(text)],
    repeatable: true,
  },
  quiet: {
    flags: '-q, --quiet',
    group: results,
    help: 'show neither progress nor summary',
    initial: false,
    parse: flag,
  },
  json: {
    flags: '--json <FILE>',
    group: results,
    help: 'write the summary, or the answer of a query, as JSON; - is standard output',
    initial: null,
    parse: word,
  },
  results: {
    flags: '--results <DIR>',
    group: results,
    help: 'where run directories are made (default: results)',
    initial: 'results',
    parse: word,
  },
  label: {
    flags: '--label <K=V>',
    group: results,
    help: 'label of the run; repeatable',
    initial: nothing,
    parse: pair,
    repeatable: true,
  },
  projectName: {
    flags: '--project-name <NAME>',
    group: results,
    help: 'project the run belongs to',
    initial: null,
    parse: word,
  },
  userId: { flags: '--user-id <NAME>', group: results, help: 'who runs it', initial: null, parse: word },
  debug: {
    flags: '--debug',
    group: results,
    help: 'show what broker and agents log',
    initial: false,
    parse: flag,
  },

  detach: {
    flags: '--detach',
    group: verbs,
    help: 'leave the run to the broker and return at once (with --broker)',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  attach: {
    flags: '--attach [RUN]',
    group: verbs,
    help: 'watch a run of the broker; without RUN its only active one',
    initial: null,
    parse: (text) => text,
    commandLineOnly: true,
  },
  stop: {
    flags: '--stop <RUN>',
    group: verbs,
    help: 'stop a run of the broker: users finish what they are doing; once more cuts them off',
    initial: null,
    parse: word,
    commandLineOnly: true,
  },
  listRuns: {
    flags: '--list-runs',
    group: verbs,
    help: 'runs of the broker',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  pingBroker: {
    flags: '--ping-broker',
    group: verbs,
    help: 'is the broker there, and which agents has it',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  checkCluster: {
    flags: '--check-cluster',
    group: verbs,
    help: 'run a small test on every idle agent; with --server-url each also asks the target once',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  purgeBroker: {
    flags: '--purge-broker',
    group: verbs,
    help: 'stop every run of the broker',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },
  dryRun: {
    flags: '--dry-run',
    group: verbs,
    help: 'load the tests and show the plan; make no load',
    initial: false,
    parse: flag,
    commandLineOnly: true,
  },

  config: {
    flags: '--config <FILE>',
    group: configuration,
    help: 'options from a JSON file',
    initial: null,
    parse: word,
  },
  profile: {
    flags: '--profile <NAME>',
    group: configuration,
    help: 'take those under "profiles" and this name in the file, too',
    initial: null,
    parse: word,
  },
}

/** Commands that need a standing broker, by the setting that asks for them. */
export const brokerVerbs = [
  'attach',
  'stop',
  'listRuns',
  'pingBroker',
  'checkCluster',
  'purgeBroker',
] as const

function positiveDuration(text: string): number {
  const millis = parseDuration(text)
  if (millis === 0) throw new UsageError('must be longer than nothing')
  return millis
}
