import { resolve } from 'node:path'
import type { TrendPoint } from '@loads-runner/history'
import type { Dimension } from '@loads-runner/metrics'
import { textPlot } from '../capacity/text-plot.ts'
import { textTable } from '../console/text-table.ts'
import { valueText } from '../console/threshold-text.ts'
import type { World } from '../world.ts'
import { jsonText } from '../write-json.ts'
import { filterOf } from './filter.ts'
import type { FilterOptions } from './filter.ts'
import { momentText } from './runs.ts'

/** `loads trend METRIC`: one figure over the past runs, oldest first. */
export async function trendCommand(world: World, metric: string, options: FilterOptions): Promise<number> {
  const { parseTrendMetric, RunStore, trend } = await import('@loads-runner/history')
  const { dimension } = parseTrendMetric(metric)
  const runs = await new RunStore([resolve(world.cwd, options.results)]).list(filterOf(options))
  const readable = runs.filter(({ trouble }) => trouble === null)
  const points = await trend(readable, metric)
  if (points.length > 0 && points.every(({ value }) => value === null))
    world.stderr.write(`warning: none of these runs has recorded ${metric}: is the name right?\n`)
  if (options.json) world.stdout.write(jsonText({ metric, dimension, points }))
  else world.stdout.write(trendText(metric, points, dimension))
  return 0
}

/** The figure of each run, and a plot of those that are known. */
export function trendText(metric: string, points: readonly TrendPoint[], dimension: Dimension): string {
  if (points.length === 0) return 'no runs\n'
  const text = (value: number | null) => (value === null ? '-' : valueText(dimension, value))
  const known = points.flatMap(({ value }, x) => (value === null ? [] : [{ x, y: value, value }]))
  const passed = known.filter(({ x }) => points[x]!.verdict === 'passed')
  const others = known.filter(({ x }) => points[x]!.verdict !== 'passed')
  const plot = textPlot(
    [
      { mark: '●', points: passed },
      { mark: '✗', points: others },
    ],
    {
      width: Math.min(100, Math.max(10, points.length * 2)),
      height: 8,
      formatX: (x) => `#${x + 1}`,
      formatY: (value) => valueText(dimension, value),
    },
  )
  const numbered = points.map((point, index) => ({ ...point, number: index + 1 }))
  const table = textTable(numbered, [
    { title: '#', align: 'right', of: ({ number }) => String(number) },
    { title: 'RUN', of: ({ path }) => path.slice(path.lastIndexOf('/') + 1) },
    { title: 'STARTED', of: ({ startedAt }) => (startedAt === null ? '-' : momentText(startedAt)) },
    { title: 'VERDICT', of: ({ verdict }) => verdict ?? 'no end' },
    { title: metric, align: 'right', of: ({ value }) => text(value) },
  ])
  return known.length < 2 ? table : `${plot}\n${table}\n● passed  ✗ not\n`
}
