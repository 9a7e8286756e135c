import { resolve } from 'node:path'
import { ThresholdWatch } from '@loads-runner/metrics'
import type { Delta, Threshold } from '@loads-runner/metrics'
import { UsageError } from './errors.ts'
import type { Settings } from './options.ts'

/** A run that thresholds compare with. */
export interface Baseline {
  /** Its run directory. */
  path: string
  /** Everything that was recorded in it, but for its warm-up. */
  total: Delta
  /** Milliseconds of load in it, without its warm-up. */
  loadMs: number
  dropped: number
}

/** What is compared where no threshold speaks of the baseline. */
const usual = [
  'hit_duration: p(95)<=baseline*1.2',
  'hit_failed: rate<=baseline+1%',
  'errors: rate<=baseline+1%',
]

/** `baseline`, `baseline*1.1`, `baseline+5ms`, `baseline+1%` (of a share: a hundredth; of the rest: of the baseline). */
const term = /\bbaseline\b(?:\s*([*+-])\s*(\d+(?:\.\d+)?)(%|ms|s|us|µs)?)?/

/**
 * The run that `--compare-with` names; null without one. `last-passed` is the last run of the same project that passed.
 *
 * @throws {UsageError} when there is none such
 */
export async function readBaseline(
  { compareWith, results, projectName }: Pick<Settings, 'compareWith' | 'results' | 'projectName'>,
  tests: readonly string[],
  cwd: string,
): Promise<Baseline | null> {
  if (compareWith === null) return null
  const { openRecording, RunStore, totalsOf } = await import('@loads-runner/history')
  const store = new RunStore([resolve(cwd, results)])
  const place = compareWith.includes('/') ? resolve(cwd, compareWith) : compareWith
  const alike = compareWith === 'last-passed' ? { project: projectName, names: tests } : {}
  try {
    const { path } = await store.find(place, alike)
    const { aggregate, loadSeconds, view } = await totalsOf(await openRecording(path))
    return { path, total: aggregate.toDelta(), loadMs: loadSeconds * 1000, dropped: view.dropped }
  } catch (error) {
    if (!String((error as { code?: unknown }).code).startsWith('HISTORY_')) throw error
    throw new UsageError(`--compare-with: ${(error as Error).message}`)
  }
}

/** Does a condition speak of a baseline? */
export function needsBaseline(expression: string): boolean {
  return term.test(expression)
}

/** The conditions of a run, those that are usual for a comparison included where none speaks of the baseline. */
export function withUsual(expressions: readonly string[], baseline: Baseline | null): string[] {
  if (baseline === null || expressions.some(needsBaseline)) return [...expressions]
  return [...expressions, ...usual]
}

/**
 * Puts the number in place of what is said of the baseline: what the metric was over the whole of that run.
 *
 * @param parse reads one expression; its limit does not matter
 * @throws {UsageError} no baseline, or nothing was recorded there that the condition is about
 */
export function resolveBaseline(
  expression: string,
  baseline: Baseline | null,
  parse: (expression: string) => Threshold | null,
): string {
  const found = term.exec(expression)
  if (found === null) return expression
  if (baseline === null) {
    throw new UsageError(
      `"${expression}" speaks of a baseline: give --compare-with last-passed, or the directory of a run`,
    )
  }
  const threshold = parse(expression.replace(term, '0'))
  if (threshold === null) return expression
  const value = valueIn(baseline, threshold)
  if (value === null)
    throw new UsageError(`"${expression}": nothing of that was recorded in the baseline ${baseline.path}`)
  const [text, sign, amount, unit] = found
  const limit = limitOf(value, sign, Number(amount), unit, threshold)
  return expression.replace(text, String(Number(limit.toPrecision(6))))
}

function valueIn({ total, loadMs, dropped }: Baseline, threshold: Threshold): number | null {
  // Spans and stages are of this run; the baseline is taken as a whole.
  const whole: Threshold = { ...threshold, overMs: null, stage: null, leastSamples: 0 }
  const watch = new ThresholdWatch([whole])
  watch.apply(total, 0, loadMs)
  watch.drop(dropped, 0, loadMs)
  watch.finish(loadMs)
  return watch.standings()[0]!.value
}

const milliseconds: Readonly<Record<string, number>> = { us: 0.001, µs: 0.001, ms: 1, s: 1000 }

function limitOf(
  value: number,
  sign: string | undefined,
  amount: number,
  unit: string | undefined,
  { dimension }: Threshold,
): number {
  if (sign === undefined) return value
  if (sign === '*') return value * amount
  let change = amount
  if (unit === '%') change = dimension === 'share' ? amount / 100 : (value * amount) / 100
  else if (unit !== undefined) change *= milliseconds[unit]!
  return sign === '+' ? value + change : value - change
}
