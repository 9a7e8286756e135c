import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { EngineError } from './errors.ts'

/** Exports of the user's modules, by module name. */
export type TestModules = Record<string, Record<string, unknown>>

/** What names a class in a whole run: two modules may have classes of one name. */
export function classKey({ module, className }: { module: string; className: string }): string {
  return `${module}.${className}`
}

/**
 * Imports an unpacked bundle.
 *
 * @throws {EngineError} TEST_DOES_NOT_LOAD with file, line and column of the user's source
 */
export async function importModules(directory: string, entry: string): Promise<TestModules> {
  process.setSourceMapsEnabled(true)
  try {
    const loaded = (await import(pathToFileURL(join(directory, entry)).href)) as { modules: TestModules }
    return loaded.modules
  } catch (error) {
    throw new EngineError('TEST_DOES_NOT_LOAD', 3, `the tests do not load\n  ${ownStack(error, directory)}`, {
      cause: error,
    })
  }
}

/**
 * Message and stack of an error of the user's code: paths relative to the test directory, frames of Node and of ours
 * left out.
 */
export function ownStack(error: unknown, directory: string): string {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return String(error)
  const [first = '', ...rest] = error.stack.split('\n    at ')
  const frames = rest
    .map((frame) =>
      frame.split('\n')[0]!.replaceAll(`file://${directory}/`, '').replaceAll(`${directory}/`, ''),
    )
    .filter((frame) => !/node:internal|node_modules|file:\/\/|\(?\/|^async Promise|^new Promise/.test(frame))
    .slice(0, 8)
  return [first.replaceAll(`${directory}/`, ''), ...frames.map((frame) => `    at ${frame}`)].join('\n')
}
