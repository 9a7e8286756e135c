import { exitCodes } from './exit-codes.ts'

/** Thrown when options, environment or configuration are wrong. Holds every problem that was found. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'RUNNER_USAGE'
  readonly exitCode: number = exitCodes.usage
  readonly problems: readonly string[]

  constructor(problems: string | readonly string[]) {
    const list = typeof problems === 'string' ? [problems] : problems
    super(list.join('\n'))
    this.problems = list
  }
}

export type RunnerErrorCode =
  /** The broker refused a request; the message is the broker's. */
  | 'RUNNER_REFUSED'
  /** The connection to the broker ended and could not be made again. */
  | 'RUNNER_BROKER_LOST'
  /** A local broker or agent ended before the run did. */
  | 'RUNNER_CLUSTER'
  /** Results could not be written. */
  | 'RUNNER_RESULTS'
  /** Interrupted before there was a run to stop. */
  | 'RUNNER_INTERRUPTED'

/** Thrown when a command cannot go on for a reason outside Loads. The message says what to do. */
export class RunnerError extends Error {
  override readonly name = 'RunnerError'
  readonly code: RunnerErrorCode
  readonly exitCode: number

  constructor(
    code: RunnerErrorCode,
    message: string,
    exitCode: number = exitCodes.infrastructure,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.exitCode = exitCode
  }
}

export interface FailureReport {
  exitCode: number
  /** Lines for standard error. */
  text: string
}

/** What a command prints and returns for an error: the user's fault in a line, ours with the stack. */
export function reportFailure(error: unknown): FailureReport {
  if (isUsageError(error)) {
    return { exitCode: error.exitCode, text: error.problems.map((problem) => `error: ${problem}\n`).join('') }
  }
  const exitCode = exitCodeOf(error)
  if (exitCode !== null) return { exitCode, text: `error: ${(error as Error).message}\n` }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const text = `${stack}\nerror: this is a defect of Loads itself. Please report it with the lines above.\n`
  return { exitCode: exitCodes.defect, text }
}

/** By its code: a second copy of this module, in another loader, has a class of its own. */
export function isUsageError(error: unknown): error is UsageError {
  return error instanceof Error && (error as { code?: unknown }).code === 'RUNNER_USAGE'
}

/** The exit code that an error of any of our packages stands for; null for an unexpected one. */
function exitCodeOf(error: unknown): number | null {
  if (!(error instanceof Error)) return null
  const { exitCode, code } = error as { exitCode?: unknown; code?: unknown }
  if (typeof exitCode === 'number') return exitCode
  if (typeof code !== 'string') return null
  if (/^(JOIN|HISTORY)_/.test(code)) return exitCodes.usage
  if (code.startsWith('CHAOS_'))
    return /_(BIND|STATE|CONTROL)$/.test(code) ? exitCodes.infrastructure : exitCodes.usage
  if (/^(CHANNEL|CLUSTER|KEYS|EVENT_LOG|MESSAGE|OUTPUT|DASHBOARD)_/.test(code))
    return exitCodes.infrastructure
  return null
}
