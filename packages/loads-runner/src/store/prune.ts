import { resolve } from 'node:path'
import { plural } from '../console/figures.ts'
import { UsageError } from '../errors.ts'
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
  const removed = await new RunStore([resolve(world.cwd, results)]).prune({ keep, olderThanMs, dryRun })
  for (const path of removed) world.stdout.write(`${path}\n`)
  world.stdout.write(`${plural(removed.length, 'run')} ${dryRun ? 'would be' : 'was'} removed\n`)
  return 0
}
