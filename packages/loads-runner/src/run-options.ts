import type { Settings } from './options.ts'
import type { LoadKey } from './options/load.ts'

type Text = string | number | boolean
type Words = Readonly<Record<string, Text>>
type List<T> = T | readonly T[]
/** `500ms 30s 5m 1h`; a bare number is seconds. */
type Duration = number | string
/** `50/s 3000/m 0.5/s`; a bare number is per second. */
type Rate = number | string

/** What shapes the load of one scenario: in a plan file, in a class's `static load`, and in `run()`. */
export interface LoadOptions {
  /** Virtual users over all agents; `'10:20:30'` are successive stages; with `rate` the most there may be. */
  users?: number | string
  /** Executions per user; `'5:3'` pairs with the stages of `users`. */
  iterations?: number | string
  /** Executions of all users together. */
  sharedHits?: number
  /** Make load for this time, in each stage of `users`. */
  duration?: Duration
  /** With `iterations` or `sharedHits`: no execution starts later. */
  maxDuration?: Duration
  /** Spread the start of the users of a stage over this time. */
  rampUp?: Duration
  /** Executions started per second over all agents, whatever the target does. */
  rate?: Rate
  /** A line of users, or with `rate` of the rate: `'10s:100,1m:100,10s:0'`, or one text per step. */
  stages?: List<string>
  /** Where the line of `stages` starts; with `controlled: 'users'` the users at the start. */
  start?: Rate
  spacing?: 'uniform' | 'poisson'
  /** With a rate: an execution that found no free user for so long is dropped and counted. */
  maxLate?: Duration
  /** Users or rate are changed while the run goes on, by `loads-runner --control`. */
  controlled?: 'users' | 'rate'
  /** Between two executions of a user: `'1s'`, `'1s..3s'`, `'exp:2s'`, `'pace:5s'`. */
  pause?: Duration
  delay?: Duration
  /** How long executions may go on when their stage is over. */
  gracefulStop?: Duration
}

/** Options of a run that a plan file may hold, too. By their names on the command line, in camelCase. */
export interface CommonOptions extends LoadOptions {
  agents?: number
  broker?: string
  workers?: number
  /** Start the executions of a rate closer to the plan; each load thread keeps a core busy. */
  precise?: boolean
  onAgentLoss?: 'respread' | 'continue' | 'fail'
  minCoverage?: number
  lease?: Duration
  maxOrphanTime?: Duration
  maxSeries?: number

  serverUrl?: string
  timeout?: Duration
  insecure?: boolean
  ca?: string
  cert?: string
  key?: string
  proxy?: string
  http2?: boolean
  connections?: 'user' | 'shared' | 'fresh'
  maxConnections?: number
  maxRequests?: number
  keepAlive?: Duration
  sourceAddress?: List<string>
  dns?: 'first' | 'spread'
  phases?: boolean
  trace?: boolean

  testDir?: string
  includeFile?: List<string>
  external?: List<string>
  testRunner?: string
  testTimeout?: Duration
  param?: Words
  env?: Words
  secret?: Words
  seed?: number

  /** Conditions that the figures must hold: `'http_req_duration: p(95)<200'`. */
  thresholds?: List<string>
  /** The same. */
  threshold?: List<string>
  abortOnFail?: boolean
  delayAbort?: Duration
  warmUp?: Duration
  /** A run that thresholds may call `baseline`: `last-passed`, `latest`, or a run directory. */
  compareWith?: string

  /** Fault-injecting proxies: a file, or the control address of a `loads-proxy`. */
  proxies?: string
  output?: List<string>
  dashboard?: boolean
  /** `host:port` of that page. */
  dashboardBind?: string
  observe?: List<string>
  json?: string
  results?: string
  label?: Words
  projectName?: string
  userId?: string
  /** False shows a run from code as the command does; there the default is silence. */
  quiet?: boolean
  debug?: boolean
}

/** One scenario of a plan: tests with a load of their own, beside the other scenarios. */
export interface ScenarioOptions extends LoadOptions {
  /** Names of tests, with a weight where they are not run as often as each other. */
  tests: string | readonly (string | { test: string; weight?: number })[]
  /** Its load begins so long after that of the run. */
  startAfter?: Duration
  /** On every series of its tests. */
  tags?: Readonly<Record<string, string>>
  /** `this.params` of its tests, over those of the run. */
  params?: Words
  /** Conditions on its own figures. */
  thresholds?: List<string>
}

/** A named part of a plan file: `--profile NAME` takes it besides the rest. */
export interface ProfileOptions extends CommonOptions {
  tests?: List<string>
  /** Replace those of the file. */
  scenarios?: Readonly<Record<string, ScenarioOptions>>
}

/** What `loads.config.ts` exports. */
export interface LoadsConfig extends ProfileOptions {
  profiles?: Readonly<Record<string, ProfileOptions>>
}

/**
 * Gives a plan file its types:
 *
 *     // loads.config.ts
 *     import { defineConfig } from 'loads-runner'
 *     export default defineConfig({
 *       scenarios: { login: { tests: ['example.TestLogin'], rate: '50/s', duration: '1m' } },
 *     })
 */
export function defineConfig(config: LoadsConfig): LoadsConfig {
  return config
}

/** Options that only a command line can have. */
type OfCommands =
  | 'dryRun'
  | 'once'
  | 'verbose'
  | 'watch'
  | 'inspect'
  | 'replay'
  | 'findCapacity'
  | 'capacityStep'
  | 'capacityMax'
  | 'capacityTolerance'
  | 'detach'
  | 'attach'
  | 'control'
  | 'setUsers'
  | 'setRate'
  | 'pauseLoad'
  | 'resumeLoad'
  | 'ofScenario'
  | 'stop'
  | 'listRuns'
  | 'pingBroker'
  | 'checkCluster'
  | 'purgeBroker'

/** Does not compile when the table has an option that these types lack, or the other way round. */
type Same<A, B> = [A, B] extends [B, A] ? true : never
const complete: [
  Same<keyof LoadOptions, LoadKey>,
  Same<
    Exclude<keyof CommonOptions, 'thresholds'>,
    Exclude<keyof Settings, OfCommands | 'config' | 'profile'>
  >,
] = [true, true]
void complete
