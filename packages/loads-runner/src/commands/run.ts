import { resolve } from 'node:path'
import type { Summary } from '@loads-runner/metrics'
import { Secrets } from '@loads-runner/testcase/secrets'
import { silentDisplay } from '../console/display.ts'
import type { Display } from '../console/display.ts'
import { openDisplay } from '../console/open-display.ts'
import { stopQuestion } from '../console/stop-question.ts'
import { inColor } from '../console/color.ts'
import { summaryText } from '../console/summary-text.ts'
import { reportFailure, UsageError } from '../errors.ts'
import { exitCodes, worseOf } from '../exit-codes.ts'
import { Interrupts } from '../interrupts.ts'
import { secretsOf } from '../plan-run.ts'
import type { Invocation } from '../read-settings.ts'
import { jsonText, whyNotWritable, writeJson } from '../write-json.ts'
import { startRun } from '../start-run.ts'
import type { RunOutcome, RunRequest } from '../start-run.ts'
import type { World } from '../world.ts'

/** How a run differs from a plain one. */
export interface RunVariation extends Pick<RunRequest, 'plan' | 'onInputs'> {
  /** False: it leaves no run directory. */
  keepsDirectory?: boolean
}

/** `loads-runner TEST...`: runs tests and shows how it goes. */
export async function runCommand(
  world: World,
  invocation: Invocation,
  { keepsDirectory = true, ...variation }: RunVariation = {},
): Promise<number> {
  const { settings } = invocation
  await checkJsonFile(world, settings.json)
  const stream = displayStream(world, invocation)
  // Warnings are for somebody even when the rest is not.
  const display: Display = settings.quiet
    ? { ...silentDisplay, notice: (text) => world.stderr.write(`${text}\n`) }
    : openDisplay(stream, false)
  const interrupts = new Interrupts(world)
  const secrets = new Secrets(Object.values(secretsOf(settings, world.env)))
  // Tests are loaded here, setUpRun runs here, and with --workers 0 so do all users.
  const giveBackOutput = world.captureOutput((line) => display.notice(secrets.hide(line)))
  const openDirectory = async () => {
    const { RunDirectory } = await import('../run-directory.ts')
    return RunDirectory.create(resolve(world.cwd, settings.results), (text) => display.notice(text))
  }
  const printing = settings.verbose ? await printExchanges(world, invocation, secrets) : null
  try {
    const outcome = await startRun({
      invocation,
      world,
      display,
      interrupts,
      openDirectory: keepsDirectory ? openDirectory : null,
      ...variation,
      askToDetach: stopQuestion(world),
    })
    if (outcome.detached) sayDetached(world, invocation, outcome)
    if (outcome.summary === null) return outcome.exitCode
    const written = [
      await writeJsonFile(world, invocation, outcome.summary),
      sayUnwritten(world, outcome),
    ].reduce(worseOf)
    const text = summaryText(outcome.summary, outcome.directory)
    display.text(inColor(text, displayStream(world, invocation), world.env))
    if (outcome.recordError === null) return worseOf(outcome.exitCode, written)
    const failure = reportFailure(outcome.recordError)
    world.stderr.write(failure.text)
    return [written, failure.exitCode].reduce(worseOf, outcome.exitCode)
  } finally {
    printing?.stop()
    giveBackOutput()
    interrupts.close()
  }
}

/** Returns the exit code for results that somebody relies on and that are not there. */
export function sayUnwritten(world: World, { unwritten }: Pick<RunOutcome, 'unwritten'>): number {
  for (const { name, trouble } of unwritten)
    world.stderr.write(`error: the output ${name} was not written${trouble === null ? '' : `: ${trouble}`}\n`)
  return unwritten.length === 0 ? 0 : exitCodes.infrastructure
}

async function printExchanges(world: World, invocation: Invocation, secrets: Secrets) {
  const { ExchangePrinter } = await import('../exchange-printer.ts')
  const stream = displayStream(world, invocation)
  return ExchangePrinter.start((text) => stream.write(secrets.hide(text)))
}

/** Standard output, unless that is taken by JSON. */
export function displayStream(world: World, { settings }: Invocation): World['stdout'] {
  return settings.json === '-' ? world.stderr : world.stdout
}

/** Writes what was asked for with --json. Returns the exit code of that alone. */
export async function writeJsonFile(
  world: World,
  { settings: { json } }: Invocation,
  summary: Summary,
): Promise<number> {
  if (json === null) return 0
  try {
    if (json === '-') world.stdout.write(jsonText(summary))
    else await writeJson(resolve(world.cwd, json), summary)
    return 0
  } catch (error) {
    const failure = reportFailure(error)
    world.stderr.write(failure.text)
    return failure.exitCode
  }
}

/** @throws {UsageError} for a file that could not be written at the end */
async function checkJsonFile(world: World, json: string | null): Promise<void> {
  if (json === null || json === '-') return
  const why = await whyNotWritable(resolve(world.cwd, json))
  if (why !== null) throw new UsageError(`cannot write ${json}: ${why}`)
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
