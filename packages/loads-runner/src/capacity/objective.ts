import { parseThresholds, ThresholdError } from '@loads-runner/metrics'
import type { Threshold } from '@loads-runner/metrics'
import { UsageError } from '../errors.ts'

/**
 * What a load must hold: the grammar of thresholds, `p(95)<200, errors<1%`.
 *
 * @throws {UsageError} with everything that is wrong in it
 */
export function parseObjective(expression: string): readonly Threshold[] {
  const source = { expression, abortOnFail: false, delayAbortMs: 0 }
  try {
    const thresholds = parseThresholds([source], { scenarios: [{ name: 'default', stages: 1 }] })
    const problems = thresholds
      .filter(({ overMs, stage }) => overMs !== null || stage !== null)
      .map(
        (threshold) =>
          `--find-capacity: "${threshold.expression}": each step is judged as a whole; leave out "over" and "stage"`,
      )
    if (problems.length > 0) throw new UsageError(problems)
    return thresholds
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error
    throw new UsageError(
      error.problems.map(
        ({ at, message }) => `--find-capacity: "${expression}", character ${at + 1}: ${message}`,
      ),
    )
  }
}
