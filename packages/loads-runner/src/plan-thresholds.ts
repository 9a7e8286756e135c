import { parseThresholds, ThresholdError } from '@loads-runner/metrics'
import type { Threshold, ThresholdContext } from '@loads-runner/metrics'
import type { RunSpec } from '@loads-runner/protocol'
import { needsBaseline, resolveBaseline, withUsual } from './baseline.ts'
import type { Baseline } from './baseline.ts'
import { UsageError } from './errors.ts'
import type { OptionSource } from './option-table.ts'
import type { Settings } from './options.ts'

/** A condition as the run keeps it. */
export type PlannedThreshold = RunSpec['thresholds'][number]

/** Where the conditions of a run come from, besides its options. */
export interface ThresholdSources {
  classes: readonly { name: string; thresholds: readonly string[] }[]
  entries: readonly { name: string; thresholds: readonly string[] }[]
}

type ThresholdSettings = Pick<Settings, 'threshold' | 'abortOnFail' | 'delayAbort'>

/**
 * The conditions of a run: those of the options; where these are not from the command line or the environment, those
 * of classes and scenarios too. Where a run has several scenarios, a condition of one is about its figures alone.
 *
 * @throws {UsageError} with everything that is wrong in all of them
 */
export function planThresholds(
  settings: ThresholdSettings,
  source: OptionSource,
  { classes, entries }: ThresholdSources,
  scenarios: ThresholdContext['scenarios'],
  baseline: Baseline | null,
): PlannedThreshold[] {
  const problems: string[] = []
  const context = { scenarios }
  const parse = (expressions: readonly string[], where: string): Threshold[] =>
    parsed(expressions, context, settings, where, problems)
  const read = (expressions: readonly string[], where: string): Threshold[] => {
    const resolved = expressions.map((each) =>
      resolveBaseline(each, baseline, (expression) => parse([expression], where)[0] ?? null),
    )
    return parse(resolved, where)
  }
  const others = [...classes, ...entries].flatMap(({ thresholds }) => thresholds)
  const ofOptions = read(
    withUsual(settings.threshold, others.some(needsBaseline) ? null : baseline),
    '--threshold',
  )
  const nearest = source === 'command line' || source === 'environment'
  const ofClasses = nearest
    ? []
    : classes.flatMap(({ name, thresholds }) => read(thresholds, `${name}.thresholds`))
  const ofScenarios = nearest
    ? []
    : entries.flatMap(({ name, thresholds }) => {
        const where = `"thresholds" of scenario "${name}"`
        const own = read(thresholds, where)
        if (scenarios.length < 2) return own.map(({ expression }) => expression)
        return own.map((threshold) => ofScenario(threshold, name, where, problems))
      })
  if (problems.length > 0) throw new UsageError([...new Set(problems)])
  const expressions = [...[...ofOptions, ...ofClasses].map(({ expression }) => expression), ...ofScenarios]
  const { abortOnFail, delayAbort: delayAbortMs } = settings
  return [...new Set(expressions)].map((expression) => ({ expression, abortOnFail, delayAbortMs }))
}

/** What is wrong with conditions as far as can be said before the scenarios of the run are known. */
export function earlyThresholdProblems(
  settings: ThresholdSettings,
  entries: ThresholdSources['entries'],
): string[] {
  const problems: string[] = []
  const check = (expressions: readonly string[], where: string) =>
    parsed(
      expressions.filter((each) => !/\b(?:scenario|during|stage|baseline)\b/.test(each)),
      { scenarios: [] },
      settings,
      where,
      problems,
    )
  check(settings.threshold, '--threshold')
  for (const { name, thresholds } of entries) check(thresholds, `"thresholds" of scenario "${name}"`)
  return problems
}

function parsed(
  expressions: readonly string[],
  context: ThresholdContext,
  { abortOnFail, delayAbort: delayAbortMs }: ThresholdSettings,
  where: string,
  problems: string[],
): Threshold[] {
  try {
    const sources = expressions.map((expression) => ({ expression, abortOnFail, delayAbortMs }))
    return parseThresholds(sources, context)
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error
    for (const { expression, at, message } of error.problems)
      problems.push(`${where}: "${expression}", character ${at + 1}: ${message}`)
    return []
  }
}

const metricText = /^(?:"[^"]*"|'[^']*'|[\p{L}_][\p{L}\p{N}_.\-/]*)/u

/** The same condition, about one scenario of several. */
function ofScenario(threshold: Threshold, scenario: string, where: string, problems: string[]): string {
  const { expression, metric, filters, stage } = threshold
  if ('scenario' in filters || stage !== null) return expression
  if (!metric.tagged) {
    problems.push(
      `${where}: "${expression}": ${metric.name} is not kept apart by scenarios; put it under "thresholds" of the file`,
    )
    return expression
  }
  const name = metricText.exec(expression)?.[0] ?? ''
  const rest = expression.slice(name.length).trimStart()
  const filter = `scenario:${JSON.stringify(scenario)}`
  return rest.startsWith('{') ? `${name}{${filter},${rest.slice(1)}` : `${name}{${filter}}${rest}`
}
