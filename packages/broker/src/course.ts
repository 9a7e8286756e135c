import { stageAfter, type RunStage } from '@loads-runner/testcase/load'
import type { RunningStage } from './controls.ts'

/**
 * How far a run is in its plan: scenarios go on side by side, the stages of each one after another. A stage begins when
 * the one before it is over on every agent.
 */
export class Course {
  readonly #stages: readonly RunStage[]
  /** By scenario: its stage that is under way; none once the scenario is through. */
  readonly #running = new Map<string, RunningStage>()
  readonly #begun = new Set<number>()
  #latest = 0

  /** @param stages of the run, in the order of their numbers */
  constructor(stages: readonly RunStage[]) {
    this.#stages = stages
  }

  /** The number of the stage that began last. */
  get latest(): number {
    return this.#latest
  }

  /** Every scenario is through. */
  get isOver(): boolean {
    return this.#begun.size > 0 && this.#running.size === 0
  }

  hasBegun(stage: number): boolean {
    return this.#begun.has(stage)
  }

  /** The stages that are under way, in the order of their numbers. */
  running(): RunningStage[] {
    return [...this.#running.values()].sort((a, b) => a.stage.number - b.stage.number)
  }

  /** Begins the first stage of every scenario: agents wait for a scenario's `startMs` by themselves. */
  begin(nowMs: number): RunningStage[] {
    for (const stage of this.#stages) {
      if (stage.place === 0) this.#begin(stage, nowMs + stage.scenario.startMs)
    }
    return this.running()
  }

  /**
   * Ends every stage that is over, and begins those that follow.
   *
   * @returns what ended, each with what follows it in its scenario; null after the last
   */
  advance(isOver: (stage: number) => boolean, nowMs: number): { ended: RunStage; next: RunStage | null }[] {
    const steps: { ended: RunStage; next: RunStage | null }[] = []
    for (const { stage: ended } of this.running()) {
      if (!isOver(ended.number)) continue
      const number = stageAfter(this.#stages, ended.number)
      const next = number === null ? null : this.#stages[number]!
      if (next === null) this.#running.delete(ended.scenario.name)
      else this.#begin(next, nowMs)
      steps.push({ ended, next })
    }
    return steps
  }

  /** `stage 1 of 2`; with several scenarios each that is under way, or is to begin, by name. */
  note(): string {
    const first = this.#stages.filter(({ place }) => place === 0)
    const stages = this.#begun.size === 0 ? first : this.running().map(({ stage }) => stage)
    return stages.map((stage) => this.noteOf(stage)).join(', ')
  }

  /** `stage 1 of 2` or, with several scenarios, `scenario login: stage 1 of 2`. */
  noteOf({ scenario, place }: RunStage): string {
    const note = `stage ${place + 1} of ${scenario.stages.length}`
    return this.#several ? `scenario ${scenario.name}: ${note}` : note
  }

  get #several(): boolean {
    return this.#stages.some((stage) => stage.scenarioIndex > 0)
  }

  #begin(stage: RunStage, beginMs: number): void {
    this.#running.set(stage.scenario.name, { stage, beginMs })
    this.#begun.add(stage.number)
    this.#latest = stage.number
  }
}
