import { resolve } from 'node:path'
import { formatCount, formatMillis, plural } from '../console/figures.ts'
import { textTable } from '../console/text-table.ts'
import { formatDuration } from '../duration.ts'
import { jsonText } from '../write-json.ts'
import type { World } from '../world.ts'
import { filterOf } from './filter.ts'
import type { FilterOptions } from './filter.ts'

/** `loads runs`: the runs that are there, newest first. */
export async function runsCommand(world: World, options: FilterOptions): Promise<number> {
  const { RunStore } = await import('@loads-runner/history')
  const runs = await new RunStore([resolve(world.cwd, options.results)]).list(filterOf(options))
  if (options.json) {
    world.stdout.write(jsonText({ runs }))
    return 0
  }
  if (runs.length === 0) world.stdout.write(`no runs in ${options.results}\n`)
  const table = textTable(runs, [
    { title: 'RUN', of: ({ name }) => name },
    { title: 'STARTED', of: ({ startedAt }) => momentText(startedAt) },
    {
      title: 'VERDICT',
      of: ({ verdict, trouble }) => verdict ?? (trouble === null ? 'no end' : 'unreadable'),
    },
    { title: 'TESTS', of: ({ names }) => names.join(' ') },
    { title: 'PROJECT', of: ({ project }) => project ?? '-' },
    { title: 'USER', of: ({ user }) => user ?? '-' },
    {
      title: 'TIME',
      align: 'right',
      of: ({ durationSeconds }) =>
        durationSeconds === null ? '-' : formatDuration(Math.round(durationSeconds) * 1000),
    },
    { title: 'HITS', align: 'right', of: ({ hits }) => (hits === null ? '-' : formatCount(hits)) },
    { title: 'FAILED', align: 'right', of: ({ errorRate }) => shareText(errorRate) },
    { title: 'P95', align: 'right', of: ({ p95 }) => formatMillis(p95) },
  ])
  world.stdout.write(table)
  const broken = runs.filter(({ trouble }) => trouble !== null)
  for (const { path, trouble } of broken) world.stderr.write(`warning: ${path}: ${trouble}\n`)
  if (runs.length === options.limit)
    world.stdout.write(`the newest ${plural(runs.length, 'run')}; --limit shows more\n`)
  return 0
}

/** `2026-11-21 14:03:07`, by the clock of this machine. */
export function momentText(at: number): string {
  const date = new Date(at)
  const pad = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
}

/** `0.3%`; `-` when unknown. */
export function shareText(share: number | null): string {
  return share === null ? '-' : `${Number((share * 100).toPrecision(2))}%`
}
