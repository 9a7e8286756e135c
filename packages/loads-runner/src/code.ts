import { resolve } from 'node:path'
import type { Summary } from '@loads-runner/metrics'
import { RunnerError } from './errors.ts'
import type { Interrupts } from './interrupts.ts'
import type { CommonOptions, ScenarioOptions } from './run-options.ts'
import type { RunDirectory } from './run-directory.ts'
import type { World } from './world.ts'

/**
 * What {@link run} takes: the options of `loads-runner` by their names in camelCase. Durations, rates and stages are
 * written as on the command line ('30s', '50/s', '10:20:30'); a bare number of a duration is seconds.
 */
export interface RunOptions extends CommonOptions {
  /** One name or several: `example.TestWebSite.test_es`. */
  test?: string | readonly string[]
  /** Tests with loads of their own, instead of `test`. */
  scenarios?: Readonly<Record<string, ScenarioOptions>>
  config?: string
  profile?: string
  /** Without it the run leaves no run directory. */
  results?: string
  /** Drains the run when it aborts. */
  signal?: AbortSignal
}

/**
 * Runs tests from code, as `loads-runner` would, and returns the summary; whether the tests passed is in its `verdict`.
 *
 *     const summary = await run({ test: 'example.TestWebSite.test_es', users: 10, iterations: 100 })
 *
 * @throws {UsageError} wrong options
 * @throws {EngineError} tests that are not there or do not load
 * @throws {RunnerError} no run could be made, or its broker was lost
 */
export async function run(options: RunOptions): Promise<Summary> {
  const { signal, quiet = true, test, results, ...rest } = options
  const [{ invocationFrom }, { startRun }, { openDisplay }, { summaryText }, { Interrupts }, { realWorld }] =
    await Promise.all([
      import('./read-settings.ts'),
      import('./start-run.ts'),
      import('./console/open-display.ts'),
      import('./console/summary-text.ts'),
      import('./interrupts.ts'),
      import('./world.ts'),
    ])
  const world = realWorld()
  const tests = test === undefined ? [] : typeof test === 'string' ? [test] : test
  const invocation = await invocationFrom(world, { ...rest, quiet, results }, tests)
  const interrupts = new Interrupts({ onSignal: abortSignals(signal) })
  const display = openDisplay(world.stdout, quiet)
  try {
    const outcome = await startRun({
      invocation,
      world,
      display,
      interrupts,
      openDirectory: results === undefined ? null : () => openDirectory(world, results),
      askToDetach: null,
    })
    if (outcome.summary === null)
      throw new RunnerError('RUNNER_INTERRUPTED', 'the run was left before its end')
    display.text(summaryText(outcome.summary, outcome.directory))
    if (outcome.recordError !== null) throw outcome.recordError
    return outcome.summary
  } finally {
    interrupts.close()
  }
}

async function openDirectory(world: World, results: string): Promise<RunDirectory> {
  const { RunDirectory } = await import('./run-directory.ts')
  return RunDirectory.create(resolve(world.cwd, results), (text) => world.stderr.write(`${text}\n`))
}

/** Signals of the process belong to the program that calls us; its abort signal counts as the first one. */
function abortSignals(
  signal: AbortSignal | undefined,
): ConstructorParameters<typeof Interrupts>[0]['onSignal'] {
  return (handler) => {
    const abort = () => handler('SIGINT')
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    return () => signal?.removeEventListener('abort', abort)
  }
}
