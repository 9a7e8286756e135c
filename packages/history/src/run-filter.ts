import type { Verdict } from '@loads-runner/metrics'
import type { StoredRun } from './stored-run.ts'

/** Which runs are wanted: all conditions must hold. */
export interface RunFilter {
  project?: string | null
  user?: string
  /** All of these. */
  labels?: Readonly<Record<string, string>>
  /** Null: without a summary. */
  verdict?: Verdict | null
  /** Epoch milliseconds, of the start of the run: from ... */
  since?: number
  /** ... to, exclusive. */
  until?: number
  /** Tests as typed: all of these were run. */
  names?: readonly string[]
}

export function matches(run: StoredRun, filter: RunFilter): boolean {
  const { project, user, labels = {}, verdict, since = -Infinity, until = Infinity, names = [] } = filter
  if (project !== undefined && run.project !== project) return false
  if (user !== undefined && run.user !== user) return false
  if (verdict !== undefined && run.verdict !== verdict) return false
  if (run.startedAt < since || run.startedAt >= until) return false
  if (!names.every((name) => run.names.includes(name))) return false
  return Object.entries(labels).every(([label, value]) => run.labels[label] === value)
}
