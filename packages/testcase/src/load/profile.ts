import { mostUsersOf, type LoadModel, type Pause } from './model.ts'

/** One test method in a scenario. */
export interface TestChoice {
  /** Shown everywhere and part of every series: `TestWebSite.test_es`. */
  label: string
  /** How often it is run, compared to the other tests of the scenario; 0 is never. */
  weight: number
}

/** Tests with a load of their own. The scenarios of a run go on side by side. */
export interface Scenario {
  /** Unique in a run; part of every execution id. */
  name: string
  tests: TestChoice[]
  /** Milliseconds after the start of the run's load. */
  startMs: number
  /** One after another: a stage begins when every user of the one before has ended, on every agent. */
  stages: LoadModel[]
  pause: Pause
  /** How long executions may go on when their stage is over, before they are cut. */
  gracefulStopMs: number
  /** On every series of its tests. */
  tags: Record<string, string>
  /** `this.params` of its tests, over those of the run. */
  params: Record<string, string>
}

/** How much load a run makes and when. */
export interface LoadProfile {
  scenarios: Scenario[]
}

/**
 * A stage of a scenario, by its number in the whole run: stages are numbered through all scenarios, and that number
 * is what processes speak of.
 */
export interface RunStage {
  /** Place in {@link runStages}. */
  number: number
  scenario: Scenario
  scenarioIndex: number
  /** Place in its scenario. */
  place: number
  model: LoadModel
  /** Units of all stages before this one: see {@link unitsOf}. */
  firstUnit: number
  units: number
}

/**
 * `count` units with consecutive numbers. A unit is what agents share out, report progress of and take over from one
 * another: a user in closed models, a lane of the schedule in open ones. Units are numbered through the whole run.
 */
export interface UnitRange {
  first: number
  count: number
}

/** A unit that goes on where it stopped elsewhere (on a lost agent or in a dead worker). */
export interface MovedUnit {
  unit: number
  stage: number
  /** Iterations of this user that are already reported, that is: the number of the next one. In open models: starts. */
  fromIteration: number
}

/** What one agent (or one worker) runs: one range per stage of the run, empty ranges included. */
export interface Share {
  ranges: UnitRange[]
}

/** More lanes than that gain nothing; every agent that is to make load of a stage needs one. */
const mostLanes = 1000

/**
 * Units of a stage. An open model has lanes that share its schedule (see `Lanes`). Lane `l`, counted in its stage, has
 * the users `firstUnit + l + lanes * j` below `firstUnit + model.users`, so who takes over a lane takes over its users.
 */
export function unitsOf(model: LoadModel): number {
  if (model.type === 'constant-rate' || model.type === 'ramping-rate') return Math.min(model.users, mostLanes)
  if (model.type === 'externally-controlled' && model.controls === 'rate')
    return Math.min(model.users, mostLanes)
  return mostUsersOf(model)
}

export function runStages(profile: LoadProfile): RunStage[] {
  const stages: RunStage[] = []
  let firstUnit = 0
  for (const [scenarioIndex, scenario] of profile.scenarios.entries()) {
    for (const [place, model] of scenario.stages.entries()) {
      const units = unitsOf(model)
      stages.push({ number: stages.length, scenario, scenarioIndex, place, model, firstUnit, units })
      firstUnit += units
    }
  }
  return stages
}

/** The number of the stage that follows in the same scenario; null after the last. */
export function stageAfter(stages: readonly RunStage[], number: number): number | null {
  const next = stages[number + 1]
  return next !== undefined && next.place > 0 ? next.number : null
}

export function totalUnits(profile: LoadProfile): number {
  return runStages(profile).reduce((sum, stage) => sum + stage.units, 0)
}

/** Splits `count` things into `parts` runs that differ by one at most: 10 over 3 is 4+3+3. */
export function splitEvenly(count: number, parts: number): UnitRange[] {
  const ranges: UnitRange[] = []
  const base = Math.floor(count / parts)
  const longer = count % parts
  let first = 0
  for (let part = 0; part < parts; part++) {
    const size = base + (part < longer ? 1 : 0)
    ranges.push({ first, count: size })
    first += size
  }
  return ranges
}

/** The shares of `parts` agents, in order: `shares[i].ranges[stage]`. */
export function shareOut(profile: LoadProfile, parts: number): Share[] {
  const shares: Share[] = Array.from({ length: parts }, () => ({ ranges: [] }))
  for (const { firstUnit, units } of runStages(profile)) {
    for (const [part, range] of splitEvenly(units, parts).entries()) {
      shares[part]!.ranges.push({ first: firstUnit + range.first, count: range.count })
    }
  }
  return shares
}

/**
 * Executions planned for `range` of a stage; null where time bounds it, or a schedule that is counted as it falls due.
 * Shared hits belong to users until one of them is free: user `i` of `n` has its part of the hits as even as can be.
 */
export function plannedExecutions(stage: RunStage, range: UnitRange): number | null {
  const { model } = stage
  if (model.type === 'hits-per-user') return range.count * model.iterations
  if (model.type !== 'shared-hits') return null
  let sum = 0
  for (let unit = range.first; unit < range.first + range.count; unit++) sum += quotaOf(stage, unit)
  return sum
}

/** Executions of one unit; null where time bounds it. */
export function iterationsOf(stage: RunStage, unit: number): number | null {
  if (stage.model.type === 'hits-per-user') return stage.model.iterations
  return stage.model.type === 'shared-hits' ? quotaOf(stage, unit) : null
}

function quotaOf(stage: RunStage, unit: number): number {
  const { model } = stage
  if (model.type !== 'shared-hits') return 0
  const place = unit - stage.firstUnit
  return Math.floor(model.hits / model.users) + (place < model.hits % model.users ? 1 : 0)
}
