/**
 * What tests of several packages begin with: whole, valid specs of runs. Name only what a test is about.
 *
 * @module
 */
import { defaultTarget } from '@loads-runner/testcase'
import type {
  ExternallyControlled,
  HitsPerUser,
  LoadModel,
  LoadProfile,
  Scenario,
} from '@loads-runner/testcase/load'
import type { RunSpec } from './messages/run-spec.ts'

const label = 'TestWebSite.test_es'

/** `users` users with `iterations` executions each. */
export function hitsPerUser(users: number, iterations: number): HitsPerUser {
  return { type: 'hits-per-user', users, iterations, rampUpMs: 0, maxDurationMs: null }
}

/** Two users at first and 20 at most, until it is stopped. */
export function controlledUsers(changes: Partial<ExternallyControlled> = {}): ExternallyControlled {
  return {
    type: 'externally-controlled',
    controls: 'users',
    start: 2,
    durationMs: null,
    spacing: 'uniform',
    users: 20,
    maxLateMs: 1000,
    ...changes,
  }
}

export function scenarioOf(changes: Partial<Scenario> = {}): Scenario {
  return {
    name: 'main',
    tests: [{ label, weight: 1 }],
    startMs: 0,
    stages: [hitsPerUser(10, 3)],
    pause: { type: 'none' },
    gracefulStopMs: 30_000,
    tags: {},
    params: {},
    ...changes,
  }
}

/** One scenario with these stages. */
export function profileOf(...stages: LoadModel[]): LoadProfile {
  return { scenarios: [scenarioOf({ stages })] }
}

/** A run of ten users with three executions each on one agent, without a bundle. */
export function specOf(changes: Partial<RunSpec> = {}): RunSpec {
  return {
    names: [`example.${label}`],
    tests: [{ label, className: 'TestWebSite', method: 'test_es', weight: 1 }],
    profile: profileOf(hitsPerUser(10, 3)),
    seed: 1,
    agents: 1,
    workers: null,
    target: defaultTarget,
    params: {},
    env: {},
    secrets: {},
    labels: {},
    project: null,
    user: null,
    testRunner: null,
    bundle: null,
    conducted: false,
    windowMs: 1000,
    maxSeries: 1000,
    minCoverage: 1,
    onAgentLoss: 'respread',
    leaseMs: 6000,
    maxOrphanMs: 30_000,
    thresholds: [],
    warmUpMs: 0,
    precise: false,
    replay: null,
    drainMs: 10_000,
    testTimeoutMs: 60_000,
    waitForAgentsMs: 0,
    outputs: [],
    ...changes,
  }
}
