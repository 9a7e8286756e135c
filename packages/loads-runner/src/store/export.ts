import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Recording } from '@loads-runner/history'
import { RunnerError } from '../errors.ts'
import { jsonText, writeJson } from '../write-json.ts'
import type { World } from '../world.ts'
import { findRun } from './find-run.ts'

export type ExportFormat = 'csv' | 'json' | 'ndjson'

export interface ExportOptions {
  run: string
  results: string
  format: ExportFormat
  /** Null: standard output. */
  output: string | null
}

/**
 * `loads export RUN`: the figures of a run as data. `json` is its summary; the others are what `--output csv` and
 * `--output ndjson` would have written.
 *
 * @throws {RunnerError} RUNNER_RESULTS when nothing could be written, or there is no summary
 */
export async function exportCommand(
  world: World,
  { run, results, format, output }: ExportOptions,
): Promise<number> {
  const recording = await findRun(world, results, run)
  if (format === 'json') await exportSummary(world, recording, output)
  else if (output !== null) await replay(world, recording, format, resolve(world.cwd, output))
  else await replayTo(world, recording, format)
  return 0
}

async function exportSummary(
  world: World,
  { summary, path }: Recording,
  output: string | null,
): Promise<void> {
  if (summary === null) {
    const text = `${path} has no summary: nobody saw its end; csv and ndjson have what was recorded`
    throw new RunnerError('RUNNER_RESULTS', text)
  }
  if (output === null) world.stdout.write(jsonText(summary))
  else await writeJson(resolve(world.cwd, output), summary)
}

/** Outputs write files; standard output gets what is in one. */
async function replayTo(world: World, recording: Recording, format: ExportFormat): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'loads-export-'))
  try {
    const file = join(directory, `figures.${format}`)
    await replay(world, recording, format, file)
    for await (const text of createReadStream(file, 'utf8') as AsyncIterable<string>) {
      if (world.stdout.closed) return
      world.stdout.write(text)
      await world.stdout.flushed()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function replay(world: World, recording: Recording, format: ExportFormat, file: string): Promise<void> {
  const { checkOutput, createOutput, defaultLaneTimes, OutputHost, parseOutput } =
    await import('@loads-runner/outputs')
  const environment = { cwd: world.cwd, env: world.env, log: () => {} }
  const request = parseOutput(`${format}:${file}`)
  await checkOutput(request, environment)
  const troubles: string[] = []
  const host = new OutputHost({
    outputs: [await createOutput(request, environment)],
    environment,
    onTrouble: (text) => troubles.push(text),
    times: { ...defaultLaneTimes, lingerMs: 0 },
  })
  for await (const event of recording.events()) {
    host.take(event)
    // A record is read faster than anything is written, and what an output cannot keep it drops.
    await host.ready()
  }
  const [health] = await host.finish(finishMs)
  if (health === undefined || health.dropped > 0 || health.trouble !== null)
    throw new RunnerError(
      'RUNNER_RESULTS',
      `${file} was not written: ${troubles.join('; ') || 'it took too long'}`,
    )
}

const finishMs = 60_000
