import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { oneLine } from '../console/text-table.ts'
import { UsageError } from '../errors.ts'
import { version } from '../version.ts'
import type { World } from '../world.ts'
import { exists } from './output-file.ts'
import { runnable } from './import-commands.ts'
import { configText, ignoredLine, testText, workflowText } from './scaffold.ts'

export interface InitOptions {
  directory: string
  /** Null: the user has to put it in. */
  url: string | null
  force: boolean
}

type Done = 'made' | 'left as it is' | 'written over' | 'added to'

/**
 * `loads init [DIR]`: a test, a configuration, a package and a workflow that work together at once. What exists is left
 * alone, and a package or a list of ignored files gets what it lacks.
 *
 * @throws {UsageError} the directory cannot be made or written, or its package.json is no JSON
 */
export async function initCommand(
  world: Pick<World, 'cwd' | 'stdout'>,
  { directory, url, force }: InitOptions,
): Promise<number> {
  const root = resolve(world.cwd, directory)
  if (await isFile(root)) throw new UsageError(`${directory} is a file: name a directory`)
  // Read first: nothing is half done when it is wrong.
  const pack = await plannedPackage(root)
  const report: [string, Done][] = []
  const files: Readonly<Record<string, string>> = {
    'website.ts': testText(url),
    'loads.config.ts': configText(),
    '.github/workflows/loads.yml': workflowText(),
  }
  try {
    for (const [name, text] of Object.entries(files)) report.push([name, await put(root, name, text, force)])
    report.push(['package.json', await putPackage(root, pack)])
    report.push(['.gitignore', await ignoreResults(root)])
  } catch (error) {
    throw new UsageError(`cannot write into ${directory}: ${(error as Error).message}`)
  }
  for (const [name, done] of report) world.stdout.write(`${done.padEnd(13)}  ${name}\n`)
  if (report.some(([, done]) => done === 'left as it is'))
    world.stdout.write('what exists was left as it is; --force writes over it\n')
  const steps = [
    ...(directory === '.' ? [] : [`cd ${runnable(oneLine(directory))}`]),
    ...((await isInstalled(root)) ? [] : ['npm install']),
    'npx loads-runner',
  ]
  if (url === null) world.stdout.write('First put the address of your server into website.ts.\n')
  world.stdout.write(`Next: ${steps.join(' && ')}\n`)
  return 0
}

async function put(root: string, name: string, text: string, force: boolean): Promise<Done> {
  const path = join(root, name)
  const there = await exists(path)
  if (there && !force) return 'left as it is'
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text, { flag: there ? 'w' : 'wx' })
  return there ? 'written over' : 'made'
}

interface PlannedPackage {
  there: boolean
  /** Null: it has all that it needs. */
  text: string | null
}

/** The package with a script and our dependency; what is in it stays, in its order and with its indentation. */
async function plannedPackage(root: string): Promise<PlannedPackage> {
  const text = await readFile(join(root, 'package.json'), 'utf8').catch(() => null)
  if (text === null) {
    const content = { private: true, type: 'module', ...additions({}, packageName(root)) }
    return { there: false, text: `${JSON.stringify({ name: packageName(root), ...content }, null, 2)}\n` }
  }
  let content: unknown
  try {
    content = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw new UsageError(`package.json is no JSON: ${(error as Error).message}`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new UsageError('package.json must hold a JSON object')
  const added = additions(content as Record<string, unknown>, packageName(root))
  if (Object.keys(added).length === 0) return { there: true, text: null }
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  '
  const end = text.endsWith('\n') ? '\n' : ''
  return { there: true, text: JSON.stringify({ ...content, ...added }, null, indent) + end }
}

function additions(content: Record<string, unknown>, name: string): Record<string, unknown> {
  const added: Record<string, unknown> = {}
  const scripts = record(content['scripts'])
  if (scripts['load'] === undefined) added['scripts'] = { ...scripts, load: 'loads-runner' }
  const known = { ...record(content['dependencies']), ...record(content['devDependencies']) }
  // The package of Loads itself needs none.
  if (known['loads-runner'] === undefined && name !== 'loads-runner')
    added['devDependencies'] = { ...record(content['devDependencies']), 'loads-runner': `^${version}` }
  return added
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** What npm allows in a name. */
function packageName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replaceAll(/[^a-z\d-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return name || 'load-tests'
}

async function putPackage(root: string, { there, text }: PlannedPackage): Promise<Done> {
  if (text === null) return 'left as it is'
  await writeFile(join(root, 'package.json'), text)
  return there ? 'added to' : 'made'
}

async function ignoreResults(root: string): Promise<Done> {
  const path = join(root, '.gitignore')
  const text = await readFile(path, 'utf8').catch(() => null)
  const lines = text?.split('\n').map((line) => line.trim()) ?? []
  const missing = [ignoredLine, 'node_modules/'].filter(
    (line) =>
      ![line, line.slice(0, -1), `/${line}`, `/${line.slice(0, -1)}`].some((each) => lines.includes(each)),
  )
  if (missing.length === 0) return 'left as it is'
  const glue = text === null || text === '' || text.endsWith('\n') ? '' : '\n'
  await writeFile(path, `${text ?? ''}${glue}${missing.join('\n')}\n`)
  return text === null ? 'made' : 'added to'
}

/** Here or above, as Node looks for it. */
async function isInstalled(root: string): Promise<boolean> {
  for (let directory = root; ; directory = dirname(directory)) {
    if (await exists(join(directory, 'node_modules/loads-runner/package.json'))) return true
    if (directory === dirname(directory)) return false
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => !found.isDirectory(),
    () => false,
  )
}
