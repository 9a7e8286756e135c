import { resolve } from 'node:path'
import { formatCount, plural } from '../console/figures.ts'
import { UsageError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import type { World } from '../world.ts'

export interface PruneOptions {
  results: string
  keep: number | null
  olderThanMs: number | null
  dryRun: boolean
}

/**
 * `loads prune`: removes old runs.
 *
 * @throws {UsageError} neither a number nor an age was given
 */
export async function pruneCommand(
  world: World,
  { results, keep, olderThanMs, dryRun }: PruneOptions,
): Promise<number> {
  if (keep === null && olderThanMs === null)
    throw new UsageError('what may go? Give --keep N, --older-than 30d, or both')
  const { RunStore } = await import('@loads-runner/history')
  const { removed, kept, failed } = await new RunStore([resolve(world.cwd, results)]).prune({
    ...(keep === null ? {} : { keep }),
    ...(olderThanMs === null ? {} : { olderThanMs }),
    dryRun,
  })
  for (const { path } of removed) world.stdout.write(`${path}\n`)
  for (const { run, reason } of failed) world.stderr.write(`error: cannot remove ${run.path}: ${reason}\n`)
  const what = dryRun ? 'would be removed' : 'removed'
  world.stdout.write(`${plural(removed.length, 'run')} ${what}, ${formatCount(kept)} kept\n`)
  return failed.length === 0 ? 0 : exitCodes.infrastructure
}
