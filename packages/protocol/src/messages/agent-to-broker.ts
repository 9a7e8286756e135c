import * as v from 'valibot'
import { bytes } from './bytes.ts'
import { annotationSchema } from './events.ts'

/** What an agent says to its broker. Fields are always present; unknown is null, so a forgotten one is visible. */

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const millis = v.pipe(v.number(), v.minValue(0))
const runId = v.string()

/** Counts of executions of one session since its start. started = finished + interrupted + running. */
export const sessionLedgerSchema = v.object({
  /** Executions that the share holds, and in open models those that fell due; 0 for closed stages bounded by time. */
  planned: count,
  started: count,
  finished: count,
  interrupted: count,
  /** Open models: fell due and never started. planned = started + dropped when nothing waits any more. */
  dropped: count,
})

export const windowSchema = v.object({
  type: v.literal('window'),
  runId,
  /** 0, 1, 2 ... without gaps per (run, agent, incarnation). */
  number: count,
  /** True span, in milliseconds after the session's start. */
  fromMs: millis,
  toMs: millis,
  /** The session has ended; nothing follows. */
  final: v.boolean(),
  activeUsers: count,
  ledger: sessionLedgerSchema,
  /** Units that moved on in this window: unit, finished iterations (open models: starts), unit, iterations ... */
  progress: v.array(count),
  /** What was recorded in the window, by metrics' delta codec. */
  delta: bytes,
  generator: v.object({
    /** 99th percentile of the load threads' event-loop lag in this window. */
    eventLoopLagMs: millis,
    /** CPU seconds used per second; 1 is one core. */
    cpu: v.pipe(v.number(), v.minValue(0)),
    /** Milliseconds of this window in which a load thread collected garbage (the worst thread). */
    gcMs: millis,
    /** 99th percentile of how late starts were although a user was free; 0 without such starts. */
    latenessMs: millis,
    /** Local ports ran out: connections could not be made. */
    portsExhausted: v.boolean(),
  }),
  /** Rows of leased feeds that were used in this window: first, count, first, count ... */
  rows: v.array(v.object({ feed: v.string(), used: v.array(count) })),
})

export const agentToBrokerSchema = v.variant('type', [
  /** Renews the lease when there is nothing else to say. */
  v.object({ type: v.literal('heartbeat') }),
  v.object({ type: v.literal('need-bundle'), runId, hash: v.string() }),
  /** The session has loaded the tests. */
  v.object({ type: v.literal('prepared'), runId, workers: count }),
  /** setUpAgent has run; the session waits for `start`. */
  v.object({ type: v.literal('armed'), runId }),
  /** The session cannot run (exitCode by the contract: 3 not loadable, 4 anything else). */
  v.object({ type: v.literal('cannot-run'), runId, exitCode: count, message: v.string() }),
  /** All units of this stage on this agent have ended. `units`: how many it had been given of other agents by then. */
  v.object({ type: v.literal('stage-done'), runId, stage: count, units: count }),
  windowSchema,
  /** Some more rows of a leased feed are needed; `size` is the number of rows in the file. Answered by `rows`. */
  v.object({ type: v.literal('lease-rows'), runId, feed: v.string(), size: count, count }),
  /** The session is gone without its final window (killed, out of memory). */
  v.object({ type: v.literal('session-lost'), runId, reason: v.string() }),
  /** Every process and file of the run is gone; its slot is free. */
  v.object({ type: v.literal('released'), runId }),
  /** For the event stream of the run. */
  v.object({ type: v.literal('annotate'), runId, annotation: annotationSchema }),
  v.object({
    type: v.literal('log'),
    runId,
    level: v.picklist(['info', 'warning', 'error']),
    text: v.string(),
  }),
])

export type AgentToBroker = v.InferOutput<typeof agentToBrokerSchema>
export type WindowMessage = v.InferOutput<typeof windowSchema>
export type SessionLedger = v.InferOutput<typeof sessionLedgerSchema>
