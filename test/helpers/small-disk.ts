import { execFileSync } from 'node:child_process'
import { cleanUpAfterTest, temporaryDirectory } from './temporary.ts'

/** A file system of this size, gone after the test; null, loudly, where this user or system cannot have one. */
export async function smallDisk(kilobytes: number): Promise<string | null> {
  const directory = await temporaryDirectory()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', directory], { stdio: 'pipe' })
  } catch (error) {
    console.warn(`SKIPPED: no small file system can be mounted: ${String(error)}`)
    return null
  }
  cleanUpAfterTest(() => execFileSync('umount', ['-l', directory]))
  return directory
}
