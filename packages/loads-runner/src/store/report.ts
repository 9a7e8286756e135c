import { join, resolve } from 'node:path'
import { writeAtomically } from '@loads-runner/history'
import type { World } from '../world.ts'
import { findRun } from './find-run.ts'

export interface ReportOptions {
  run: string
  results: string
  /** Null: beside the run's other files. */
  output: string | null
}

/** `loads report [RUN]`: the report, made again from what the run directory holds. */
export async function reportCommand(world: World, { run, results, output }: ReportOptions): Promise<number> {
  const [recording, { buildModel, renderReport }] = await Promise.all([
    findRun(world, results, run),
    import('@loads-runner/dashboard'),
  ])
  const file = output === null ? join(recording.path, 'report.html') : resolve(world.cwd, output)
  await writeAtomically(file, renderReport(await buildModel(recording.events())))
  world.stdout.write(`${file}\n`)
  return 0
}
