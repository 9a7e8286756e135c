import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RunnerError } from './errors.ts'

/**
 * Writes a value as JSON so that the file is either whole or not there.
 *
 * @throws {RunnerError} RUNNER_RESULTS when it cannot be written
 */
export async function writeJson(file: string, value: object): Promise<void> {
  try {
    await writeAtomically(file, jsonText(value))
  } catch (error) {
    throw new RunnerError(
      'RUNNER_RESULTS',
      `cannot write ${file}: ${(error as Error).message}`,
      undefined,
      error,
    )
  }
}

/** Why a file could not be written as things stand; null when it could. Asked before a run that may take hours. */
export async function whyNotWritable(file: string): Promise<string | null> {
  const there = await stat(file).catch(() => null)
  if (there?.isDirectory() === true) return 'it is a directory'
  try {
    // A file is replaced, which needs its directory; a device is written to.
    await access(there === null || there.isFile() ? dirname(file) : file, constants.W_OK)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** Writes a file so that readers find the old text or the new one, never a part. */
export async function writeAtomically(file: string, text: string): Promise<void> {
  // A device or a pipe is written to, never replaced.
  const there = await stat(file).catch(() => null)
  if (there !== null && !there.isFile()) return writeFile(file, text)
  const fresh = `${file}.${process.pid}.new`
  try {
    await writeFile(fresh, text, { flush: true })
    await rename(fresh, file)
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {})
    throw error
  }
}
