import { firstOrdinal, isNumbered, type RunStage } from '@loads-runner/testcase/load'
import { classTagsOf, internTags, mergeTags, type Tags, type TestClass } from '@loads-runner/testcase'
import { TestCycle } from './test-cycle.ts'

/** A test method, ready to be called. */
export interface LoadedTest {
  label: string
  cls: TestClass
  /** Of what setUpRun returned for its class. */
  classKey: string
  method: string
  /** Its class wants clients other than ours measured. */
  instrumented: boolean
  parameters: Record<string, unknown> | null
}

/** A test as one scenario runs it. */
export interface StageTest extends LoadedTest {
  /** Of the run, of the scenario, and the test's own parameters, the later ones over the earlier ones. */
  params: Readonly<Record<string, string>>
  /** On everything that it records. */
  tags: Tags | null
}

/** What users and executors of one stage must know of it, in one load thread. */
export interface StageView {
  readonly run: RunStage
  /** Executions are known by scenario and ordinal; otherwise by scenario, user and iteration. */
  readonly numbered: boolean
  /** Ordinal of the stage's first execution. */
  readonly firstOrdinal: number
  readonly tests: readonly StageTest[]
  readonly cycle: TestCycle
  /** On what is recorded of the scenario as a whole. */
  readonly tags: Tags | null
  readonly params: Readonly<Record<string, string>>
}

/** @param loaded the tests of the scenario, in its order; empty for an external runner */
export function viewOf(
  stages: readonly RunStage[],
  run: RunStage,
  loaded: readonly LoadedTest[],
  common: Readonly<Record<string, string>>,
): StageView {
  const { scenario } = run
  const several = stages.some((each) => each.scenario !== scenario)
  const tags = internTags(several ? { ...scenario.tags, scenario: scenario.name } : scenario.tags)
  const params = { ...common, ...scenario.params }
  const tests = loaded.map((test) => ({
    ...test,
    params: withParameters(params, test.parameters),
    tags: mergeTags(tags, classTagsOf(test.cls)),
  }))
  const weights = scenario.tests.map((test) => test.weight)
  return {
    run,
    numbered: isNumbered(run),
    firstOrdinal: firstOrdinal(stages, run),
    tests,
    cycle: new TestCycle(weights),
    tags,
    params,
  }
}

/** Parameters are text, as on the command line; anything else is given as JSON. */
function withParameters(
  common: Readonly<Record<string, string>>,
  parameters: Record<string, unknown> | null,
): Readonly<Record<string, string>> {
  if (parameters === null) return common
  const texts = Object.entries(parameters).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return { ...common, ...Object.fromEntries(texts) }
}
