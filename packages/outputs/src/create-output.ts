import { isAbsolute, resolve } from 'node:path'
import type { OutputEnvironment } from './environment.ts'
import { OutputError } from './errors.ts'
import { checkFile } from './files/target-file.ts'
import type { Output } from './output.ts'
import { loadOutputModule } from './output-module.ts'
import { knownOutput } from './registry.ts'
import type { OutputRequest } from './request.ts'

/**
 * Makes an output. Nothing is opened yet: see {@link OutputHost}.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS, OUTPUT_MODULE
 */
export async function createOutput(request: OutputRequest, environment: OutputEnvironment): Promise<Output> {
  const known = knownOutput(request.name)
  const factory = known === undefined ? await loadOutputModule(request.name, environment) : await known.load()
  return factory(request.args, environment)
}

/**
 * Are the arguments of an output fit for use? Asked before a run begins. Touches no network and writes nothing.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS: a bad address, no file name, a directory that is not there or cannot be
 *   written, a variable that is not set. OUTPUT_MODULE: a module that does not load or makes no output
 */
export async function checkOutput(request: OutputRequest, environment: OutputEnvironment): Promise<void> {
  await createOutput(request, environment)
  if (request.place === 'file' && request.args !== '')
    await checkFile(request.name, fileOf(request, environment))
}

/**
 * The same for all outputs of a run, and that no two of them write the same file.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS, OUTPUT_MODULE
 */
export async function checkOutputs(
  requests: readonly OutputRequest[],
  environment: OutputEnvironment,
): Promise<void> {
  for (const request of requests) await checkOutput(request, environment)
  checkFilesApart(requests, environment)
}

/**
 * No two outputs write the same file: each would take it from the other.
 *
 * @throws {OutputError} OUTPUT_ARGUMENTS
 */
export function checkFilesApart(requests: readonly OutputRequest[], environment: OutputEnvironment): void {
  const taken = new Map<string, string>()
  for (const request of requests) {
    if (request.place !== 'file' || request.args === '') continue
    const file = fileOf(request, environment)
    const other = taken.get(file)
    if (other !== undefined)
      throw new OutputError(
        'OUTPUT_ARGUMENTS',
        `outputs ${other} and ${request.text} would write the same file; give each its own`,
      )
    taken.set(file, request.text)
  }
}

function fileOf({ args }: OutputRequest, { cwd }: OutputEnvironment): string {
  return isAbsolute(args) ? args : resolve(cwd, args)
}
