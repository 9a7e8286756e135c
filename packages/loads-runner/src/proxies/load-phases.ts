import { runStages, type LoadProfile, type RunStage } from '@loads-runner/testcase/load'

/**
 * How the phases of a load are called in schedules of faults: `stage 2` of its scenario, or `scenario NAME` where there are
 * several, which go on side by side.
 */
export class LoadPhases {
  readonly #stages: readonly RunStage[]
  readonly #several: boolean
  readonly #begun = new Set<number>()

  constructor(profile: LoadProfile) {
    this.#stages = runStages(profile)
    this.#several = profile.scenarios.length > 1
  }

  all(): string[] {
    return this.#namesOf(this.#stages)
  }

  /** Phases that begin when a stage has begun. With the first one all scenarios begin that need not wait. */
  begin(stage: number): string[] {
    const first = this.#begun.size === 0
    const begun = this.#stages.filter(
      ({ number, place, scenario }) =>
        !this.#begun.has(number) && (number === stage || (first && place === 0 && scenario.startMs === 0)),
    )
    for (const { number } of begun) this.#begun.add(number)
    return this.#namesOf(begun)
  }

  #namesOf(stages: readonly RunStage[]): string[] {
    return stages.flatMap(({ scenario, place }) => {
      if (!this.#several) return [`stage ${place + 1}`]
      return place === 0 ? [`scenario ${scenario.name}`] : []
    })
  }
}
