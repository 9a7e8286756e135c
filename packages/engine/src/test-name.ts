import { access, readdir } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { EngineError } from './errors.ts'
import { nearestNames } from './nearest-names.ts'

/** What a user's name of a test means: a file, and in it a class or a method, or all. */
export interface TestAddress {
  /** As typed. */
  name: string
  /** Absolute path of the module. */
  file: string
  /** Name of the module for labels and messages: its path under the test directory without extension. */
  module: string
  className: string | null
  method: string | null
  /** From `@{"size":3}`; null without. */
  parameters: Record<string, unknown> | null
}

const extensions = ['.ts', '.mts', '.js', '.mjs', '.cts', '.cjs']

/**
 * Resolves `example.TestWebSite.test_es`, `example`, `path/to/file.ts::TestWebSite.test_es@{"size":3}`.
 * Whether class and method exist is known only after the module was loaded.
 *
 * @throws {EngineError} TEST_NAME_INVALID (exit code 2) or TEST_NOT_FOUND (3, with the nearest modules)
 */
export async function resolveTestName(name: string, testDir: string): Promise<TestAddress> {
  const { address, parameters } = splitParameters(name)
  if (address.includes('::') || /[\\/]/.test(address) || extensions.some((end) => address.endsWith(end))) {
    return { name, ...(await resolveFileForm(name, address, testDir)), parameters }
  }
  return { name, ...(await resolveDottedForm(name, address, testDir)), parameters }
}

function splitParameters(name: string): Pick<TestAddress, 'parameters'> & { address: string } {
  const at = name.indexOf('@{')
  if (at < 0) return { address: name, parameters: null }
  try {
    return {
      address: name.slice(0, at),
      parameters: JSON.parse(name.slice(at + 1)) as Record<string, unknown>,
    }
  } catch (error) {
    throw new EngineError(
      'TEST_NAME_INVALID',
      2,
      `the parameters in '${name}' are not JSON (${(error as Error).message}); write them like 'example.TestX.test_y@{"size":3}'`,
    )
  }
}

type Resolved = Pick<TestAddress, 'file' | 'module' | 'className' | 'method'>

async function resolveFileForm(name: string, address: string, testDir: string): Promise<Resolved> {
  const [path = '', inside = ''] = address.split('::')
  const file = resolve(testDir, path)
  if (!(await exists(file))) throw await notFound(name, path, testDir)
  return {
    file,
    module: moduleName(file, testDir),
    ...classAndMethod(name, inside === '' ? [] : inside.split('.')),
  }
}

async function resolveDottedForm(name: string, address: string, testDir: string): Promise<Resolved> {
  const parts = address.split('.')
  if (parts.some((part) => part === '')) {
    throw new EngineError('TEST_NAME_INVALID', 2, `'${name}' is not a test name; write module.Class.method`)
  }
  // Longest module first, so that a folder is not mistaken for a class.
  for (let length = parts.length; length >= 1; length--) {
    const head = parts.slice(0, length)
    for (const stem of new Set([head.join('.'), head.join(sep)])) {
      for (const extension of extensions) {
        const file = resolve(testDir, stem + extension)
        if (await exists(file)) {
          return { file, module: moduleName(file, testDir), ...classAndMethod(name, parts.slice(length)) }
        }
      }
    }
  }
  throw await notFound(name, parts[0]!, testDir)
}

function classAndMethod(name: string, rest: string[]): Pick<TestAddress, 'className' | 'method'> {
  if (rest.length > 2) {
    throw new EngineError(
      'TEST_NOT_FOUND',
      3,
      `'${name}' is no test: after the module come a class and a method, and nothing more`,
    )
  }
  return { className: rest[0] ?? null, method: rest[1] ?? null }
}

function moduleName(file: string, testDir: string): string {
  const path = relative(testDir, file)
  const inside = path.startsWith('..') ? basename(file) : path
  return inside
    .replace(/\.[cm]?[jt]s$/, '')
    .split(sep)
    .join('.')
}

async function notFound(name: string, wanted: string, testDir: string): Promise<EngineError> {
  const modules = await modulesIn(testDir)
  const near = nearestNames(basename(wanted), modules)
  const hint =
    near.length > 0
      ? `did you mean ${near.join(' or ')}?`
      : modules.length > 0
        ? `it has ${modules.slice(0, 5).join(', ')}`
        : 'it has no .ts or .js files; name another one with --test-dir'
  return new EngineError('TEST_NOT_FOUND', 3, `no module '${wanted}' for '${name}' in ${testDir}: ${hint}`)
}

async function modulesIn(testDir: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(testDir, { withFileTypes: true }).catch(() => [])) {
    if (entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name) && !entry.name.endsWith('.d.ts')) {
      names.push(moduleName(join(testDir, entry.name), testDir))
    }
  }
  return [...new Set(names)].sort()
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
