import type { RunListRow } from '../../src/model.ts'

/** `ended`: nobody has recorded how. */
const ends: ReadonlySet<string> = new Set(['done', 'failed', 'aborted', 'incomplete', 'ended'])

/** Does it go on? */
export function isActive({ state, endedAt }: RunListRow): boolean {
  return endedAt === null && !ends.has(state)
}

/** How long load was made, or has been so far, in milliseconds; null before it began. */
export function lengthOf(row: RunListRow, now: number): number | null {
  const { startedAt, endedAt } = row
  if (startedAt === null) return null
  if (endedAt !== null) return Math.max(0, endedAt - startedAt)
  return isActive(row) ? Math.max(0, now - startedAt) : null
}
