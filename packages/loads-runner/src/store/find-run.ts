import { resolve } from 'node:path'
import type { Recording } from '@loads-runner/history'

/**
 * The run that a command is about: a path, a name, a run id or its beginning, latest, last-passed.
 *
 * @throws {HistoryError} when there is none such, with what is near
 */
export async function findRun(world: { cwd: string }, results: string, name: string): Promise<Recording> {
  const { openRecording, RunStore } = await import('@loads-runner/history')
  // A path is meant from where the command was called.
  const place = name.includes('/') ? resolve(world.cwd, name) : name
  const { path } = await new RunStore([resolve(world.cwd, results)]).find(place)
  return openRecording(path)
}
