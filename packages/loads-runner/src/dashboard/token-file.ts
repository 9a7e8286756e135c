import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RunnerError } from '../errors.ts'
import { createDashboardToken } from './open-dashboard.ts'

/**
 * The token of a standing broker's page: made once, readable by the owner only.
 *
 * @throws {RunnerError} RUNNER_RESULTS when the file can neither be read nor written
 */
export async function readOrCreateToken(stateDir: string): Promise<{ token: string; file: string }> {
  const file = join(stateDir, 'dashboard.token')
  try {
    const token = createDashboardToken()
    await writeFile(file, `${token}\n`, { flag: 'wx', mode: 0o600 })
    return { token, file }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(file, error)
  }
  const token = (
    await readFile(file, 'utf8').catch((error: unknown) => Promise.reject(unusable(file, error)))
  ).trim()
  // An empty token would let everybody in.
  if (token.length < 16) throw unusable(file, new Error('it holds no token'))
  return { token, file }
}

function unusable(file: string, error: unknown): RunnerError {
  const text = `the token file ${file} cannot be used: ${(error as Error).message}; remove it, or choose another --state-dir`
  return new RunnerError('RUNNER_RESULTS', text, undefined, error)
}
