import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, relative, resolve, sep } from 'node:path'
import type { BuildFailure, Message } from 'esbuild'
import { isSafe, maxUnpacked, packBundle, type ArchivedFile, type Manifest } from './bundle-archive.ts'
import { lendEnvironment } from './environment.ts'
import { EngineError } from './errors.ts'
import { bundleBanner, moduleLocation } from './module-location.ts'
import { namedFiles } from './named-files.ts'
import { selectTests, type SelectedTests } from './select-tests.ts'
import { importModules } from './test-modules.ts'
import { resolveTestName } from './test-name.ts'
import { WorkDirectory } from './work-directory.ts'

export interface BundleRequest {
  /** Absolute. */
  testDir: string
  /** As typed by the user; empty for an external runner. */
  names: string[]
  /** Globs under testDir: data files that travel with the tests. */
  includeFiles: string[]
  /** Packages that are not bundled, for instance because of native code. */
  external: string[]
  /** Variables that modules may read while they are loaded. */
  env?: Record<string, string>
}

export interface Bundle extends SelectedTests {
  /** SHA-256 of the bytes, hex. */
  hash: string
  bytes: Uint8Array
  /** Data files that travel with the tests, relative to the test directory. */
  files: string[]
  /** Files that it was made from: modules of the user and data files. Absolute. */
  inputs: string[]
}

const entryName = 'bundle.mjs'

/**
 * Makes one archive of the tests, everything that they import, and their data files. The tests are loaded once, here,
 * so that a wrong name or a module that throws is known before any load.
 *
 * @throws {EngineError} exit code 2 for a name that is not one, 3 for a test that is not there or does not load
 */
export async function bundleTests(request: BundleRequest): Promise<Bundle> {
  const included = await includedFiles(request)
  if (request.names.length === 0) {
    const nothing: SelectedTests = { tests: [], classes: [], named: [], conducted: false, serverUrl: null }
    const bundled = packBundle({ entry: null, tests: [], links: [] }, await readFiles(included))
    return { ...nothing, ...bundled, files: [...included.keys()], inputs: [...included.values()] }
  }
  const addresses = await Promise.all(request.names.map((name) => resolveTestName(name, request.testDir)))
  const modules = new Map(addresses.map((each) => [each.module, each.file]))
  const { built, sources } = await build(request, modules)
  const named = await namedFiles(request.testDir, sources)
  const dataFiles = new Map([...named.map(({ path, file }) => [path, file] as const), ...included])
  const files = await readFiles(dataFiles)
  const directory = await WorkDirectory.create(null)
  const giveBack = lendEnvironment(request.env ?? {})
  try {
    await directory.linkOurPackages()
    const links = externalLinks(request)
    for (const link of links) await directory.link(link.name, link.path)
    for (const file of built) await writeFile(join(directory.path, file.path), file.bytes)
    const loaded = await importModules(directory.path, entryName)
    const { manifestTests, ...selected } = selectTests(addresses, loaded)
    const manifest: Manifest = { entry: entryName, tests: manifestTests, links }
    const inputs = [...new Set([...sources, ...dataFiles.values()])]
    return {
      ...selected,
      ...packBundle(manifest, [...built, ...files]),
      files: [...dataFiles.keys()],
      inputs,
    }
  } finally {
    giveBack()
    await directory.remove()
  }
}

/** @returns the bundle's own files, and the absolute paths of the modules in it that are not from packages */
async function build(
  request: BundleRequest,
  modules: Map<string, string>,
): Promise<{ built: ArchivedFile[]; sources: string[] }> {
  const esbuild = await import('esbuild')
  const entries = [...modules]
  const contents = [
    ...entries.map(([, file], index) => `import * as m${index} from ${JSON.stringify(file)}`),
    `export const modules = {${entries.map(([name], index) => `${JSON.stringify(name)}: m${index}`).join(', ')}}`,
  ].join('\n')
  const result = await esbuild
    .build({
      stdin: { contents, resolveDir: request.testDir, sourcefile: 'loads-tests.js' },
      absWorkingDir: request.testDir,
      outfile: join(request.testDir, entryName),
      write: false,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      keepNames: true,
      sourcemap: 'linked',
      sourcesContent: false,
      metafile: true,
      logLevel: 'silent',
      banner: { js: bundleBanner },
      external: ['loads-runner', 'loads-runner/*', '@loads-runner/*', ...request.external],
      plugins: [moduleLocation(request.testDir)],
    })
    .catch((error: unknown) => {
      throw doesNotLoad(error as BuildFailure)
    })
  const built = result.outputFiles.map((file) => ({
    path: relative(request.testDir, file.path),
    bytes: file.contents,
    executable: false,
  }))
  return { built, sources: Object.keys(result.metafile.inputs).flatMap((each) => ownModule(each, request)) }
}

/** Empty for what is no code of the user. */
function ownModule(input: string, { testDir }: BundleRequest): string[] {
  const isOwn = /\.[cm]?[jt]sx?$/.test(input) && !input.split('/').includes('node_modules')
  const path = resolve(testDir, input)
  return isOwn && existsSync(path) ? [path] : []
}

function doesNotLoad(failure: BuildFailure): EngineError {
  if (!Array.isArray(failure.errors)) throw failure
  const lines = failure.errors.slice(0, 5).map(describe)
  if (failure.errors.length > 5) lines.push(`and ${failure.errors.length - 5} more`)
  return new EngineError('TEST_DOES_NOT_LOAD', 3, `the tests do not load\n${lines.join('\n')}`)
}

function describe({ location, text }: Message): string {
  const where = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `
  const hint = text.includes('.node" files') ? ' (native code: name its package with --external)' : ''
  const shown = location?.lineText === undefined ? '' : `\n    ${location.lineText.trim()}`
  return `  ${where}${text}${hint}${shown}`
}

/** Files of --include-file: path in the bundle to path here. */
async function includedFiles({ testDir, includeFiles }: BundleRequest): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  if (includeFiles.length === 0) return files
  const { glob } = await import('tinyglobby')
  for (const pattern of includeFiles) {
    const matches = await glob(asGlob(pattern, testDir), { cwd: testDir, dot: false, absolute: true })
    if (matches.length === 0) {
      throw new EngineError('FILE_NOT_FOUND', 2, `--include-file ${pattern}: no such file under ${testDir}`)
    }
    for (const match of matches.sort()) {
      const path = relative(testDir, resolve(testDir, match)).split(sep).join('/')
      if (!isSafe(path)) {
        throw new EngineError(
          'FILE_NOT_FOUND',
          2,
          `--include-file ${pattern}: ${match} is not under ${testDir}; set --test-dir above it`,
        )
      }
      files.set(path, match)
    }
  }
  return files
}

async function readFiles(files: ReadonlyMap<string, string>): Promise<ArchivedFile[]> {
  const found = await Promise.all(
    [...files].map(async ([path, file]) => ({ path, file, info: await stat(file) })),
  )
  const largest = found.toSorted((one, other) => other.info.size - one.info.size)[0]
  const bytes = found.reduce((sum, { info }) => sum + info.size, 0)
  if (largest !== undefined && bytes > maxUnpacked) {
    const size = (count: number) => `${Math.round(count / 1024 / 1024)} MiB`
    throw new EngineError(
      'BUNDLE_TOO_LARGE',
      2,
      `the files that travel with the tests have ${size(bytes)}, ${size(maxUnpacked)} is the most ` +
        `(largest: ${largest.path}, ${size(largest.info.size)}); put large ones where the agents run and give their full names`,
    )
  }
  return Promise.all(
    found.map(async ({ path, file, info }) => ({
      path,
      bytes: await readFile(file),
      executable: (info.mode & 0o100) !== 0,
    })),
  )
}

/** A directory means all that is in it. */
function asGlob(pattern: string, testDir: string): string {
  const plain = pattern.replace(/\/+$/, '')
  return existsSync(resolve(testDir, plain)) && !/\.[^/]+$/.test(plain) ? `{${plain},${plain}/**}` : plain
}

function externalLinks({ testDir, external }: BundleRequest): { name: string; path: string }[] {
  const from = createRequire(join(testDir, 'package.json'))
  return external.map((name) => {
    for (const modules of from.resolve.paths(name) ?? []) {
      const path = join(modules, name)
      if (existsSync(join(path, 'package.json'))) return { name, path }
    }
    throw new EngineError(
      'FILE_NOT_FOUND',
      2,
      `--external ${name}: not installed for ${testDir}; run npm install there`,
    )
  })
}
