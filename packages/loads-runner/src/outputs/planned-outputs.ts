import type { OutputEnvironment, OutputRequest } from '@loads-runner/outputs'
import { UsageError } from '../errors.ts'
import type { Settings } from '../options.ts'

/** Where the outputs of a run are at work. */
export interface PlannedOutputs {
  /** In this process. */
  here: readonly OutputRequest[]
  /** In the standing broker, where they see the run to its end whoever watches it. */
  broker: readonly OutputRequest[]
}

/**
 * Reads and checks `--output`. Those that write to servers are the standing broker's affair, where there is one; files
 * and modules of the user's are ours.
 *
 * @param own true: all of them are at work here (an attached console does what it is told)
 * @throws {UsageError} with everything that is wrong with them
 */
export async function planOutputs(
  settings: Pick<Settings, 'output' | 'broker' | 'json'>,
  environment: OutputEnvironment,
  own = false,
): Promise<PlannedOutputs> {
  if (settings.output.length === 0) return { here: [], broker: [] }
  const { checkFilesApart, checkOutput, parseOutput } = await import('@loads-runner/outputs')
  const problems: string[] = []
  const requests: OutputRequest[] = []
  const attempt = async (step: () => Promise<void> | void) => {
    try {
      await step()
    } catch (error) {
      if (!isOutputProblem(error)) throw error
      problems.push(`--output: ${error.message}`)
    }
  }
  for (const text of settings.output)
    await attempt(async () => {
      const request = parseOutput(text)
      await checkOutput(request, environment)
      requests.push(request)
    })
  // --json writes a file, too; those of the run directory are in a new one of their own.
  const { json } = settings
  const alike = json === null || json === '-' ? [] : [{ ...parseOutput(`json:${json}`), text: '--json' }]
  await attempt(() => checkFilesApart([...alike, ...requests], environment))
  if (problems.length > 0) throw new UsageError(problems)
  const isTheBrokers = ({ place }: OutputRequest) => !own && settings.broker !== null && place === 'server'
  return {
    here: requests.filter((request) => !isTheBrokers(request)),
    broker: requests.filter(isTheBrokers),
  }
}

/** By its code: any loader may have a copy of the class of its own. */
function isOutputProblem(error: unknown): error is Error {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith('OUTPUT_')
}
