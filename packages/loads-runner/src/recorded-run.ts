import type { TestSource } from '@loads-runner/history'
import type { RunSpec } from '@loads-runner/protocol'
import {
  executionsOf,
  isNumbered,
  iterationsOf,
  runStages,
  stageOfExecution,
} from '@loads-runner/testcase/load'
import type { OneExecution, RunStage } from '@loads-runner/testcase/load'
import { UsageError } from './errors.ts'
import type { ReplayTarget } from './options/replay-value.ts'
import { findRun } from './store/find-run.ts'

/** What a run directory says of its run. */
export interface RecordedRun {
  directory: string
  runId: string
  /** Without the values of secrets. */
  spec: RunSpec
  source: TestSource
}

/**
 * Reads what a run directory says of its run: by its path, its name, its run id, or `latest`.
 *
 * @throws {UsageError} when there is none, or it is not whole
 */
export async function readRecordedRun(run: string, results: string, cwd: string): Promise<RecordedRun> {
  try {
    const { path, runId, spec, source } = await findRun({ cwd }, results, run)
    if (source === null) throw new UsageError(`--replay: ${path} does not say where its tests are`)
    return { directory: path, runId, spec, source }
  } catch (error) {
    if (!String((error as { code?: unknown }).code).startsWith('HISTORY_')) throw error
    throw new UsageError(`--replay: ${(error as Error).message}`)
  }
}

/** One execution of a plan, and where it belongs. */
export interface FoundExecution {
  id: string
  replay: OneExecution
  stage: RunStage
}

/**
 * The execution with an id.
 *
 * @throws {UsageError} when the plan has none such; the message says which it has
 */
export function findExecution({ profile }: RunSpec, { run, execution: id }: ReplayTarget): FoundExecution {
  const refuse = (why: string) => new UsageError(`--replay: run ${run} has no execution ${id}: ${why}`)
  const stages = runStages(profile)
  const [, scenario = '', ...numbers] = /^(.+?)\/(\d+)(?:\/(\d+))?$/s.exec(id) ?? []
  const own = stages.filter((stage) => stage.scenario.name === scenario)
  if (own.length === 0) {
    const names = profile.scenarios.map(({ name }) => name)
    throw refuse(`its scenarios are ${names.join(', ')}`)
  }
  const numbered = own.every(isNumbered)
  const parts = numbers.filter((part) => part !== undefined).map(Number)
  const form = numbered ? `${scenario}/NUMBER` : `${scenario}/USER/ITERATION`
  if (parts.length !== (numbered ? 1 : 2)) throw refuse(`ids of scenario ${scenario} are ${form}`)
  const replay = numbered
    ? { scenario, unit: 0, iteration: parts[0]! }
    : { scenario, unit: parts[0]!, iteration: parts[1]! }
  const found = stageOfExecution(stages, replay)
  if (found === null) throw refuse(rangeText(own, numbered))
  const most = numbered ? null : iterationsOf(found.stage, found.unit)
  if (most !== null && replay.iteration >= most)
    throw refuse(`users of that stage have ${most} executions, 0 to ${most - 1}`)
  return { id, replay: { ...replay, unit: found.unit }, stage: found.stage }
}

function rangeText(stages: readonly RunStage[], numbered: boolean): string {
  if (!numbered) {
    const [first, last] = [stages[0]!, stages.at(-1)!]
    return `its users are ${first.firstUnit} to ${last.firstUnit + last.units - 1}`
  }
  const all = stages.reduce((sum, stage) => sum + (executionsOf(stage) ?? 0), 0)
  return `its executions are 0 to ${all - 1}`
}
