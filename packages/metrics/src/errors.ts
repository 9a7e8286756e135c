export type MetricsErrorCode = 'METRICS_BAD_DELTA'

/**
 * Thrown by `DeltaDecoder.decode` when bytes are not a delta of its stream: cut off, damaged, or encoded by an encoder
 * whose definitions this decoder has not seen. The decoder is as it was before.
 */
export class MetricsError extends Error {
  override readonly name = 'MetricsError'
  readonly code: MetricsErrorCode
  /** Position in the bytes at which they stopped to make sense. */
  readonly offset: number

  constructor(code: MetricsErrorCode, offset: number, problem: string) {
    super(
      `not a metrics delta: ${problem} at byte ${offset}; ` +
        'check that both sides run the same version and that every delta of the stream is decoded once and in order',
    )
    this.code = code
    this.offset = offset
  }
}

/** Something wrong in a threshold's expression. */
export interface ThresholdProblem {
  /** Place in the list of thresholds, from 0. */
  index: number
  expression: string
  /** Character of the expression, from 0, at which it stops to make sense. */
  at: number
  /** What is wrong there, and what to write instead. */
  message: string
}

/** Thrown by `parseThresholds`, with all that is wrong in all of them. */
export class ThresholdError extends Error {
  override readonly name = 'ThresholdError'
  readonly code = 'METRICS_BAD_THRESHOLD'
  readonly problems: readonly ThresholdProblem[]

  constructor(problems: readonly ThresholdProblem[]) {
    super(problems.map(describeProblem).join('\n'))
    this.problems = problems
  }
}

function describeProblem({ expression, at, message }: ThresholdProblem): string {
  return `threshold "${expression}", character ${at + 1}: ${message}`
}
