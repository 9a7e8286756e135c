import { resolve } from 'node:path'
import type { Summary } from '@loads-runner/metrics'
import { silentDisplay } from '../console/display.ts'
import { openDisplay } from '../console/open-display.ts'
import { stopQuestion } from '../console/stop-question.ts'
import { inColor } from '../console/color.ts'
import { summaryText } from '../console/summary-text.ts'
import { reportFailure } from '../errors.ts'
import { worseOf } from '../exit-codes.ts'
import { Interrupts } from '../interrupts.ts'
import type { Invocation } from '../read-settings.ts'
import { jsonText, writeJson } from '../write-json.ts'
import { startRun } from '../start-run.ts'
import type { RunOutcome } from '../start-run.ts'
import type { World } from '../world.ts'

/** `loads-runner TEST...`: runs tests and shows how it goes. */
export async function runCommand(world: World, invocation: Invocation): Promise<number> {
  const { settings } = invocation
  const stream = displayStream(world, invocation)
  const display = openDisplay(stream, settings.quiet)
  const interrupts = new Interrupts(world)
  try {
    const outcome = await startRun({
      invocation,
      world,
      // Warnings are for somebody even when the rest is not.
      display: settings.quiet
        ? { ...silentDisplay, notice: (text) => world.stderr.write(`${text}\n`) }
        : display,
      interrupts,
      openDirectory: async () => {
        const { RunDirectory } = await import('../run-directory.ts')
        return RunDirectory.create(resolve(world.cwd, settings.results), (text) => display.notice(text))
      },
      askToDetach: stopQuestion(world),
    })
    if (outcome.detached) sayDetached(world, invocation, outcome)
    if (outcome.summary === null) return outcome.exitCode
    const written = await writeOutputs(world, invocation, outcome.summary)
    const text = summaryText(outcome.summary, outcome.directory)
    display.text(inColor(text, displayStream(world, invocation), world.env))
    return worseOf(outcome.exitCode, written)
  } finally {
    interrupts.close()
  }
}

/** Standard output, unless that is taken by JSON. */
export function displayStream(world: World, { settings }: Invocation): World['stdout'] {
  return jsonFiles(settings).includes('-') ? world.stderr : world.stdout
}

/** Writes what was asked for with --json and --output. Returns the exit code of that alone. */
export async function writeOutputs(
  world: World,
  { settings }: Invocation,
  summary: Summary,
): Promise<number> {
  let exitCode = 0
  for (const file of jsonFiles(settings)) {
    try {
      if (file === '-') world.stdout.write(jsonText(summary))
      else await writeJson(resolve(world.cwd, file), summary)
    } catch (error) {
      const failure = reportFailure(error)
      world.stderr.write(failure.text)
      exitCode = worseOf(exitCode, failure.exitCode)
    }
  }
  return exitCode
}

function jsonFiles(settings: Invocation['settings']): string[] {
  const outputs = settings.output.flatMap((output) => (output.name === 'json' ? [output.file] : []))
  return [...(settings.json === null ? [] : [settings.json]), ...outputs]
}

function sayDetached(world: World, { settings }: Invocation, { runId }: RunOutcome): void {
  if (settings.json === '-') return world.stdout.write(jsonText({ runId }))
  if (settings.quiet) return world.stdout.write(`${runId}\n`)
  // The string itself is a secret, and has come from the environment, where it still is.
  const broker = settings.broker?.startsWith('@') ? ` --broker ${settings.broker}` : ''
  world.stdout.write(
    `Run ${runId} goes on. Watch it: loads-runner --attach ${runId}${broker}; ` +
      `stop it: loads-runner --stop ${runId}${broker}\n`,
  )
}
