import type { Command } from 'commander'
import { checked } from '../checked-option.ts'
import { parseDuration } from '../duration.ts'
import { UsageError } from '../errors.ts'
import { pair, whole } from '../option-values.ts'
import type { Words } from '../option-values.ts'
import type { World } from '../world.ts'
import type { ExportFormat } from './export.ts'
import type { FilterOptions } from './filter.ts'

const runHelp = `
RUN is a run directory, its name (2026-11-21--3), a run id or its beginning, latest, or last-passed.
`

type Done = (exitCode: number) => void

/** What is said of the place where runs are. */
interface Place {
  results: string
}

type Filters = Omit<FilterOptions, 'json'> & { json?: boolean }

/** The commands about runs that are over. */
export function addStoreCommands(program: Command, world: World, done: Done): void {
  addReport(program, world, done)
  addCompare(program, world, done)
  addExport(program, world, done)
  addRuns(program, world, done)
  addTrend(program, world, done)
  addPrune(program, world, done)
}

function addReport(program: Command, world: World, done: Done): void {
  placed(program.command('report [RUN]'))
    .description('write the report of a run (default: latest) as one HTML file that opens anywhere')
    .option('-o, --output <FILE>', 'where it goes (default: report.html in the run directory)')
    .addHelpText('after', runHelp)
    .action(async (run: string | undefined, options: Place & { output?: string }) => {
      const { reportCommand } = await import('./report.ts')
      const { results, output = null } = options
      done(await reportCommand(world, { run: run ?? 'latest', results, output }))
    })
}

function addCompare(program: Command, world: World, done: Done): void {
  placed(program.command('compare <BEFORE> <AFTER>'))
    .description(
      'what has become slower, faster or worse from one run to another, and whether that is chance',
    )
    .option('--json', 'print JSON')
    .option('--fail', 'end with exit code 99 when something is slower or fails more often')
    .addHelpText('after', runHelp)
    .action(async (before: string, after: string, options: Place & { json?: boolean; fail?: boolean }) => {
      const { compareCommand } = await import('./compare.ts')
      const { results, json = false, fail = false } = options
      done(await compareCommand(world, { before, after, results, json, fail }))
    })
}

function addExport(program: Command, world: World, done: Done): void {
  placed(program.command('export <RUN>'))
    .description('the figures of a run as data')
    .requiredOption('--format <NAME>', 'csv, json or ndjson', checked(formatOf))
    .option('-o, --output <FILE>', 'where they go (default: standard output)')
    .addHelpText('after', runHelp)
    .action(async (run: string, options: Place & { format: ExportFormat; output?: string }) => {
      const { exportCommand } = await import('./export.ts')
      const { results, format, output = null } = options
      done(await exportCommand(world, { run, results, format, output }))
    })
}

function formatOf(text: string): ExportFormat {
  if (text === 'csv' || text === 'json' || text === 'ndjson') return text
  throw new UsageError(`"${text}" is none of csv, json, ndjson`)
}

function addRuns(program: Command, world: World, done: Done): void {
  filtered(program.command('runs'))
    .description('the runs that are there, newest first')
    .action(async (options: Filters) => {
      const { runsCommand } = await import('./runs.ts')
      done(await runsCommand(world, { ...options, json: options.json === true }))
    })
}

function addTrend(program: Command, world: World, done: Done): void {
  filtered(program.command('trend <METRIC>'))
    .description('one figure over the past runs: p95, "p95 of GET /", errors, hits/s, or as in a threshold')
    .action(async (metric: string, options: Filters) => {
      const { trendCommand } = await import('./trend.ts')
      done(await trendCommand(world, metric, { ...options, json: options.json === true }))
    })
}

function addPrune(program: Command, world: World, done: Done): void {
  placed(program.command('prune'))
    .description('remove old runs; the newest that passed stays')
    .option('--keep <N>', 'how many stay', checked(whole(1, 1_000_000)))
    .option('--older-than <T>', 'only those that ended so long ago: 30d, 12h', checked(ageOf))
    .option('--dry-run', 'say what would go, and remove nothing')
    .action(async (options: Place & { keep?: number; olderThan?: number; dryRun?: boolean }) => {
      const { pruneCommand } = await import('./prune.ts')
      const { results, keep = null, olderThan = null, dryRun = false } = options
      done(await pruneCommand(world, { results, keep, olderThanMs: olderThan, dryRun }))
    })
}

/** Durations know no days; ages do. */
function ageOf(text: string): number {
  const days = /^(\d+(?:\.\d+)?)d$/.exec(text)
  return days === null ? parseDuration(text) : Number(days[1]) * 24 * 3_600_000
}

function placed(command: Command): Command {
  return command.option('--results <DIR>', 'where run directories are', 'results')
}

function filtered(command: Command): Command {
  const nothing: Words = {}
  return placed(command)
    .option('--project <NAME>', 'runs of this project only')
    .option('--user <NAME>', 'started by')
    .option('--label <K=V>', 'with this label; repeatable', checked2(pair), nothing)
    .option('--verdict <NAME>', 'passed, failed, incomplete, generator-limited, aborted')
    .option('--since <T>', 'no older than: 7d, 12h', checked(ageOf))
    .option('--limit <N>', 'how many at most', checked(whole(1, 1_000_000)), 50)
    .option('--json', 'print JSON')
}

/** For options that add up. */
function checked2<T>(parse: (text: string, previous: T) => T): (text: string, previous: T) => T {
  return (text, previous) => checked((each: string) => parse(each, previous))(text)
}
