import { durationOf, isOpen, type ControlChange, type LoadModel } from './model.ts'
import { PoissonPlaces } from './poisson-places.ts'
import type { RunStage } from './profile.ts'
import { Ranks } from './ranks.ts'
import { RateCurve, type RateModel } from './rate-curve.ts'

/** Sums of floating point may lie this far (as a part of one) above the whole number that is meant. */
const tolerance = 1e-9

/**
 * When each start of an open model falls due, by its number: the same on any number of agents and threads.
 *
 *     integral of the rate:  0 ---- 1 ---- 2 ---- 3 ----      uniform: start k is due when it reaches k
 *                            0 - 1 ------- 2 -- 3 -----       poisson: when it reaches a random place, one per start
 */
export class RateSchedule {
  /** Starts in all; Infinity for an externally controlled rate. */
  readonly total: number
  readonly #curve: RateCurve
  readonly #places: PoissonPlaces | null

  /** @param key names the process among those of the run: scenario and stage */
  constructor(model: RateModel, seed: number, key: string, changes: readonly ControlChange[] = []) {
    this.#curve = new RateCurve(model, changes)
    this.total = startsOf(model) ?? Infinity
    const length =
      model.type === 'externally-controlled' ? Infinity : this.#curve.startsUntil(this.#curve.endMs)
    this.#places = model.spacing === 'uniform' ? null : new PoissonPlaces(seed, key, this.total, length)
  }

  /** Of a stage of a run. */
  static of(
    stage: RunStage,
    model: RateModel,
    seed: number,
    changes: readonly ControlChange[] = [],
  ): RateSchedule {
    return new RateSchedule(model, seed, `${stage.scenario.name}/${stage.place}`, changes)
  }

  /** Milliseconds after the start of the model at which start number `start` is due; Infinity: never. */
  dueAt(start: number): number {
    if (start >= this.total) return Infinity
    const dueAt = this.#curve.timeOf(this.#places === null ? start : this.#places.placeOf(start))
    return dueAt < this.#curve.endMs || this.total !== Infinity ? dueAt : Infinity
  }

  /** How many starts are due at or before a time: those with a smaller number than this. */
  dueBy(ms: number): number {
    if (ms < 0) return 0
    let low = 0
    const about = Math.ceil(this.#curve.startsUntil(ms))
    if (about > 0 && this.dueAt(about - 1) <= ms) low = about
    let high = Math.max(low + 1, about)
    while (this.dueAt(high - 1) <= ms) {
      low = high
      high *= 2
    }
    while (low < high - 1) {
      const middle = (low + high) >>> 1
      if (this.dueAt(middle - 1) <= ms) low = middle
      else high = middle
    }
    return low
  }
}

/** Starts that a model will have, uniform or not; null where an operator decides, and in closed models. */
export function startsOf(model: LoadModel): number | null {
  if (model.type !== 'constant-rate' && model.type !== 'ramping-rate') return null
  const starts = new RateCurve(model).startsUntil(durationOf(model)!)
  return Math.max(0, Math.ceil(starts - tolerance * Math.max(1, starts)))
}

/** Executions per second that a model plans for a time after its start; null in closed models. */
export function rateAt(model: LoadModel, ms: number): number | null {
  return isOpen(model) ? new RateCurve(model).rateAt(ms) : null
}

/**
 * The starts of each lane. Start `k` belongs to the lane whose rank is `k mod lanes`, so neighbouring lanes, which
 * belong to one agent, have starts that are far apart.
 */
export class Lanes {
  readonly count: number
  readonly #ranks: Ranks

  constructor(count: number) {
    this.count = count
    this.#ranks = new Ranks(count)
  }

  /** Number of the start that a lane (its place in the stage) makes as its `turn`-th, from 0. */
  startOf(lane: number, turn: number): number {
    return this.#ranks.of(lane) + turn * this.count
  }

  /** How many of the first `starts` starts are the lane's. */
  turnsIn(lane: number, starts: number): number {
    return Math.max(0, Math.ceil((starts - this.#ranks.of(lane)) / this.count))
  }
}
