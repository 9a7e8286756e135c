import { rename, rm, stat, writeFile } from 'node:fs/promises'

/** Writes a file so that readers find the old text or the new one, never a part. */
export async function writeAtomically(file: string, text: string, signal?: AbortSignal): Promise<void> {
  const stopping = signal === undefined ? {} : { signal }
  // A device or a pipe is written to, never replaced.
  const there = await stat(file).catch(() => null)
  if (there !== null && !there.isFile()) return writeFile(file, text, stopping)
  const fresh = `${file}.${process.pid}.new`
  try {
    await writeFile(fresh, text, { ...stopping, flush: true })
    await rename(fresh, file)
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {})
    throw error
  }
}
