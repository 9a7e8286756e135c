import {
  Delta,
  describeFailure,
  describeValue,
  parseThresholds,
  ThresholdError,
  thresholdSelects,
  ThresholdWatch,
  type Aggregate,
  type Summary,
  type Threshold,
  type ThresholdStanding,
} from '@loads-runner/metrics'
import type { RunEvent, RunSpec, ThresholdState } from '@loads-runner/protocol'
import type { Clock } from './clock.ts'
import { Refusal } from './errors.ts'
import type { Cause } from './verdict.ts'
import type { TakenWindow } from './window-intake.ts'

/** How the thresholds stand is said this often at least, in milliseconds. */
const publishMs = 2000

type ThresholdsEvent = Extract<RunEvent, { type: 'thresholds' }>

export interface ThresholdGuardOptions {
  spec: RunSpec
  clock: Clock
  /** How they stand, when that has changed and every now and then. */
  onStates: (event: ThresholdsEvent) => void
  /** The run is to end: one was crossed that says so. Called once. */
  onAbort: (reason: string) => void
}

/** A commit as the guard sees it. */
export interface GuardedCommit {
  /** None of them of the warm-up. */
  windows: readonly TakenWindow[]
  /** Milliseconds of the run. */
  elapsedMs: number
  /** Agents that may still send windows. */
  live: Iterable<string>
  /** Dropped executions of all agents so far. */
  dropped: number
}

/**
 * Holds the thresholds of a run against what is committed, and asks for its end where one is crossed that is to end it.
 */
export class ThresholdGuard {
  readonly #options: ThresholdGuardOptions
  readonly #thresholds: readonly Threshold[]
  readonly #watch: ThresholdWatch
  /** Milliseconds of the run up to which each agent's windows are committed. */
  readonly #committedMs = new Map<string, number>()
  #dropped = 0
  /** The one that ended the run, as it stood then. */
  #crossed: ThresholdStanding | null = null
  #lastSaid = ''
  #lastSaidMs = -Infinity

  constructor(options: ThresholdGuardOptions) {
    const { thresholds, profile, windowMs, warmUpMs } = options.spec
    this.#options = options
    this.#thresholds = parse(thresholds, profile)
    this.#watch = new ThresholdWatch(this.#thresholds, { windowMs, startMs: warmUpMs })
  }

  /** A stage begins, or has ended, at a time of the run in milliseconds. */
  beginStage(stage: number, atMs: number): void {
    this.#watch.beginStage(stage, atMs)
  }

  endStage(stage: number, atMs: number): void {
    this.#watch.endStage(stage, atMs)
  }

  /** No load is made from this time of the run on. */
  endLoad(atMs: number): void {
    this.#watch.endLoad(atMs)
  }

  /** What was dropped in the warm-up counts nowhere. */
  warmUp(dropped: number): void {
    this.#dropped = dropped
  }

  /** Takes in committed windows. May ask for the end of the run. */
  observe({ windows, elapsedMs, live, dropped }: GuardedCommit): void {
    if (this.#thresholds.length === 0) return
    this.#apply(windows)
    const last = windows.at(-1)
    if (last !== undefined) {
      this.#watch.drop(Math.max(0, dropped - this.#dropped), last.window.fromMs, last.window.toMs)
      this.#dropped = Math.max(this.#dropped, dropped)
    }
    // What agents say of time is theirs: no span is judged before the broker's own clock has come so far.
    let upto = elapsedMs
    for (const agent of live) upto = Math.min(upto, this.#committedMs.get(agent) ?? 0)
    this.#watch.advance(upto)
    const standings = this.#standings()
    this.#say(standings, elapsedMs)
    this.#checkAbort(standings, elapsedMs)
  }

  states(): ThresholdState[] {
    return statesOf(this.#standings())
  }

  /** The run is over: how they stood at its end. */
  close(endMs: number): { rows: Summary['thresholds']; causes: Cause[] } {
    this.#watch.finish(endMs)
    const standings = this.#standings()
    const causes: Cause[] = []
    for (const standing of standings) {
      const reason = describeFailure(standing)
      if (reason !== null) causes.push({ exitCode: 99, reason })
    }
    const rows = standings.map(({ threshold: { expression, abortOnFail }, value, ok }) => {
      return { expression, value, ok: ok === true, abortOnFail }
    })
    return { rows, causes }
  }

  /**
   * Failures and errors that no threshold speaks of. Where one does, for the whole run, it decides; so a run with
   * `errors<1%` passes with a few of them.
   */
  undecided(aggregate: Aggregate): { failures: number; errors: number } {
    const deciding = this.#thresholds.filter(({ stage, overMs }) => stage === null && overMs === null)
    const left = { failures: 0, errors: 0 }
    for (const { key, count } of aggregate.series.values()) {
      if (key.kind !== 'execution') continue
      const outcome = key.status === 'failure' ? 'failures' : key.status === 'error' ? 'errors' : null
      if (outcome === null) continue
      const isDecided = deciding.some((each) => each.metric.name === outcome && thresholdSelects(each, key))
      if (!isDecided) left[outcome] += count
    }
    return left
  }

  /** By their time, so that a slice of time is looked through once however many agents there are. */
  #apply(windows: readonly TakenWindow[]): void {
    const windowMs = Math.max(1, this.#options.spec.windowMs)
    const slices = new Map<number, { fromMs: number; toMs: number; delta: Delta }>()
    for (const { agent, window, delta } of windows) {
      const { fromMs, toMs } = window
      this.#committedMs.set(agent, Math.max(toMs, this.#committedMs.get(agent) ?? 0))
      // Several windows that an agent could not send were merged to one: its time is its own.
      if (toMs - fromMs > 1.5 * windowMs) {
        this.#watch.apply(delta, fromMs, toMs)
        continue
      }
      const number = Math.floor((fromMs + toMs) / 2 / windowMs)
      let slice = slices.get(number)
      if (slice === undefined) slices.set(number, (slice = { fromMs, toMs, delta: new Delta() }))
      slice.delta.merge(delta)
    }
    for (const { fromMs, toMs, delta } of slices.values()) this.#watch.apply(delta, fromMs, toMs)
  }

  #standings(): ThresholdStanding[] {
    const crossed = this.#crossed
    return this.#watch.standings().map((each) => (each.threshold === crossed?.threshold ? crossed : each))
  }

  #say(standings: readonly ThresholdStanding[], elapsedMs: number): void {
    const { clock, onStates } = this.#options
    const stand = standings.map(({ ok }) => String(ok)).join()
    const nowMs = clock.monotonic()
    if (stand === this.#lastSaid && nowMs - this.#lastSaidMs < publishMs) return
    this.#lastSaid = stand
    this.#lastSaidMs = nowMs
    onStates({ type: 'thresholds', at: clock.now(), elapsedMs, states: statesOf(standings) })
  }

  #checkAbort(standings: readonly ThresholdStanding[], elapsedMs: number): void {
    if (this.#crossed !== null) return
    const crossed = standings.find(({ ok, threshold }) => {
      return ok === false && threshold.abortOnFail && elapsedMs >= threshold.delayAbortMs
    })
    if (crossed === undefined) return
    this.#crossed = crossed
    const { expression, dimension } = crossed.threshold
    this.#options.onAbort(`threshold crossed: ${expression} is ${describeValue(dimension, crossed.value!)}`)
  }
}

/** @throws {Refusal} BAD_THRESHOLD, with everything that is wrong in all of them */
export function checkThresholds({ thresholds, profile }: RunSpec): void {
  parse(thresholds, profile)
}

function parse(thresholds: RunSpec['thresholds'], profile: RunSpec['profile']): Threshold[] {
  const scenarios = profile.scenarios.map(({ name, stages }) => ({ name, stages: stages.length }))
  try {
    return parseThresholds(thresholds, { scenarios })
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error
    throw new Refusal('BAD_THRESHOLD', error.message)
  }
}

function statesOf(standings: readonly ThresholdStanding[]): ThresholdState[] {
  return standings.map(({ threshold: { expression }, value, ok }) => ({ expression, value, ok }))
}
