import {
  durationOf,
  executionsOf,
  isOpen,
  mostUsersOf,
  plannedExecutions,
  rateAt,
  runStages,
  shareOut,
  usersAt,
} from '@loads-runner/testcase/load'
import type { LoadModel, LoadProfile, RunStage, Scenario, UnitRange } from '@loads-runner/testcase/load'
import { describeModel } from './load-models/index.ts'

/** What one scenario of a plan comes to. */
export interface ScenarioOutline {
  name: string
  startMs: number
  /** Its stages, each in a line. */
  models: string[]
  /** Users at one time, at most. */
  users: number
  /** Executions that will be started; null where time and the target decide, or somebody outside. */
  starts: number | null
  /** Milliseconds of load; null where executions bound it, or nothing does. */
  durationMs: number | null
  /** Users, or starts per second, over its time; null where its time is not known. */
  curve: { unit: 'users' | 'per-second'; values: number[] } | null
}

/** What one agent does of it. */
export interface AgentOutline {
  /** From 1; the broker gives the shares to its agents in the order in which they joined. */
  agent: number
  users: number
  starts: number | null
}

export interface LoadOutline {
  scenarios: ScenarioOutline[]
  agents: AgentOutline[]
  users: number
  starts: number | null
  durationMs: number | null
}

/** Points of a curve: about as many as fit on a line beside words. */
const points = 60

/** A plan in figures. Pure. */
export function outlineOf(profile: LoadProfile, agents: number): LoadOutline {
  const stages = runStages(profile)
  const scenarios = profile.scenarios.map((scenario) => outlineScenario(scenario, stages))
  const ends = scenarios.map(({ startMs, durationMs }) => (durationMs === null ? null : startMs + durationMs))
  return {
    scenarios,
    agents: shareOut(profile, agents).map(({ ranges }, index) => ({
      agent: index + 1,
      ...shareOf(profile, stages, ranges),
    })),
    users: mostUsersAtOnce(profile),
    starts: sumOrNull(scenarios.map(({ starts }) => starts)),
    durationMs: ends.reduce((most, end) => (most === null || end === null ? null : Math.max(most, end)), 0),
  }
}

/** Users at one time, at most: scenarios go on side by side, the stages of each follow one another. */
export function mostUsersAtOnce({ scenarios }: LoadProfile): number {
  return scenarios.reduce((sum, { stages }) => sum + Math.max(...stages.map(mostUsersOf)), 0)
}

/** The same without users that a rate makes on demand: few of them may ever be needed. */
export function certainUsersAtOnce({ scenarios }: LoadProfile): number {
  return scenarios.reduce((sum, { stages }) => {
    const certain = stages.filter((stage) => stage.type !== 'externally-controlled' && !isOpen(stage))
    return sum + Math.max(0, ...certain.map(mostUsersOf))
  }, 0)
}

function outlineScenario(scenario: Scenario, all: readonly RunStage[]): ScenarioOutline {
  const stages = all.filter((stage) => stage.scenario === scenario)
  const models = scenario.stages
  return {
    name: scenario.name,
    startMs: scenario.startMs,
    models: models.map(describeModel),
    users: Math.max(...models.map(mostUsersOf)),
    starts: sumOrNull(stages.map(executionsOf)),
    durationMs: sumOrNull(models.map(timeOf)),
    curve: curveOf(models),
  }
}

/** Time is how long a model lasts only where it decides alone. */
function timeOf(model: LoadModel): number | null {
  return model.type === 'hits-per-user' || model.type === 'shared-hits' ? null : durationOf(model)
}

function curveOf(models: readonly LoadModel[]): ScenarioOutline['curve'] {
  const times = models.map(timeOf)
  const total = sumOrNull(times)
  if (total === null || total === 0) return null
  const open = models.every(isOpen)
  const values = Array.from({ length: points }, (_, point) => {
    let at = ((point + 0.5) / points) * total
    let index = 0
    while (index < models.length - 1 && at >= times[index]!) at -= times[index++]!
    const model = models[index]!
    return (open ? rateAt(model, at) : usersAt(model, at)) ?? 0
  })
  return { unit: open ? 'per-second' : 'users', values }
}

function shareOf(profile: LoadProfile, stages: readonly RunStage[], ranges: readonly UnitRange[]) {
  const byScenario = profile.scenarios.map((scenario) =>
    stages
      .filter((stage) => stage.scenario === scenario)
      .map((stage) => usersIn(stage, ranges[stage.number]!)),
  )
  return {
    users: byScenario.reduce((sum, users) => sum + Math.max(...users), 0),
    starts: sumOrNull(stages.map((stage) => startsIn(stage, ranges[stage.number]!))),
  }
}

/** A unit is a user, or a lane with every so many-th of the users. */
function usersIn({ model, firstUnit, units }: RunStage, { first, count }: UnitRange): number {
  if (!isOpen(model)) return count
  let users = 0
  for (let lane = first - firstUnit; lane < first - firstUnit + count; lane++)
    users += Math.ceil((model.users - lane) / units)
  return users
}

/** Of a schedule each lane has about the same part. */
function startsIn(stage: RunStage, range: UnitRange): number | null {
  if (!isOpen(stage.model)) return plannedExecutions(stage, range)
  const all = executionsOf(stage)
  return all === null ? null : Math.round((all * range.count) / stage.units)
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0)
}
