import { writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildFailure } from 'esbuild'
import { EngineError } from './errors.ts'
import { bundleBanner } from './module-location.ts'
import { ownStack } from './test-modules.ts'
import { WorkDirectory } from './work-directory.ts'

export interface ImportedConfig {
  /** The default export. */
  value: unknown
  /** Files of the user that it was made from: the module and what it imports. Absolute. */
  inputs: string[]
}

/**
 * Imports a module of the user outside of a run, whatever the type of its package, in TypeScript too.
 *
 * @param file absolute
 * @throws {EngineError} TEST_DOES_NOT_LOAD with file, line and column
 */
export async function importConfig(file: string): Promise<ImportedConfig> {
  const esbuild = await import('esbuild')
  const folder = dirname(file)
  const built = await esbuild
    .build({
      entryPoints: [file],
      absWorkingDir: folder,
      outfile: join(folder, 'config.mjs'),
      write: false,
      metafile: true,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: 'linked',
      sourcesContent: false,
      logLevel: 'silent',
      banner: { js: bundleBanner },
      external: ['loads-runner', 'loads-runner/*', '@loads-runner/*'],
      // It stays where it is, in its own eyes: it may read files beside it.
      define: {
        'import.meta.url': JSON.stringify(pathToFileURL(file).href),
        'import.meta.dirname': JSON.stringify(folder),
        'import.meta.filename': JSON.stringify(file),
        __dirname: JSON.stringify(folder),
        __filename: JSON.stringify(file),
      },
    })
    .catch((error: unknown) => {
      throw doesNotLoad(error as BuildFailure)
    })
  const directory = await WorkDirectory.create(null)
  try {
    await directory.linkOurPackages()
    for (const output of built.outputFiles)
      await writeFile(join(directory.path, relative(folder, output.path)), output.contents)
    process.setSourceMapsEnabled(true)
    const module = (await import(pathToFileURL(join(directory.path, 'config.mjs')).href)) as {
      default?: unknown
    }
    const inputs = Object.keys(built.metafile.inputs).map((input) => resolve(folder, input))
    return { value: await module.default, inputs }
  } catch (error) {
    throw new EngineError('TEST_DOES_NOT_LOAD', 2, ownStack(error, directory.path), { cause: error })
  } finally {
    await directory.remove()
  }
}

function doesNotLoad(failure: BuildFailure): EngineError {
  if (!Array.isArray(failure.errors)) throw failure
  const lines = failure.errors.slice(0, 5).map(({ location, text }) => {
    const where = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `
    return `${where}${text}`
  })
  return new EngineError('TEST_DOES_NOT_LOAD', 2, lines.join('\n  '))
}
