import {
  iterationsOf,
  plannedExecutions,
  RateCurve,
  runStages,
  splitEvenly,
  stageOfExecution,
  type RunStage,
  type Share,
  type UnitRange,
} from '@loads-runner/testcase/load'
import type { SessionSpec } from './session-spec.ts'

/** Users, or starts per second, that one load thread carries before another core is taken. */
const usersPerThread = 100
const startsPerThread = 2000

export interface SessionPlan {
  stages: RunStage[]
  /** 0: users run on the main thread. */
  threads: number
  /** `ranges[thread][stage]` */
  ranges: UnitRange[][]
  /** Executions of the share; stages bounded by time count none, and open ones are counted as they fall due. */
  planned: number
}

/** Who runs what in a session. Pure. */
export function planSession(
  spec: Pick<SessionSpec, 'profile' | 'workers' | 'replay'>,
  share: Share,
  cores: number,
): SessionPlan {
  const stages = runStages(spec.profile)
  const ranges = spec.replay === null ? share.ranges : onlyOf(stages, spec.replay, share)
  const most = Math.max(1, ...ranges.map((range) => range.count))
  const suggested = Math.min(cores, Math.max(1, Math.ceil(demandOf(stages, ranges))))
  const threads = spec.workers === 0 ? 0 : Math.min(spec.workers ?? suggested, most)
  const parts = Math.max(1, threads)
  const ofThreads = Array.from({ length: parts }, (_, thread) =>
    ranges.map((range) => {
      const part = splitEvenly(range.count, parts)[thread]!
      return { first: range.first + part.first, count: part.count }
    }),
  )
  const planned =
    spec.replay !== null
      ? ranges.reduce((sum, range) => sum + range.count, 0)
      : stages.reduce((sum, stage) => sum + (plannedExecutions(stage, ranges[stage.number]!) ?? 0), 0)
  return { stages, threads, ranges: ofThreads, planned }
}

/** Executions that a moved unit still has to make, where that is known. */
export function plannedAfter(stage: RunStage, unit: number, fromIteration: number): number {
  const all = iterationsOf(stage, unit)
  return all === null ? 0 : Math.max(0, all - fromIteration)
}

/** In load threads: what scenarios have side by side, each at its busiest. */
function demandOf(stages: readonly RunStage[], ranges: readonly UnitRange[]): number {
  const most = new Map<number, number>()
  for (const stage of stages) {
    const part = stage.units === 0 ? 0 : ranges[stage.number]!.count / stage.units
    const rate = mostRateOf(stage)
    const demand =
      rate === null ? ranges[stage.number]!.count / usersPerThread : (rate * part) / startsPerThread
    most.set(stage.scenarioIndex, Math.max(most.get(stage.scenarioIndex) ?? 0, demand))
  }
  return [...most.values()].reduce((sum, demand) => sum + demand, 0)
}

/** Starts per second at the busiest; null in closed models. What an operator will want is not known: what it begins with. */
function mostRateOf({ model }: RunStage): number | null {
  switch (model.type) {
    case 'constant-rate':
      return model.rate
    case 'ramping-rate':
      return Math.max(model.startRate, ...model.steps.map((step) => step.target))
    case 'externally-controlled':
      return model.controls === 'rate' ? new RateCurve(model).rateAt(0) : null
    default:
      return null
  }
}

/** The unit of one execution alone, where it belongs to this share. */
function onlyOf(
  stages: readonly RunStage[],
  one: NonNullable<SessionSpec['replay']>,
  share: Share,
): UnitRange[] {
  const found = stageOfExecution(stages, one)
  return share.ranges.map((range, number) => {
    const isHere =
      found !== null &&
      found.stage.number === number &&
      found.unit >= range.first &&
      found.unit < range.first + range.count
    return isHere ? { first: found.unit, count: 1 } : { first: range.first, count: 0 }
  })
}
