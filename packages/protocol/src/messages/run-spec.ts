import * as v from 'valibot'

/** Everything that a run is, as plain data: written by the console, stored by the broker, given to each agent. */

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const millis = v.pipe(v.number(), v.minValue(0))
const text = v.string()
const words = v.record(v.string(), v.string())

export const stageSchema = v.object({
  users: v.pipe(v.number(), v.integer(), v.minValue(1)),
  iterations: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))),
  durationMs: v.nullable(millis),
})

export const loadProfileSchema = v.object({
  stages: v.pipe(v.array(stageSchema), v.minLength(1)),
  rampUpMs: millis,
  delayMs: millis,
})

/** One test method that users execute. */
export const testSelectionSchema = v.object({
  /** Shown everywhere and part of every series: `TestWebSite.test_es`. */
  label: text,
  className: text,
  method: text,
  /** Executions of this test per round of a user; 0 is never run. */
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
  /** How long executions may finish after the end before they are cancelled. */
  drainMs: millis,
  /** An execution that lasts longer is cut and counted as an error. */
  testTimeoutMs: millis,
  /** How long the run may wait for enough agents to register. For busy ones it waits as long as they are. */
  waitForAgentsMs: millis,
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
  }
}
