import type { RunFilter } from '@loads-runner/history'
import type { Verdict } from '@loads-runner/metrics'
import { UsageError } from '../errors.ts'
import type { Words } from '../option-values.ts'

/** Which runs a command is about, as its options say. */
export interface FilterOptions {
  results: string
  project?: string
  user?: string
  label: Words
  verdict?: string
  /** An age in milliseconds. */
  since?: number
  limit: number
  json: boolean
}

const verdicts: readonly Verdict[] = [
  'passed',
  'failed',
  'incomplete',
  'generator-limited',
  'aborted',
  'infrastructure',
]

/** @throws {UsageError} no such verdict */
export function filterOf({
  project,
  user,
  label,
  verdict,
  since,
  limit,
}: FilterOptions): RunFilter & { limit: number } {
  return {
    ...(project === undefined ? {} : { project }),
    ...(user === undefined ? {} : { user }),
    ...(verdict === undefined ? {} : { verdict: verdictOf(verdict) }),
    ...(since === undefined ? {} : { since: Date.now() - since }),
    labels: label,
    limit,
  }
}

function verdictOf(text: string): Verdict {
  const found = verdicts.find((each) => each === text)
  if (found === undefined) throw new UsageError(`--verdict: "${text}" is none of ${verdicts.join(', ')}`)
  return found
}
