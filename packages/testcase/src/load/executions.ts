import { isOpen } from './model.ts'
import { plannedExecutions, type RunStage } from './profile.ts'
import { startsOf } from './rate-schedule.ts'

/**
 * The ordinal of a stage's first execution: stages of one scenario count on where the ones before are known to end.
 * Stages bounded by time alone have no known end and count for nothing.
 */
export function firstOrdinal(stages: readonly RunStage[], stage: RunStage): number {
  let sum = 0
  for (let number = stage.number - stage.place; number < stage.number; number++) {
    sum += executionsOf(stages[number]!) ?? 0
  }
  return sum
}

/** Executions of a whole stage; null where time or an operator bounds it. */
export function executionsOf(stage: RunStage): number | null {
  const { model, firstUnit, units } = stage
  return startsOf(model) ?? plannedExecutions(stage, { first: firstUnit, count: units })
}

/** Are executions known by their number alone (`scenario/number`), not by user and iteration? */
export function isNumbered(stage: RunStage): boolean {
  return stage.model.type === 'shared-hits' || isOpen(stage.model)
}

/** One execution, as a run spec asks for it to be replayed. */
export interface OneExecution {
  scenario: string
  /** The user. */
  unit: number
  /** In open models and shared hits: the ordinal. */
  iteration: number
}

/** The stage that an execution was made in, and the unit that it belongs to; null when the run has none such. */
export function stageOfExecution(
  stages: readonly RunStage[],
  one: OneExecution,
): { stage: RunStage; unit: number } | null {
  for (const stage of stages) {
    if (stage.scenario.name !== one.scenario) continue
    const { firstUnit, units } = stage
    if (!isNumbered(stage)) {
      if (one.unit >= firstUnit && one.unit < firstUnit + units) return { stage, unit: one.unit }
      continue
    }
    const place = one.iteration - firstOrdinal(stages, stage)
    if (place < 0 || place >= (executionsOf(stage) ?? Infinity)) continue
    return { stage, unit: firstUnit + (place % units) }
  }
  return null
}
