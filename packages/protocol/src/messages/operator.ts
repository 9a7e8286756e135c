import * as v from 'valibot'
import { bytes } from './bytes.ts'
import { runEventSchema, runStateSchema, type Annotation } from './events.ts'
import { stopModeSchema } from './broker-to-agent.ts'
import { runSpecSchema } from './run-spec.ts'

/** What a console (any operator) and the broker say to each other. */

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const runId = v.string()
const requestId = count

/** The broker checks it by its schema and answers: a text too long must not cost a console its connection. */
const looseAnnotation = v.custom<Annotation>((value) => typeof value === 'object' && value !== null)

export const operatorToBrokerSchema = v.variant('type', [
  /** Each request below is answered by one `reply` or `refusal` with its requestId. */
  v.object({ type: v.literal('ping'), requestId }),
  v.object({ type: v.literal('list-runs'), requestId }),
  /** All runs that the broker knows; from now on each `run` message tells of one that is new or has changed its state. */
  v.object({ type: v.literal('watch-runs'), requestId }),
  /** Publishes something into the event stream of a run. */
  v.object({ type: v.literal('annotate'), requestId, runId, annotation: looseAnnotation }),
  /** Is the bundle with this hash in store? */
  v.object({ type: v.literal('has-bundle'), requestId, hash: v.string() }),
  v.object({ type: v.literal('put-bundle'), requestId, hash: v.string(), last: v.boolean(), bytes }),
  /** Start a run; the sender is subscribed to it and, for a conducted run, is its conductor. */
  v.object({ type: v.literal('submit'), requestId, spec: runSpecSchema }),
  v.object({ type: v.literal('subscribe'), requestId, runId: v.nullable(v.string()) }),
  v.object({
    type: v.literal('stop'),
    requestId,
    runId,
    mode: stopModeSchema,
    /**
     * complete: what the run was made for is done (a search knows its answer); that is no abortion.
     * proxies: the fault-injecting proxies that its users go through are gone.
     */
    reason: v.picklist(['operator', 'SIGINT', 'SIGTERM', 'complete', 'proxies']),
  }),
  /** Changes an externally controlled scenario: fields that are null stay as they are. `scenario` null: the only one. */
  v.object({
    type: v.literal('control'),
    requestId,
    runId,
    scenario: v.nullable(v.string()),
    target: v.nullable(v.pipe(v.number(), v.minValue(0))),
    paused: v.nullable(v.boolean()),
  }),
  v.object({ type: v.literal('purge'), requestId }),
  /** The conductor's setUpRun is done (`data`: JSON text by class name) or failed (`error`). */
  v.object({
    type: v.literal('set-up-done'),
    requestId,
    runId,
    data: v.string(),
    error: v.nullable(v.string()),
  }),
  /** The conductor's tearDownRun is done or failed. */
  v.object({ type: v.literal('tear-down-done'), requestId, runId, error: v.nullable(v.string()) }),
  /** Not a request: events up to this sequence number were taken in (flow control). */
  v.object({ type: v.literal('received'), runId, sequence: count }),
  /** Not a request: this console is alive. */
  v.object({ type: v.literal('heartbeat') }),
  /** A local child process of the sender, an agent, has exited: no need to wait for its lease. */
  v.object({ type: v.literal('agent-exited'), requestId, agent: v.string(), note: v.string() }),
])
export type OperatorToBroker = v.InferOutput<typeof operatorToBrokerSchema>

export const runRowSchema = v.object({
  runId,
  state: runStateSchema,
  names: v.array(v.string()),
  project: v.nullable(v.string()),
  user: v.nullable(v.string()),
  submittedAt: v.number(),
  startedAt: v.nullable(v.number()),
  /** Milliseconds since the epoch; null while it goes on. */
  endedAt: v.nullable(v.number()),
  labels: v.record(v.string(), v.string()),
  agents: v.array(v.string()),
  hits: count,
  verdict: v.nullable(v.string()),
})
export type RunRow = v.InferOutput<typeof runRowSchema>

export const agentRowSchema = v.object({
  id: v.string(),
  host: v.string(),
  pid: count,
  version: v.string(),
  slots: count,
  busy: count,
  labels: v.record(v.string(), v.string()),
  runs: v.array(v.string()),
})
export type AgentRow = v.InferOutput<typeof agentRowSchema>

/** Results by request type; see {@link OperatorResults}. */
export const brokerToOperatorSchema = v.variant('type', [
  v.object({ type: v.literal('reply'), requestId, result: v.unknown() }),
  /** exitCode by the contract: 2 wrong use, 4 infrastructure. */
  v.object({ type: v.literal('refusal'), requestId, code: v.string(), message: v.string(), exitCode: count }),
  /** `skipped`: events left out before this one because the reader was too slow; a snapshot then follows. */
  v.object({ type: v.literal('event'), runId, sequence: count, skipped: count, event: runEventSchema }),
  /** To those who watch runs: this one is new or has changed its state. */
  v.object({ type: v.literal('run'), row: runRowSchema }),
  v.object({ type: v.literal('heartbeat') }),
])
export type BrokerToOperator = v.InferOutput<typeof brokerToOperatorSchema>

export interface OperatorResults {
  ping: {
    broker: string
    version: string
    pid: number
    address: string
    agents: AgentRow[]
    activeRuns: number
  }
  'list-runs': { runs: RunRow[] }
  'watch-runs': { runs: RunRow[] }
  annotate: Record<string, never>
  'has-bundle': { known: boolean }
  'put-bundle': Record<string, never>
  submit: { runId: string }
  subscribe: { runId: string }
  stop: { state: string }
  control: { scenario: string; target: number; paused: boolean }
  purge: { stopped: string[] }
  'set-up-done': Record<string, never>
  'tear-down-done': Record<string, never>
  'agent-exited': Record<string, never>
}
