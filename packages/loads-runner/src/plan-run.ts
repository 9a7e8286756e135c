import type { RunSpec, TestSelection } from '@loads-runner/protocol'
import type { Scenario } from '@loads-runner/testcase/load'
import { longestMs } from './duration.ts'
import { mostUsersAtOnce } from './load-outline.ts'
import type { SettingSources } from './option-table.ts'
import type { Settings } from './options.ts'
import type { PlannedThreshold } from './plan-thresholds.ts'
import type { ProxyVariables } from './proxies/run-proxies.ts'

/** What is known of the tests once they are bundled. */
export interface BundledTests {
  hash: string
  tests: readonly TestSelection[]
  conducted: boolean
  /** `static serverUrl` of the test classes. */
  serverUrl: string | null
}

/** What a plan is made of, besides settings. */
export interface PlanContext {
  tests: readonly string[]
  scenarios: readonly Scenario[]
  thresholds: readonly PlannedThreshold[]
  /** The only execution to run; null for a whole run. */
  replay: RunSpec['replay']
  sources: SettingSources<Settings>
  /** Texts of --ca, --cert and --key. */
  pem: { ca: string | null; cert: string | null; key: string | null }
  env: Readonly<Record<string, string | undefined>>
  seed: number
  /** A debugger is attached: one thread, the main one, and no time-outs. */
  debugged: boolean
  /** Outputs that a standing broker runs, as written. */
  outputs: readonly string[]
  /** What users are told of the run's proxies, which several users share; null: there are none. */
  proxies: ((shared: boolean) => ProxyVariables) | null
}

/** How often broker, agents and console exchange figures. */
const windowMs = 1000
/** How long agents that we start ourselves may take to register. */
const ownAgentsMs = 60_000

/** From settings and tests to everything that a run is. Pure. */
export function planRun(settings: Settings, bundle: BundledTests, context: PlanContext): RunSpec {
  const { debugged } = context
  const proxies = context.proxies?.(mostUsersAtOnce({ scenarios: [...context.scenarios] }) > 1) ?? {
    env: {},
    secrets: {},
  }
  return {
    names: [...context.tests],
    tests: bundle.tests.map((test) => ({ ...test })),
    profile: { scenarios: context.scenarios.map((scenario) => ({ ...scenario })) },
    seed: context.seed,
    agents: settings.agents ?? 1,
    workers: debugged ? 0 : settings.workers,
    target: {
      serverUrl: serverUrlOf(settings, bundle, context.sources),
      timeoutMs: debugged ? longestMs : settings.timeout,
      insecure: settings.insecure,
      ...context.pem,
      proxy: settings.proxy,
      http2: settings.http2,
      connections: {
        policy: settings.connections,
        most: settings.maxConnections,
        mostRequests: settings.maxRequests,
        keepAliveMs: settings.keepAlive,
        sourceAddresses: [...settings.sourceAddress],
        dns: settings.dns,
      },
      phases: settings.phases,
      trace: settings.trace,
    },
    params: { ...settings.param },
    env: { ...variablesOf(settings, context.env), ...proxies.env },
    secrets: { ...secretsOf(settings, context.env), ...proxies.secrets },
    labels: { ...settings.label },
    project: settings.projectName,
    user: settings.userId,
    testRunner: settings.testRunner,
    bundle: bundle.hash,
    conducted: bundle.conducted,
    windowMs,
    maxSeries: settings.maxSeries,
    minCoverage: settings.minCoverage,
    onAgentLoss: settings.onAgentLoss,
    leaseMs: settings.lease,
    maxOrphanMs: settings.maxOrphanTime,
    thresholds: context.thresholds.map((threshold) => ({ ...threshold })),
    warmUpMs: settings.warmUp,
    precise: settings.precise,
    replay: context.replay,
    drainMs: settings.gracefulStop,
    testTimeoutMs: debugged ? longestMs : settings.testTimeout,
    waitForAgentsMs: settings.broker === null ? ownAgentsMs : 0,
    outputs: [...context.outputs],
  }
}

/** The values of `--env`, by name. */
export function variablesOf(
  settings: Pick<Settings, 'env'>,
  env: PlanContext['env'],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings.env).map(([name, value]) => [name, value ?? env[name] ?? '']),
  )
}

/** The values behind `--secret`, by the names that users see. */
export function secretsOf(
  settings: Pick<Settings, 'secret'>,
  env: PlanContext['env'],
): Record<string, string> {
  return Object.fromEntries(Object.entries(settings.secret).map(([name, from]) => [name, env[from] ?? '']))
}

/** Class attributes win over the configuration file and lose against everything else that was given. */
function serverUrlOf(
  settings: Settings,
  bundle: BundledTests,
  sources: SettingSources<Settings>,
): string | null {
  return sources.serverUrl === 'config' && bundle.serverUrl !== null ? null : settings.serverUrl
}
