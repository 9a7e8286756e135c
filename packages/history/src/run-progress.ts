import { durationOf, executionsOf, isOpen, runStages } from '@loads-runner/testcase/load'
import type { LoadProfile, RunStage } from '@loads-runner/testcase/load'

/** How far the load of a run has come, by its plan, its clock and its stages. */
export class RunProgress {
  readonly #stages: readonly RunStage[]
  /** The stage that each scenario is in, and milliseconds of the run at which it began. */
  readonly #current = new Map<number, { stage: RunStage; beganAtMs: number }>()

  constructor(profile: LoadProfile) {
    this.#stages = runStages(profile)
    for (const stage of this.#stages)
      if (stage.place === 0)
        this.#current.set(stage.scenarioIndex, { stage, beganAtMs: stage.scenario.startMs })
  }

  get stages(): readonly RunStage[] {
    return this.#stages
  }

  /** The stage of this number has begun. */
  begin(number: number, elapsedMs: number): void {
    const stage = this.#stages[number]
    if (stage === undefined || this.#current.get(stage.scenarioIndex)?.stage === stage) return
    this.#current.set(stage.scenarioIndex, { stage, beganAtMs: elapsedMs })
  }

  /** The stages that go on now, one per scenario. */
  current(): readonly RunStage[] {
    return [...this.#current.values()].map(({ stage }) => stage)
  }

  /** It, or a later one of its scenario, goes on. */
  hasBegun(number: number): boolean {
    const stage = this.#stages[number]
    const current = stage === undefined ? undefined : this.#current.get(stage.scenarioIndex)
    return current !== undefined && current.stage.number >= number
  }

  /** Milliseconds that the load is planned to last; null where executions, or an operator, decide. */
  plannedMs(): number | null {
    let longest = 0
    for (const [index] of this.#current) {
      let sum = 0
      for (const stage of this.#of(index)) {
        const durationMs = timeOf(stage)
        if (durationMs === null) return null
        sum += durationMs
      }
      longest = Math.max(longest, sum + (this.#of(index)[0]?.scenario.startMs ?? 0))
    }
    return longest
  }

  /** From 0 to 1. @param ended executions that have ended */
  done(elapsedMs: number, ended: number): number {
    const plannedMs = this.plannedMs()
    if (plannedMs === null) return this.#doneByCount(ended)
    // A stage ends when its users have; its time is over somewhat earlier.
    let left = 0
    for (const [index, { stage, beganAtMs }] of this.#current) {
      const of = this.#of(index)
      const after = of.slice(stage.place + 1).reduce((sum, each) => sum + timeOf(each)!, 0)
      left = Math.max(left, after + Math.max(0, beganAtMs + timeOf(stage)! - Math.max(0, elapsedMs)))
    }
    return plannedMs === 0 ? 1 : Math.min(1, Math.max(0, 1 - left / plannedMs))
  }

  /** Zero where some stage has neither a time nor a number of executions. */
  #doneByCount(ended: number): number {
    let planned = 0
    for (const stage of this.#stages) {
      const executions = executionsOf(stage)
      if (executions === null) return 0
      planned += executions
    }
    return Math.min(1, ended / Math.max(1, planned))
  }

  #of(scenarioIndex: number): RunStage[] {
    return this.#stages.filter((stage) => stage.scenarioIndex === scenarioIndex)
  }
}

/** Milliseconds of a stage that time bounds; null for others: the longest time of counted executions is no plan. */
function timeOf(stage: RunStage): number | null {
  const { model } = stage
  if (!isOpen(model) && executionsOf(stage) !== null) return null
  return durationOf(model)
}
