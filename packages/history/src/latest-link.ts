import { lstat, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const linkName = 'latest'

/** Makes `latest` a link to a run directory, in one step: a reader never finds none. */
export async function pointLatestAt(directory: string): Promise<void> {
  const root = dirname(directory)
  const fresh = join(root, `.latest-${process.pid}-${Date.now()}`)
  await symlink(basename(directory), fresh)
  try {
    await rename(fresh, join(root, linkName))
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}

/** Where `latest` is a link to nothing, makes it one to the newest run, or takes it away when there is none. */
export async function repairLatest(root: string, newest: string | null): Promise<void> {
  const link = join(root, linkName)
  const there = await lstat(link).catch(() => null)
  if (there?.isSymbolicLink() !== true || (await stat(link).catch(() => null)) !== null) return
  if (newest === null) await rm(link, { force: true })
  else await pointLatestAt(newest)
}
