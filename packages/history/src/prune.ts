import { lstat, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { HistoryError } from './errors.ts'
import { repairLatest } from './latest-link.ts'
import type { StoredRun } from './stored-run.ts'

/** A run without a summary whose events were written within this time, in milliseconds, goes on. */
const restMs = 10 * 60_000

/** Which runs may go. Where both are given, both must hold. */
export interface PruneRequest {
  /** All but the newest so many. */
  keep?: number
  /** Those that began longer ago than so many milliseconds. */
  olderThanMs?: number
  /** Says what would be removed. */
  dryRun?: boolean
  /** The newest passed run of a project may go too. */
  evenLastPassed?: boolean
}

export interface Pruned {
  removed: StoredRun[]
  kept: number
  /** Runs that should have been removed and could not be, with the reason. */
  failed: { run: StoredRun; reason: string }[]
}

/** @param all every run of the store, newest first */
export async function prune(
  roots: readonly string[],
  all: readonly StoredRun[],
  request: PruneRequest,
): Promise<Pruned> {
  const { keep, olderThanMs, dryRun = false, evenLastPassed = false } = request
  if (keep === undefined && olderThanMs === undefined)
    throw new HistoryError('HISTORY_PRUNE', 'say which runs may go: how many to keep, or from what age on')
  for (const [name, value] of Object.entries({ keep, olderThanMs }))
    if (value !== undefined && !(value >= 0))
      throw new HistoryError('HISTORY_PRUNE', `${name} is ${value}: it must be 0 or more`)

  const spared = evenLastPassed ? new Set<StoredRun>() : lastPassedOf(all)
  const before = Date.now() - (olderThanMs ?? -Infinity)
  const pruned: Pruned = { removed: [], kept: 0, failed: [] }
  const own = all.filter(({ kind, path }) => kind === 'run-directory' && roots.includes(dirname(path)))
  for (const [index, run] of own.entries()) {
    const goes = index >= (keep ?? 0) && (olderThanMs === undefined || run.startedAt < before)
    if (!goes || spared.has(run) || (await goesOn(run))) {
      pruned.kept++
      continue
    }
    const reason = dryRun ? null : await remove(run.path)
    if (reason === null) pruned.removed.push(run)
    else pruned.failed.push({ run, reason })
  }
  if (dryRun) return pruned
  const gone = new Set(pruned.removed)
  for (const root of roots) {
    const newest = own.find((run) => !gone.has(run) && dirname(run.path) === root)
    await repairLatest(root, newest?.path ?? null)
  }
  return pruned
}

/** The newest passed run of each project; runs without a project are one. */
function lastPassedOf(all: readonly StoredRun[]): Set<StoredRun> {
  const newest = new Map<string | null, StoredRun>()
  for (const run of all)
    if (run.verdict === 'passed' && !newest.has(run.project)) newest.set(run.project, run)
  return new Set(newest.values())
}

async function goesOn(run: StoredRun): Promise<boolean> {
  if (run.verdict !== null) return false
  const infos = await Promise.all(
    ['events', 'run.json'].map((file) => stat(join(run.path, file)).catch(() => null)),
  )
  return infos.some((info) => info !== null && Date.now() - info.mtimeMs < restMs)
}

/** Null when it is gone, else why not. Out of sight first: a crash leaves no half of a run. */
async function remove(path: string): Promise<string | null> {
  try {
    // As it is now: it may have been replaced by a link since it was listed. Links in it are removed, not followed.
    if (!(await lstat(path)).isDirectory() || !(await lstat(join(path, 'run.json'))).isFile())
      return 'it is no run directory'
    const aside = join(dirname(path), `.removed-${basename(path)}-${process.pid}`)
    await rename(path, aside)
    await rm(aside, { recursive: true, force: true })
    return null
  } catch (error) {
    return (error as Error).message
  }
}
