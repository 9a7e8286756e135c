import { runStages, type LoadProfile, type RunStage } from '@loads-runner/testcase/load'

/** How the phases of a load are called in schedules of faults: `stage 2`, and `scenario NAME` where there are several. */
export class LoadPhases {
  readonly #stages: readonly RunStage[]
  readonly #begun = new Set<number>()

  constructor(profile: LoadProfile) {
    this.#stages = runStages(profile)
  }

  all(): Set<string> {
    return new Set(this.#stages.flatMap(namesOf))
  }

  /** Phases that begin, when the load is running and a stage has begun. All scenarios that need not wait begin with the first. */
  begin(stage: number): string[] {
    const first = this.#begun.size === 0
    const begun = this.#stages.filter(
      ({ number, place, scenario }) => number === stage || (first && place === 0 && scenario.startMs === 0),
    )
    return begun.flatMap((each) => {
      if (this.#begun.has(each.number)) return []
      this.#begun.add(each.number)
      return namesOf(each)
    })
  }
}

function namesOf({ scenario, place }: RunStage): string[] {
  return [`stage ${place + 1}`, ...(place === 0 ? [`scenario ${scenario.name}`] : [])]
}
