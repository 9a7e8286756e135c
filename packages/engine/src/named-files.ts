import { readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, posix, relative, resolve, sep } from 'node:path'
import { isSafe } from './bundle-archive.ts'
import { EngineError } from './errors.ts'
import { loaderOf } from './module-location.ts'

/** A file that travels with the tests because they name it. */
export interface NamedFile {
  /** In the bundle: relative, with forward slashes. */
  path: string
  /** On this machine: absolute. */
  file: string
}

/** A name in a module. */
interface Mention {
  method: 'feed' | 'grpc'
  name: string
  /** Absolute. */
  module: string
  /** `users/test.ts:12:5`. */
  place: string
  /** Where imports are looked for too: `includeDirs`, as written; below the test directory. */
  includeDirs: string[]
  /** Said of `this`: it is Loads' own method, so the file must be there. */
  sure: boolean
}

const call = /([\w$]+)\??\.(feed|grpc)\(("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')[,)]/g

/**
 * The files that users' modules name as string literals: rows of `this.feed('users.csv')`, services of
 * `this.grpc('greeter.proto')` with what those import. A name belongs to the test directory, or to the module's own.
 *
 * Absolute names stay where they are: they are read where the agent runs.
 *
 * @param modules absolute paths of the users' own modules
 * @throws {EngineError} FILE_NOT_FOUND, exit code 3, with the places of all names that lead nowhere
 */
export async function namedFiles(testDir: string, modules: readonly string[]): Promise<NamedFile[]> {
  const mentions = (await Promise.all(modules.map((module) => mentionsIn(module, testDir)))).flat()
  const found = new Map<string, { file: string; place: string }>()
  const problems: string[] = []
  for (const mention of mentions) {
    if (isAbsolute(mention.name)) continue
    await take(mention, testDir, found).catch((error: Error) => {
      if (mention.sure) problems.push(`  ${mention.place}: ${error.message}`)
    })
  }
  if (problems.length > 0) {
    const text = `files that the tests name are not there\n${problems.join('\n')}`
    throw new EngineError('FILE_NOT_FOUND', 3, text)
  }
  return [...found].map(([path, { file }]) => ({ path, file }))
}

async function take(
  { method, name, module, place, includeDirs }: Mention,
  testDir: string,
  found: Map<string, { file: string; place: string }>,
): Promise<void> {
  const said = `this.${method}('${name}')`
  const path = posix.normalize(name)
  if (!isSafe(path))
    throw new Error(
      `${said}: a file outside the test directory does not travel to agents; set --test-dir above it`,
    )
  const file = await firstFile(resolve(testDir, path), resolve(dirname(module), path))
  if (file === null) throw new Error(`${said}: no such file in ${testDir}${besides(module, testDir)}`)
  keep(path, file, place, found)
  if (method === 'grpc') await takeImports(path, file, ['.', ...includeDirs], testDir, place, found)
}

/**
 * What a `.proto` file imports, and what that imports: as for the call itself, names belong to the directory of the
 * file, to the test directory, or to an `includeDirs` of the call.
 */
async function takeImports(
  path: string,
  file: string,
  directories: readonly string[],
  testDir: string,
  place: string,
  found: Map<string, { file: string; place: string }>,
): Promise<void> {
  const source = (await readFile(file, 'utf8')).replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '')
  for (const [, name] of source.matchAll(/\bimport\s+(?:public\s+|weak\s+)?["']([^"']+)["']\s*;/g)) {
    const places = [
      { inside: posix.join(posix.dirname(path), name!), file: resolve(dirname(file), name!) },
      ...directories.map((each) => ({
        inside: posix.join(each, name!),
        file: resolve(testDir, each, name!),
      })),
    ]
    const imported = await firstFile(...places.map((each) => each.file))
    if (imported === null) {
      // The well-known ones come with every implementation.
      if (name!.startsWith('google/protobuf/')) continue
      throw new Error(`${path} imports ${name}: no such file beside it or in ${testDir}`)
    }
    const { inside } = places.find((each) => each.file === imported)!
    if (!isSafe(inside)) throw new Error(`${path} imports ${name}, which is outside the test directory`)
    const known = found.has(inside)
    keep(inside, imported, place, found)
    if (!known) await takeImports(inside, imported, directories, testDir, place, found)
  }
}

function keep(
  path: string,
  file: string,
  place: string,
  found: Map<string, { file: string; place: string }>,
): void {
  const other = found.get(path)
  if (other !== undefined && other.file !== file) {
    const where = other.place === place ? '' : ` (named at ${other.place})`
    throw new Error(
      `'${path}' means ${file} here and ${other.file} elsewhere${where}; name both from the test directory`,
    )
  }
  if (other === undefined) found.set(path, { file, place })
}

async function firstFile(...files: string[]): Promise<string | null> {
  for (const file of files) {
    const there = await stat(file).catch(() => null)
    if (there?.isFile() === true) return file
  }
  return null
}

function besides(module: string, testDir: string): string {
  const directory = dirname(module)
  return directory === testDir ? '' : ` or in ${directory}`
}

async function mentionsIn(module: string, testDir: string): Promise<Mention[]> {
  const source = await readFile(module, 'utf8')
  if (!/\.\s*(feed|grpc)\b/.test(source)) return []
  const { transform } = await import('esbuild')
  // Without types and comments, and with all literals written alike.
  const { code } = await transform(source, {
    loader: loaderOf(module),
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    charset: 'utf8',
    target: 'esnext',
    logLevel: 'silent',
  })
  return [...code.matchAll(call)].map(({ 1: receiver, 2: method, 3: literal, index }) => {
    const name = unquoted(literal!)
    // Up to the next call: options belong to this one.
    const rest = code.slice(index + literal!.length + receiver!.length + '.grpc('.length)
    const next = rest.search(/\.grpc\(/)
    const list = /\bincludeDirs:\[([^\]]*)\]/.exec(next < 0 ? rest : rest.slice(0, next))?.[1] ?? ''
    return {
      method: method as Mention['method'],
      name,
      module,
      includeDirs: [...list.matchAll(/"[^"]*"|'[^']*'/g)].map(([each]) => unquoted(each)),
      place: placeOf(name, method!, source, relative(testDir, module)),
      sure: receiver === 'this',
    }
  })
}

function unquoted(literal: string): string {
  const inner = literal.slice(1, -1)
  return inner.replaceAll(/\\(.)/g, '$1')
}

/** Where a name stands in the text that the user wrote. */
function placeOf(name: string, method: string, source: string, module: string): string {
  const file = module.split(sep).join('/')
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const match = new RegExp(`\\.\\s*${method}\\b[^'"\`]*['"\`]${escaped}['"\`]`).exec(source)
  const at = match?.index ?? source.indexOf(name)
  if (at < 0) return file
  const before = source.slice(0, at).split('\n')
  return `${join(file)}:${before.length}:${before.at(-1)!.length + 1}`
}
