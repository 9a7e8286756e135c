import { access, mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UsageError } from '../errors.ts'

/** A file is there. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Refuses a file that would be overwritten, before any work is done.
 *
 * @throws {UsageError}
 */
export async function checkOutput(cwd: string, file: string, force: boolean): Promise<void> {
  if (!force && (await exists(resolve(cwd, file))))
    throw new UsageError(`${file} exists: choose another name with -o, or --force to write over it`)
}

/** @throws {UsageError} it exists, or cannot be written */
export async function writeOutput(cwd: string, file: string, text: string, force: boolean): Promise<void> {
  const path = resolve(cwd, file)
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') await checkOutput(cwd, file, force)
    throw new UsageError(`cannot write ${file}: ${(error as Error).message}`)
  }
}
