import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { codec, runSpecSchema } from '@loads-runner/protocol'
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
import type { RunSource } from './run-record.ts'

/** What a run directory says of its run. */
export interface RecordedRun {
  directory: string
  runId: string
  /** Without the values of secrets. */
  spec: RunSpec
  source: RunSource
}

/**
 * Reads `run.json` of a run directory: by its path, by its name in the results directory, or `latest`.
 *
 * @throws {UsageError} when there is none, or it is not whole
 */
export async function readRecordedRun(run: string, results: string, cwd: string): Promise<RecordedRun> {
  const places = [resolve(cwd, run), resolve(cwd, results, run)]
  const there = await Promise.all(places.map((place) => isFile(join(place, 'run.json'))))
  const directory = places[there.indexOf(true)]
  if (directory === undefined)
    throw new UsageError(`--replay: there is no run ${run}: neither ${places.join(' nor ')} holds a run.json`)
  const file = join(directory, 'run.json')
  try {
    const { runId, spec, source } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    if (typeof runId !== 'string' || !isSource(source)) throw new Error('it does not say where its tests are')
    return { directory, runId, spec: codec.validate(runSpecSchema, spec), source }
  } catch (error) {
    throw new UsageError(`--replay: ${file} cannot be used: ${(error as Error).message}`)
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  )
}

function isSource(value: unknown): value is RunSource {
  const { testDir, includeFile, external } = (value ?? {}) as Record<string, unknown>
  return typeof testDir === 'string' && Array.isArray(includeFile) && Array.isArray(external)
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
