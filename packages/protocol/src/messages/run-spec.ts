import * as v from 'valibot'

/** Everything that a run is, as plain data: written by the console, stored by the broker, given to each agent. */

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const millis = v.pipe(v.number(), v.minValue(0))
const text = v.string()
const words = v.record(v.string(), v.string())

const positive = v.pipe(v.number(), v.integer(), v.minValue(1))
const steps = v.pipe(v.array(v.object({ durationMs: millis, target: millis })), v.minLength(1))
const open = { spacing: v.picklist(['uniform', 'poisson']), users: positive, maxLateMs: millis }

export const loadModelSchema = v.variant('type', [
  v.object({ type: v.literal('constant-users'), users: positive, durationMs: millis, rampUpMs: millis }),
  v.object({
    type: v.literal('hits-per-user'),
    users: positive,
    iterations: positive,
    rampUpMs: millis,
    maxDurationMs: v.nullable(millis),
  }),
  v.object({
    type: v.literal('shared-hits'),
    users: positive,
    hits: positive,
    rampUpMs: millis,
    maxDurationMs: v.nullable(millis),
  }),
  v.object({ type: v.literal('ramping-users'), startUsers: count, steps }),
  v.object({ type: v.literal('constant-rate'), rate: millis, durationMs: millis, ...open }),
  v.object({ type: v.literal('ramping-rate'), startRate: millis, steps, ...open }),
  v.object({
    type: v.literal('externally-controlled'),
    controls: v.picklist(['users', 'rate']),
    start: millis,
    durationMs: v.nullable(millis),
    ...open,
  }),
])

const pauseSchema = v.variant('type', [
  v.object({ type: v.literal('none') }),
  v.object({ type: v.literal('constant'), ms: millis }),
  v.object({ type: v.literal('uniform'), fromMs: millis, toMs: millis }),
  v.object({ type: v.literal('exponential'), meanMs: millis }),
  v.object({ type: v.literal('pacing'), ms: millis }),
])

export const scenarioSchema = v.object({
  name: text,
  tests: v.pipe(v.array(v.object({ label: text, weight: count })), v.minLength(1)),
  startMs: millis,
  stages: v.pipe(v.array(loadModelSchema), v.minLength(1)),
  pause: pauseSchema,
  gracefulStopMs: millis,
  tags: words,
  params: words,
})

export const loadProfileSchema = v.object({ scenarios: v.pipe(v.array(scenarioSchema), v.minLength(1)) })

/** A condition that the figures must meet; its grammar is the package metrics'. */
export const thresholdSchema = v.object({
  expression: text,
  /** End the run when it is crossed ... */
  abortOnFail: v.boolean(),
  /** ... but not before this time. */
  delayAbortMs: millis,
})

/** One test method that users execute. */
export const testSelectionSchema = v.object({
  /** Shown everywhere and part of every series: `TestWebSite.test_es`. */
  label: text,
  className: text,
  method: text,
  /** How often it is run where nothing else is said, compared to other tests; 0 is never. */
  weight: count,
})

export const targetOptionsSchema = v.object({
  serverUrl: v.nullable(text),
  timeoutMs: millis,
  insecure: v.boolean(),
  ca: v.nullable(text),
  cert: v.nullable(text),
  key: v.nullable(text),
  proxy: v.nullable(text),
  http2: v.boolean(),
  connections: v.object({
    policy: v.picklist(['user', 'shared', 'fresh']),
    most: positive,
    mostRequests: v.nullable(positive),
    keepAliveMs: millis,
    sourceAddresses: v.array(text),
    dns: v.picklist(['first', 'spread']),
  }),
  phases: v.boolean(),
  trace: v.boolean(),
})

export const onAgentLossSchema = v.picklist(['respread', 'continue', 'fail'])

export const runSpecSchema = v.object({
  /** What the user typed: `example.TestWebSite.test_es`. */
  names: v.array(text),
  tests: v.array(testSelectionSchema),
  profile: loadProfileSchema,
  seed: count,
  /** Agents asked for. */
  agents: v.pipe(count, v.minValue(1)),
  /** Load threads per session; null: the session decides; 0: the session's main thread. */
  workers: v.nullable(count),
  target: targetOptionsSchema,
  params: words,
  /** Environment of the users' code. Values of secrets are in `secrets`, never here. */
  env: words,
  /** Environment too, but redacted in every record, log and run file. */
  secrets: words,
  labels: words,
  project: v.nullable(text),
  user: v.nullable(text),
  /** Command of an external runner (any language); null for TestCase classes. */
  testRunner: v.nullable(text),
  /** SHA-256 (hex) of the bundle; null when an external runner needs no files. */
  bundle: v.nullable(text),
  /** True when classes have `setUpRun`/`tearDownRun` and the console must conduct them. */
  conducted: v.boolean(),
  windowMs: millis,
  maxSeries: v.pipe(count, v.minValue(1)),
  minCoverage: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  onAgentLoss: onAgentLossSchema,
  leaseMs: millis,
  maxOrphanMs: millis,
  thresholds: v.array(thresholdSchema),
  /** What is recorded before this time of the run counts apart: it is in no figure of the summary. */
  warmUpMs: millis,
  /** Starts of open models are waited for without giving up the processor: closer to the plan, one core per thread. */
  precise: v.boolean(),
  /** Run this execution alone: unit (user), iteration; in open models and shared hits the ordinal is `iteration`. */
  replay: v.nullable(v.object({ scenario: text, unit: count, iteration: count })),
  /** How long executions may finish after a stop before they are cancelled. */
  drainMs: millis,
  /** An execution that lasts longer is cut and counted as an error. */
  testTimeoutMs: millis,
  /** How long the run may wait for enough agents to register. For busy ones it waits as long as they are. */
  waitForAgentsMs: millis,
  /** Outputs that the broker runs for this run, as written: `influx:http://...`. */
  outputs: v.array(text),
})

export type RunSpec = v.InferOutput<typeof runSpecSchema>
export type TestSelection = v.InferOutput<typeof testSelectionSchema>
export type OnAgentLoss = v.InferOutput<typeof onAgentLossSchema>

/** A spec that may be stored and shown: the values of secrets and keys are gone, their names stay. */
export function redacted(spec: RunSpec): RunSpec {
  const hide = (value: string | null) => (value === null ? null : '[redacted]')
  return {
    ...spec,
    secrets: Object.fromEntries(Object.keys(spec.secrets).map((name) => [name, '[redacted]'])),
    target: { ...spec.target, key: hide(spec.target.key) },
    outputs: spec.outputs.map(withoutPassword),
  }
}

/** What stands before the @ of an address is nobody's affair, nor is a token in its query. */
function withoutPassword(output: string): string {
  return output
    .replace(/:\/\/[^/\s]*@/g, '://[redacted]@')
    .replace(/([?&](?:[^=&#\s]*(?:token|secret|passw|key|auth)[^=&#\s]*|p)=)[^&#\s]*/gi, '$1[redacted]')
}
