import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeAtomically } from '@loads-runner/history'
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
