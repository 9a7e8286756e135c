import * as v from 'valibot'
import { bytes } from './bytes.ts'
import { runSpecSchema } from './run-spec.ts'

/** What the broker says to an agent. */

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const runId = v.string()

const shareSchema = v.object({ ranges: v.array(v.object({ first: count, count })) })
const movedUnitSchema = v.object({ unit: count, stage: count, fromIteration: count })
export const controlChangeSchema = v.object({
  atMs: v.pipe(v.number(), v.minValue(0)),
  target: v.pipe(v.number(), v.minValue(0)),
  paused: v.boolean(),
})
export const stopModeSchema = v.picklist(['drain', 'cancel', 'kill'])

export const brokerToAgentSchema = v.variant('type', [
  /** Load the tests of a run. Answered by `prepared` or `cannot-run`, after `need-bundle` where the bundle is not at hand. */
  v.object({ type: v.literal('prepare'), runId, spec: runSpecSchema, share: shareSchema }),
  /** A part of a bundle; parts come in order. */
  v.object({ type: v.literal('bundle'), runId, hash: v.string(), last: v.boolean(), bytes }),
  /** Run setUpAgent. `data`: JSON text of what the conductor's setUpRun returned, by class name. Answered by `armed`. */
  v.object({ type: v.literal('arm'), runId, data: v.string() }),
  /**
   * Begin a stage. The first such message is the start of the run's clock; the first stage of a scenario begins its
   * `startMs` after that, by the session's own clock.
   */
  v.object({ type: v.literal('start-stage'), runId, stage: count }),
  /**
   * Take over units of a lost agent. `from`: how many this agent was given before these, so that they may be said again.
   * Where some before these have not arrived, all will be said again.
   */
  v.object({ type: v.literal('add-units'), runId, from: count, units: v.array(movedUnitSchema) }),
  /** All changes of an externally controlled stage so far, in order. May be said again. */
  v.object({ type: v.literal('control'), runId, stage: count, changes: v.array(controlChangeSchema) }),
  /** Rows `first` to `first + count - 1` of a leased feed are this agent's; a count of 0: none is left. */
  v.object({ type: v.literal('rows'), runId, feed: v.string(), first: count, count }),
  /** The last stage is over on every agent: when no user runs any more, send the final window. */
  v.object({ type: v.literal('finish'), runId }),
  v.object({ type: v.literal('stop'), runId, mode: stopModeSchema }),
  /** Windows up to this number are committed. */
  v.object({ type: v.literal('ack'), runId, number: count }),
  /** The run's catalogue of series is full: anything not in it goes to the overflow series from now on. */
  v.object({ type: v.literal('catalogue'), runId, series: v.array(v.string()) }),
  /** Forget the run at once: it goes on without this agent, or it is over. Answered by `released`. */
  v.object({ type: v.literal('release'), runId, reason: v.string() }),
])

export type BrokerToAgent = v.InferOutput<typeof brokerToAgentSchema>
export type StopMode = v.InferOutput<typeof stopModeSchema>
