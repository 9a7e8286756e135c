import {
  durationOf,
  isOpen,
  iterationsOf,
  plannedExecutions,
  totalUnits,
  type LoadProfile,
  type MovedUnit,
  type RunStage,
  type Share,
} from '@loads-runner/testcase/load'

/**
 * What becomes of the units of a lost agent: pure arithmetic. A unit is a user in closed models and a lane of the
 * schedule in open ones.
 */

/** How far every unit of a run is, as its agents reported it: finished iterations, in open models starts. */
export class Progress {
  readonly #units: number
  /** Made with the first figures: a run that waits costs nothing. */
  #iterations: Uint32Array | null = null

  constructor(profile: LoadProfile) {
    this.#units = totalUnits(profile)
  }

  /** Pairs of unit and iterations, as windows carry them. Counts only grow; unknown units are ignored. */
  take(pairs: readonly number[]): void {
    if (pairs.length === 0) return
    const iterations = (this.#iterations ??= new Uint32Array(this.#units))
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      const unit = pairs[index]!
      const finished = pairs[index + 1]!
      if (unit < this.#units && finished > iterations[unit]!) iterations[unit] = finished
    }
  }

  of(unit: number): number {
    return this.#iterations?.[unit] ?? 0
  }
}

/** What one agent has to run: its share of the plan, and units it took over. */
export interface Holding {
  share: Share
  moved: readonly MovedUnit[]
  /** Numbers of the stages that are over for it. */
  done: ReadonlySet<number>
}

/** Executions of a share that are known beforehand; stages bounded by time and open models count 0. */
export function plannedOf(stages: readonly RunStage[], share: Share): number {
  return share.ranges.reduce((sum, range, number) => {
    const stage = stages[number]
    return sum + (stage === undefined ? 0 : (plannedExecutions(stage, range) ?? 0))
  }, 0)
}

/** Executions that a unit still has to make from where it goes on; 0 where that is not known beforehand. */
export function remainingExecutions(stages: readonly RunStage[], moved: MovedUnit): number {
  const stage = stages[moved.stage]
  const iterations = stage === undefined ? null : iterationsOf(stage, moved.unit)
  return iterations === null ? 0 : Math.max(0, iterations - moved.fromIteration)
}

/**
 * The units of `holding` that have not ended, in stages that are not over for it, each from its last reported
 * iteration. A user of a stage bounded by time always goes on: the stage's clock, not its count, ends it. So does a
 * lane: from its last reported start, so that each start of the schedule is made once and the rate stays.
 */
export function remainingUnits(
  stages: readonly RunStage[],
  holding: Holding,
  progress: Progress,
): MovedUnit[] {
  const remaining: MovedUnit[] = []
  const keep = (unit: number, stage: RunStage, atLeast: number) => {
    const moved = { unit, stage: stage.number, fromIteration: Math.max(progress.of(unit), atLeast) }
    const bounded = iterationsOf(stage, unit)
    if (bounded === null || moved.fromIteration < bounded) remaining.push(moved)
  }
  for (const stage of stages) {
    const range = holding.share.ranges[stage.number]
    if (range === undefined || holding.done.has(stage.number)) continue
    for (let unit = range.first; unit < range.first + range.count; unit++) keep(unit, stage, 0)
  }
  for (const moved of holding.moved) {
    const stage = stages[moved.stage]
    if (stage !== undefined && !holding.done.has(moved.stage)) keep(moved.unit, stage, moved.fromIteration)
  }
  return remaining
}

/** Deals units out like cards, so that each part gets its fair share of every stage. */
export function deal(units: readonly MovedUnit[], parts: number): MovedUnit[][] {
  const dealt: MovedUnit[][] = Array.from({ length: parts }, () => [])
  for (const [index, unit] of units.entries()) dealt[index % parts]!.push(unit)
  return dealt
}

/**
 * Units that were moved to an agent and that it never took up: they were on their way while it was ending. Where time
 * bounds them, only while their stage is not over for the agent: later nothing of them is left.
 */
export function untouchedUnits(
  stages: readonly RunStage[],
  { moved, done }: Pick<Holding, 'moved' | 'done'>,
  progress: Progress,
): MovedUnit[] {
  return moved.filter((each) => {
    const stage = stages[each.stage]
    if (stage === undefined || progress.of(each.unit) > each.fromIteration) return false
    const isTimed = iterationsOf(stage, each.unit) === null || durationOf(stage.model) !== null
    if (isTimed && done.has(each.stage)) return false
    return iterationsOf(stage, each.unit) === null || remainingExecutions(stages, each) > 0
  })
}

/**
 * Starts of open models that `holding` has accounted for: those that its lanes made beyond where it got them.
 */
export function startsMade(stages: readonly RunStage[], holding: Holding, progress: Progress): number {
  let sum = 0
  for (const stage of stages) {
    const range = holding.share.ranges[stage.number]
    if (range === undefined || !isOpen(stage.model)) continue
    for (let unit = range.first; unit < range.first + range.count; unit++) sum += progress.of(unit)
  }
  for (const { unit, stage, fromIteration } of holding.moved) {
    const open = stages[stage]
    if (open !== undefined && isOpen(open.model)) sum += Math.max(0, progress.of(unit) - fromIteration)
  }
  return sum
}
