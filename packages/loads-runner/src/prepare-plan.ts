import type { Bundle } from '@loads-runner/engine'
import type { RunSpec } from '@loads-runner/protocol'
import type { Baseline } from './baseline.ts'
import { formatDuration } from './duration.ts'
import { UsageError } from './errors.ts'
import { outlineOf } from './load-outline.ts'
import { describe } from './option-table.ts'
import { planRun } from './plan-run.ts'
import type { PlanContext } from './plan-run.ts'
import { planScenarios } from './plan-scenarios.ts'
import { planThresholds } from './plan-thresholds.ts'
import type { Invocation } from './read-settings.ts'

export interface PreparedPlan {
  spec: RunSpec
  notes: string[]
}

/** What a plan is made of besides options and tests. */
export type OwnContext = Omit<PlanContext, 'tests' | 'sources' | 'scenarios' | 'thresholds' | 'replay'> & {
  /** The run that thresholds compare with. */
  baseline: Baseline | null
}

/** What a bundle says of its tests. */
export type BundleFacts = Pick<Bundle, 'hash' | 'tests' | 'classes' | 'named' | 'conducted' | 'serverUrl'>

/**
 * From an invocation and its bundled tests to the run. Pure.
 *
 * @throws {UsageError} with everything that is wrong with loads and thresholds
 */
export function preparePlan(invocation: Invocation, bundle: BundleFacts, context: OwnContext): PreparedPlan {
  const { settings, sources, tests, scenarios: entries, layers } = invocation
  const { agents, testRunner, once } = settings
  const { scenarios, notes } = planScenarios({ entries, layers, agents, testRunner, once }, bundle)
  const thresholds = planThresholds(
    settings,
    sources.threshold,
    { classes: bundle.classes, entries },
    scenarios.map(({ name, stages }) => ({ name, stages: stages.length })),
    context.baseline,
  )
  const { durationMs } = outlineOf({ scenarios }, 1)
  if (settings.warmUp > 0 && durationMs !== null && settings.warmUp >= durationMs) {
    throw new UsageError(
      `${describe('warmUp', sources.warmUp)} is as long as the whole load (${formatDuration(durationMs)}), so that nothing would be measured: make it shorter`,
    )
  }
  const spec = planRun(settings, bundle, { ...context, tests, sources, scenarios, thresholds, replay: null })
  return { spec, notes }
}
