import { readFile, stat } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { formatBytes, formatCount, plural } from '../console/figures.ts'
import { oneLine } from '../console/text-table.ts'
import { UsageError } from '../errors.ts'
import type { World } from '../world.ts'
import { readInput } from './input-file.ts'
import { checkOutput, writeOutput } from './output-file.ts'
import { planRecording } from './plan-recording.ts'
import type { RecordingPlan } from './plan-recording.ts'
import type { PlannedModule } from './planned-test.ts'
import { languageOf, moduleText } from './test-module.ts'

export interface ImportOptions {
  /** Null: standard output. */
  output: string | null
  force: boolean
}

export interface HarOptions extends ImportOptions {
  all: boolean
  pauses: boolean
}

export interface OpenApiOptions extends ImportOptions {
  url: string | null
}

type ImportWorld = Pick<World, 'cwd' | 'stdout' | 'stderr'>

/** `loads import har FILE` */
export async function importHar(world: ImportWorld, file: string, options: HarOptions): Promise<number> {
  await check(world, options)
  const { readHar } = await import('./har.ts')
  const { requests, others } = readHar(await readInput(world.cwd, file), file)
  const result = planRecording(requests, { ...options, source: file, name: nameFor(options.output, file) })
  if (result.requests === 0) throw new UsageError(nothingIn(file, requests.length))
  const left = others === 0 ? [] : [`${formatCount(others)} that ${others === 1 ? 'is' : 'are'} no HTTP`]
  return give(world, result.plan, options, recordingNotes(result, left), result.warnings)
}

/** `loads import openapi FILE` */
export async function importOpenApi(
  world: ImportWorld,
  file: string,
  options: OpenApiOptions,
): Promise<number> {
  await check(world, options)
  const { planOpenApi } = await import('./openapi.ts')
  const { plan, operations, warnings } = planOpenApi(await readInput(world.cwd, file), file, options.url)
  return give(world, plan, options, `${plural(operations, 'operation')}`, warnings)
}

/** `loads import curl 'curl ...'`; `-` and `@FILE` read the command from there. */
export async function importCurl(
  world: ImportWorld,
  words: readonly string[],
  options: ImportOptions,
): Promise<number> {
  await check(world, options)
  const [{ readCurl }, { planCurl }] = await Promise.all([import('./curl.ts'), import('./plan-curl.ts')])
  const { requests, warnings } = await readCurl(await commandOf(world, words), (file) =>
    readSent(world, file),
  )
  const plan = planCurl(requests, nameFor(options.output, 'curl'))
  return give(world, plan, options, plural(requests.length, 'request'), warnings)
}

/** One word is a whole command line; several are words that the shell has split. */
async function commandOf({ cwd }: ImportWorld, words: readonly string[]): Promise<string> {
  const [first = ''] = words
  if (words.length > 1) return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  if (first === '-') return readInput(cwd, '-')
  return first.startsWith('@') ? readInput(cwd, first.slice(1)) : first
}

/** What a test would carry with it. Bytes. */
const mostSent = 1024 * 1024

async function readSent({ cwd }: ImportWorld, file: string): Promise<Buffer> {
  const path = resolve(cwd, file)
  try {
    const { size } = await stat(path)
    if (size > mostSent)
      throw new UsageError(`curl: ${file} has ${formatBytes(size)}, too much to write into a test`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`curl: cannot read ${file}, which the command sends: ${(error as Error).message}`)
  }
}

async function check({ cwd }: ImportWorld, { output, force }: ImportOptions): Promise<void> {
  if (output !== null) await checkOutput(cwd, output, force)
}

/** Writes the module, says what is in it, and how to run it. */
export async function give(
  world: ImportWorld,
  plan: PlannedModule,
  { output, force }: ImportOptions,
  what: string,
  warnings: readonly string[],
): Promise<number> {
  const text = moduleText(plan, languageOf(output ?? ''))
  if (output === null) world.stdout.write(text)
  else {
    await writeOutput(world.cwd, output, text, force)
    world.stdout.write(`${output}: ${what}\n`)
  }
  for (const warning of warnings) world.stderr.write(`warning: ${oneLine(warning)}\n`)
  if (output !== null) world.stdout.write(`Next: loads-runner ${runnable(output)}\n`)
  return 0
}

/** How a file is named on the command line of the runner. */
export function runnable(file: string): string {
  const name = /^[\w-]+\.(?:ts|mts|js|mjs)$/.test(file) ? basename(file, extname(file)) : file
  return /^[\w./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`
}

/** What a recording became, in a line. */
export function recordingNotes(result: RecordingPlan, more: readonly string[] = []): string {
  const { requests, assets, redirects, correlated } = result
  const left = [
    ...(assets > 0 ? [`${plural(assets, 'asset')} (--all keeps them)`] : []),
    ...(redirects > 0 ? [`${plural(redirects, 'redirect')} that the session follows by itself`] : []),
    ...more,
  ]
  const found = correlated > 0 ? `, ${plural(correlated, 'value')} taken from earlier answers` : ''
  return `${plural(requests, 'request')}${found}${left.length > 0 ? `; left out: ${left.join(', ')}` : ''}`
}

function nothingIn(file: string, seen: number): string {
  return seen === 0
    ? `${file}: has no HTTP request`
    : `${file}: all of its ${plural(seen, 'request')} load assets of pages (images, styles, scripts): --all keeps them`
}

function nameFor(output: string | null, file: string): string {
  const name = output ?? file
  return basename(name, extname(name)).replace(/\.(?:test|spec|openapi|har)$/i, '')
}
