import type { RunSpec } from '@loads-runner/protocol'
import type { Settings } from './options.ts'

/** A condition as the run keeps it. */
export type PlannedThreshold = RunSpec['thresholds'][number]

/** Where the conditions of a run come from, besides its options. */
export interface ThresholdSources {
  classes: readonly { thresholds: readonly string[] }[]
  entries: readonly { name: string; thresholds: readonly string[] }[]
}

/**
 * The conditions of a run: those of the options; where they are not from the command line or the environment, those of
 * classes and scenarios too.
 */
export function planThresholds(
  settings: Pick<Settings, 'threshold' | 'abortOnFail' | 'delayAbort'>,
  source: string,
  { classes, entries }: ThresholdSources,
): PlannedThreshold[] {
  const nearest = source === 'command line' || source === 'environment'
  const further = nearest
    ? []
    : [...classes.flatMap(({ thresholds }) => thresholds), ...entries.flatMap(({ thresholds }) => thresholds)]
  return [...new Set([...settings.threshold, ...further])].map((expression) => ({
    expression,
    abortOnFail: settings.abortOnFail,
    delayAbortMs: settings.delayAbort,
  }))
}
