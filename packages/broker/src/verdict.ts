import type { Verdict } from '@loads-runner/metrics'
import type { RunState } from '@loads-runner/protocol'
import { describeMissing, type Coverage } from './coverage.ts'

/** Where several apply, the first of these wins (contract). */
const precedence = [2, 3, 4, 70, 130, 143, 7, 5, 6, 99, 1]

/** Something that decides, or helps to decide, how a run ended. */
export interface Cause {
  exitCode: number
  /** A sentence for people. */
  reason: string
}

export interface Outcome {
  /** What happened: stops, lost agents under `fail`, a conductor that is gone, thresholds that were crossed ... */
  causes: readonly Cause[]
  /** Failures and errors are those that no threshold decides about. */
  tests: { finished: number; failures: number; errors: number }
  /** Errors that no execution was waiting for: forgotten promises, timers, hooks of users and agents. */
  uncaught: number
  coverage: Coverage
  minCoverage: number
}

export interface Judgement {
  verdict: Verdict
  exitCode: number
  /** Everything that applies, the deciding one first. */
  reasons: string[]
  /** The state that the run ends in. */
  state: RunState
}

/** The verdict of a run by the contract's list of exit codes. */
export function judge(outcome: Outcome): Judgement {
  const causes = [...outcome.causes, ...coverageCauses(outcome), ...testCauses(outcome)]
  const { finished } = outcome.tests
  if (finished === 0 && causes.length === 0) causes.push({ exitCode: 1, reason: 'no execution finished' })
  causes.sort((a, b) => rank(a.exitCode) - rank(b.exitCode))
  const exitCode = causes[0]?.exitCode ?? 0
  const reasons = [...new Set(causes.map((cause) => cause.reason))]
  const tolerated = toleratedLoss(outcome)
  if (tolerated !== null) reasons.push(tolerated)
  return { verdict: verdictOf(exitCode), exitCode, reasons, state: endStateOf(exitCode) }
}

export function verdictOf(exitCode: number): Verdict {
  switch (exitCode) {
    case 0:
      return 'passed'
    case 4:
    case 70:
      return 'infrastructure'
    case 5:
      return 'incomplete'
    case 6:
      return 'generator-limited'
    case 7:
    case 130:
    case 143:
      return 'aborted'
    default:
      return 'failed'
  }
}

function endStateOf(exitCode: number): RunState {
  switch (verdictOf(exitCode)) {
    case 'aborted':
      return 'aborted'
    case 'incomplete':
      return 'incomplete'
    case 'infrastructure':
      return 'failed'
    default:
      // 2 and 3: the tests could not be run at all. 1, 6 and 99: the load was made as planned.
      return exitCode === 2 || exitCode === 3 ? 'failed' : 'done'
  }
}

function coverageCauses({ coverage, minCoverage }: Outcome): Cause[] {
  if (coverage.ratio >= minCoverage) return []
  return [{ exitCode: 5, reason: missingSentence(coverage) }]
}

function toleratedLoss({ coverage, minCoverage }: Outcome): string | null {
  if (coverage.ratio >= 1 || coverage.ratio < minCoverage) return null
  return `${missingSentence(coverage)}; tolerated by a minimal coverage of ${minCoverage}`
}

function missingSentence(coverage: Coverage): string {
  const count = coverage.windowsOwed - coverage.windowsReceived
  return `${count} of ${coverage.windowsOwed} windows are missing (${describeMissing(coverage.missing)})`
}

function testCauses({ tests, uncaught }: Outcome): Cause[] {
  const causes: Cause[] = []
  const of = `of ${tests.finished} executions`
  if (tests.failures > 0) causes.push({ exitCode: 1, reason: `${tests.failures} ${of} failed` })
  if (tests.errors > 0) causes.push({ exitCode: 1, reason: `${tests.errors} ${of} had errors` })
  if (uncaught > 0) {
    const errors = uncaught === 1 ? '1 error was' : `${uncaught} errors were`
    causes.push({ exitCode: 1, reason: `${errors} thrown outside of executions` })
  }
  return causes
}

function rank(exitCode: number): number {
  const index = precedence.indexOf(exitCode)
  return index === -1 ? precedence.indexOf(4) : index
}
