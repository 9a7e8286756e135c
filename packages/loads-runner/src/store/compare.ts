import type { Comparison, SeriesComparison } from '@loads-runner/history'
import { inColor } from '../console/color.ts'
import { formatCount, formatMillis, formatRate } from '../console/figures.ts'
import { textTable } from '../console/text-table.ts'
import { exitCodes } from '../exit-codes.ts'
import type { World } from '../world.ts'
import { jsonText } from '../write-json.ts'
import { findRun } from './find-run.ts'
import { shareText } from './runs.ts'

export interface CompareOptions {
  before: string
  after: string
  results: string
  json: boolean
  /** Ends with the exit code of a crossed threshold when something has become worse. */
  fail: boolean
}

/** `loads compare BEFORE AFTER`: what has changed from one run to another, and whether that is chance. */
export async function compareCommand(world: World, options: CompareOptions): Promise<number> {
  const { before, after, results, json, fail } = options
  const { compareRuns } = await import('@loads-runner/history')
  const comparison = await compareRuns(
    await findRun(world, results, before),
    await findRun(world, results, after),
  )
  if (json) world.stdout.write(jsonText(comparison))
  else world.stdout.write(inColor(comparisonText(comparison), world.stdout, world.env))
  for (const { path, damage } of [comparison.before, comparison.after])
    if (damage !== null) world.stderr.write(`warning: ${path}: ${damage}; compared is what comes before\n`)
  return fail && isWorse(comparison) ? exitCodes.threshold : 0
}

function isWorse({ all, series }: Comparison): boolean {
  return [all, ...series].some(({ change, errors }) => change === 'slower' || errors.change === 'more')
}

/** The comparison as a table. */
export function comparisonText({ before, after, all, responses, series }: Comparison): string {
  const runs = [before, after].map(({ path, verdict, loadSeconds }, index) => {
    const seconds = `${formatRate(loadSeconds)} s`
    return `${index === 0 ? 'before' : 'after '}  ${path}  (${seconds}, ${verdict ?? 'no end'})\n`
  })
  const rows: { label: string; each: SeriesComparison }[] = [
    { label: 'all hits', each: all },
    ...(responses === null ? [] : [{ label: 'responses', each: responses }]),
    ...series.map((each) => ({
      label: [each.test, each.method, each.name].filter((part) => part !== '').join(' '),
      each,
    })),
  ]
  const table = textTable(
    rows,
    [
      { title: '', of: ({ each }) => markOf(each) },
      { title: 'name', of: ({ label }) => label },
      { title: 'hits', align: 'right', of: ({ each }) => change(each, ({ count }) => formatCount(count)) },
      { title: 'per second', align: 'right', of: ({ each }) => change(each, rateText) },
      {
        title: 'failed',
        align: 'right',
        of: ({ each }) => change(each, ({ errorRate }) => shareText(errorRate)),
      },
      { title: 'p50', align: 'right', of: ({ each }) => change(each, ({ p50 }) => formatMillis(p50)) },
      { title: 'p95', align: 'right', of: ({ each }) => change(each, ({ p95 }) => formatMillis(p95)) },
      { title: 'p95 ratio', align: 'right', of: ({ each }) => ratioText(each.ratio.p95) },
      { title: 'effect', align: 'right', of: ({ each }) => effectText(each.delta) },
      { title: 'p', align: 'right', of: ({ each }) => chanceText(each.p) },
      { title: 'verdict', of: ({ each }) => verdictText(each) },
    ],
    '  ',
  )
  return `${runs.join('')}\n${table}\n${legend}`
}

const legend =
  "effect: Cliff's delta, from -1 (all faster) to 1 (all slower); p: the chance of such a difference between equal runs\n"

type Side = NonNullable<SeriesComparison['before']>

function rateText({ perSecond }: Side): string {
  return perSecond === null ? '-' : formatRate(perSecond)
}

/** `12ms > 15ms`; one text where both are the same. */
function change({ before, after }: SeriesComparison, text: (side: Side) => string): string {
  const [one, other] = [before, after].map((side) => (side === null ? '-' : text(side)))
  return one === other ? one! : `${one} > ${other}`
}

function ratioText(ratio: number | null): string {
  return ratio === null ? '-' : ratio.toFixed(2)
}

function effectText(delta: number | null): string {
  return delta === null ? '-' : delta.toFixed(2)
}

function chanceText(p: number | null): string {
  if (p === null) return '-'
  return p < 0.001 ? '<0.001' : p.toFixed(3)
}

function markOf({ change: time, errors }: SeriesComparison): string {
  if (time === 'slower' || errors.change === 'more') return '✗'
  return time === 'faster' || errors.change === 'fewer' ? '✓' : ' '
}

function verdictText({ change: time, errors }: SeriesComparison): string {
  const words: string[] = [time]
  if (errors.change === 'more' || errors.change === 'fewer') words.push(`${errors.change} errors`)
  return words.join(', ')
}
