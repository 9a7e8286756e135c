import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { OutputEnvironment } from './environment.ts'
import { hasCode, messageOf, OutputError } from './errors.ts'
import { recordTypes, type Output } from './output.ts'
import type { OutputFactory } from './registry.ts'

/**
 * Loads an output of somebody else's: a module whose export `createOutput`, or whose default export, is a function
 * `(args, environment) => Output | Promise<Output>`. Files are meant from the working directory, packages are looked for
 * from there too.
 *
 * @param name `./my-output.js`, `/opt/my-output.js`, `@scope/pkg`, `npm:pkg`
 * @throws {OutputError} OUTPUT_MODULE; so does the factory where it makes something that is no output
 */
export async function loadOutputModule(
  name: string,
  { cwd }: Pick<OutputEnvironment, 'cwd'>,
): Promise<OutputFactory> {
  const address = await addressOf(name, cwd)
  let module: Record<string, unknown>
  try {
    module = (await import(address)) as Record<string, unknown>
  } catch (error) {
    throw bad(name, `cannot be loaded: ${messageOf(error)}`, error)
  }
  const create = module.createOutput ?? module.default
  if (typeof create !== 'function')
    throw bad(name, 'has no function createOutput(args, environment) among its exports, nor as its default')
  return async (args, environment) => {
    let made: unknown
    try {
      made = await (create as OutputFactory)(args, environment)
    } catch (error) {
      if (hasCode(error, 'OUTPUT_ARGUMENTS'))
        throw new OutputError('OUTPUT_ARGUMENTS', `output ${name}: ${messageOf(error)}`, { cause: error })
      throw bad(name, `threw when its output was made: ${messageOf(error)}`, error)
    }
    checkShape(name, made)
    return made
  }
}

async function addressOf(name: string, cwd: string): Promise<string> {
  if (/^[./]/.test(name)) return pathToFileURL(resolve(cwd, name)).href
  const wanted = name.replace(/^npm:/, '')
  const { resolve: find } = createRequire(join(cwd, 'package.json'))
  try {
    return pathToFileURL(find(wanted)).href
  } catch (error) {
    // A package for `import` only, which `require` does not find.
    const file = await importEntry(wanted, find.paths(wanted) ?? [])
    if (file !== null) return pathToFileURL(file).href
    throw bad(name, `is not installed in ${cwd}; run npm install ${wanted} there`, error)
  }
}

/** What `import` would load of a package that lies in one of these directories. */
async function importEntry(wanted: string, directories: readonly string[]): Promise<string | null> {
  for (const directory of directories) {
    const home = join(directory, wanted)
    const text = await readFile(join(home, 'package.json'), 'utf8').catch(() => null)
    if (text === null) continue
    const { exports } = JSON.parse(text) as { exports?: Conditions }
    const root = typeof exports === 'object' && exports !== null && '.' in exports ? exports['.'] : exports
    const entry = root === undefined ? null : entryOf(root)
    return entry === null ? null : join(home, entry)
  }
  return null
}

type Conditions = string | null | { [condition: string]: Conditions }

/** The first target whose conditions hold, in the order of the package. */
function entryOf(target: Conditions): string | null {
  if (target === null || typeof target === 'string') return target
  for (const [condition, inner] of Object.entries(target))
    if (['node', 'import', 'default'].includes(condition)) return entryOf(inner)
  return null
}

/** Everything that is wrong at once, so that its author need not come back for each. */
function checkShape(name: string, made: unknown): asserts made is Output {
  if (typeof made !== 'object' || made === null) throw bad(name, `made no output but ${describe(made)}`)
  const output = made as Partial<Record<keyof Output, unknown>>
  const problems: string[] = []
  if (typeof output.name !== 'string' || output.name === '') problems.push('name must be a text')
  const types: ReadonlySet<unknown> = recordTypes
  if (!(output.wants instanceof Set) || [...output.wants].some((type) => !types.has(type)))
    problems.push(`wants must be a Set of ${[...recordTypes].join(', ')}`)
  const isSpan = (span: unknown) => typeof span === 'number' && span > 0 && span % 1_000 === 0
  if (!Array.isArray(output.spansMs) || !output.spansMs.every(isSpan))
    problems.push('spansMs must be an array of 1000, 10000, 60000')
  if (!Number.isInteger(output.batch) || (output.batch as number) < 1)
    problems.push('batch must be a whole number from 1')
  for (const method of ['open', 'write', 'close'] as const)
    if (typeof output[method] !== 'function') problems.push(`${method} must be a function`)
  if (problems.length > 0) throw bad(name, `makes an output that cannot be used: ${problems.join('; ')}`)
}

function describe(value: unknown): string {
  return value === null ? 'null' : `something of type ${typeof value}`
}

function bad(name: string, problem: string, cause?: unknown): OutputError {
  return new OutputError('OUTPUT_MODULE', `output module ${name} ${problem}`, { cause })
}
