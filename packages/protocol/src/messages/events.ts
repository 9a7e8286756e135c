import * as v from 'valibot'
import { bytes } from './bytes.ts'
import { runSpecSchema } from './run-spec.ts'

/**
 * The event stream of a run: what the broker tells its subscribers and what the run directory stores. A reader that
 * applies every event in order knows all that the broker knows.
 */

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const millis = v.pipe(v.number(), v.minValue(0))
/** Milliseconds since the epoch, by the broker's clock. */
const at = v.number()

/**
 * queued: waiting for agents. preparing: agents load the tests. ready: all have, the conductor sets up and agents arm.
 * running: load is made. draining: a stop was asked for, or load has ended and the conductor tears down.
 * The rest are ends: done (load ended by plan), failed (could not run), aborted (stopped), incomplete (windows missing).
 */
export const runStateSchema = v.picklist([
  'queued',
  'preparing',
  'ready',
  'running',
  'draining',
  'done',
  'failed',
  'aborted',
  'incomplete',
])
export type RunState = v.InferOutput<typeof runStateSchema>

/** Note of the `state` event (draining) that tells the conductor: load has ended, run tearDownRun now. */
export const tearDownNote = 'tear-down'

export const agentStateSchema = v.picklist([
  'preparing',
  'prepared',
  'armed',
  'running',
  'suspect',
  'lost',
  'fenced',
  'done',
])

export const agentViewSchema = v.object({
  id: v.string(),
  incarnation: v.string(),
  host: v.string(),
  state: agentStateSchema,
  activeUsers: count,
  /** Hits so far, those of the warm-up included. */
  hits: count,
  windows: count,
  /** Windows that were given up, so far. */
  windowsMissing: count,
})
export type AgentView = v.InferOutput<typeof agentViewSchema>
export type AgentState = v.InferOutput<typeof agentStateSchema>

export const thresholdStateSchema = v.object({
  expression: v.string(),
  /** Null: too little was recorded to say. */
  value: v.nullable(v.number()),
  /** Null: too little was recorded to say; at the end of a run that is false. */
  ok: v.nullable(v.boolean()),
})
export type ThresholdState = v.InferOutput<typeof thresholdStateSchema>

const tagText = v.pipe(v.string(), v.maxLength(200))

/** A text of the user's at a moment of the run: a deployment, a step by hand. 20 tags at most. */
export const noteSchema = v.object({
  type: v.literal('note'),
  text: v.pipe(v.string(), v.maxLength(2_000)),
  tags: v.pipe(v.record(tagText, tagText), v.maxEntries(20)),
})

/** Something is made to fail from here on, or works again. Both ends have one id. */
export const faultSchema = v.object({
  type: v.literal('fault'),
  id: v.pipe(v.string(), v.maxLength(200)),
  name: v.pipe(v.string(), v.maxLength(500)),
  state: v.picklist(['begins', 'ends']),
  detail: v.pipe(v.string(), v.maxLength(2_000)),
})

/** A figure of the target's may be no number at all; then it was not measured, and is left out. */
const figure = v.custom<number>((value) => typeof value === 'number', 'a number is needed')

function finiteOnly(values: Record<string, number>): Record<string, number> {
  if (Object.values(values).every(Number.isFinite)) return values
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)))
}

/** What the target says of itself at a moment: figures by name. */
export const observationSchema = v.object({
  type: v.literal('observation'),
  values: v.pipe(v.record(v.string(), figure), v.transform(finiteOnly)),
})

/** What any process of a run may publish into its event stream. */
export const annotationSchema = v.variant('type', [noteSchema, faultSchema, observationSchema])
export type Annotation = v.InferOutput<typeof annotationSchema>

const published = {
  at,
  /** Milliseconds since the run started, by the broker's clock; 0 before that. */
  elapsedMs: millis,
  /** Who published it: `agent-1`, `user@host`, `conductor`. */
  source: v.string(),
}

/** A window in a commit, and how its agent did in it. */
export const committedWindowSchema = v.object({
  agent: v.string(),
  incarnation: v.string(),
  number: count,
  fromMs: millis,
  toMs: millis,
  activeUsers: count,
  hits: count,
  eventLoopLagMs: millis,
  cpu: v.number(),
  latenessMs: millis,
})
export type CommittedWindow = v.InferOutput<typeof committedWindowSchema>

/** One or more windows merged and committed. All of them lie in the same window's length of the run. */
export const commitSchema = v.object({
  type: v.literal('commit'),
  at,
  windows: v.array(committedWindowSchema),
  activeUsers: count,
  /** Milliseconds since the run started, by the broker's clock. */
  elapsedMs: millis,
  /** Sums over all agents: executions planned and finished so far, for progress. */
  started: count,
  finished: count,
  interrupted: count,
  planned: count,
  dropped: count,
  /** The windows lie in the run's warm-up: what they hold counts apart. */
  warmUp: v.boolean(),
  generator: v.object({ eventLoopLagMs: millis, cpu: v.number(), latenessMs: millis }),
  /** Merged delta, by metrics' delta codec; one encoder per run, so definitions are in the first commit that uses them. */
  delta: bytes,
})
export type CommitEvent = v.InferOutput<typeof commitSchema>

const noteEventSchema = v.object({ ...noteSchema.entries, ...published })
const faultEventSchema = v.object({ ...faultSchema.entries, ...published })
const observationEventSchema = v.object({ ...observationSchema.entries, ...published })
export type NoteEvent = v.InferOutput<typeof noteEventSchema>
export type FaultEvent = v.InferOutput<typeof faultEventSchema>
export type ObservationEvent = v.InferOutput<typeof observationEventSchema>

export const runEventSchema = v.variant('type', [
  /** First event of a stream: the whole run so far. `delta` holds all totals, definitions included. */
  v.object({
    type: v.literal('snapshot'),
    at,
    runId: v.string(),
    state: runStateSchema,
    spec: runSpecSchema,
    /** Epoch milliseconds at which load began; null before that. */
    startedAt: v.nullable(v.number()),
    elapsedMs: millis,
    /** The number of the stage that began last. */
    stage: count,
    agents: v.array(agentViewSchema),
    activeUsers: count,
    started: count,
    finished: count,
    interrupted: count,
    planned: count,
    dropped: count,
    thresholds: v.array(thresholdStateSchema),
    /** What was published so far: notes and faults, the latest 1,000. */
    annotations: v.array(v.variant('type', [noteEventSchema, faultEventSchema])),
    delta: bytes,
  }),
  v.object({
    type: v.literal('state'),
    at,
    state: runStateSchema,
    startedAt: v.nullable(v.number()),
    /** The number of the stage that began last. */
    stage: count,
    note: v.string(),
  }),
  /** How the thresholds stand, each time that one of them changes and every few seconds. */
  v.object({ type: v.literal('thresholds'), at, elapsedMs: millis, states: v.array(thresholdStateSchema) }),
  /** An operator has changed users or rate of a scenario, or paused or resumed it. */
  v.object({
    type: v.literal('control'),
    at,
    elapsedMs: millis,
    scenario: v.string(),
    target: v.number(),
    paused: v.boolean(),
    /** Which operator: `user@host`. */
    by: v.string(),
  }),
  noteEventSchema,
  faultEventSchema,
  observationEventSchema,
  v.object({ type: v.literal('agent'), at, agent: agentViewSchema, note: v.string() }),
  commitSchema,
  v.object({
    type: v.literal('log'),
    at,
    level: v.picklist(['info', 'warning', 'error']),
    source: v.string(),
    text: v.string(),
  }),
  /** Last event of a stream. `summary`: JSON text by the contract's schema. */
  v.object({ type: v.literal('finished'), at, state: runStateSchema, summary: v.string() }),
])
export type RunEvent = v.InferOutput<typeof runEventSchema>
export type SnapshotEvent = Extract<RunEvent, { type: 'snapshot' }>
