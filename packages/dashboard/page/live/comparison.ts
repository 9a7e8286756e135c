import type { Points, RunModel, SeriesRow } from '../../src/model.ts'
import { effectSize, effectsByName, effectText, errorsText, type Effect } from './effects.ts'
import type { Comparison } from '@loads-runner/history'
import type { Frame } from '../view/chart-data.ts'
import { formatCount, formatElapsed, formatMillis, formatRate, formatShare } from '../view/figures.ts'
import { quantileText, type QuantileName } from '../view/quantiles.ts'
import { isRequest, nameOf, statusOf } from '../view/series-lines.ts'

/** Two runs beside each other: what is more and what is less. Pure. */

export interface FigurePair {
  key: string
  label: string
  before: string
  after: string
  /** After divided by before; null where either is not known, or nothing. */
  ratio: number | null
  /** In words: `1.4 times as long`. */
  change: string
  /** More than chance? '' where nothing tells. */
  effect: string
}

export interface SeriesPair {
  key: string
  name: string
  status: string
  test: string
  before: SeriesRow | null
  after: SeriesRow | null
  ratios: Record<'rate' | QuantileName, number | null>
  /** How far its times are apart, whichever is longer: |ln(ratio of p95)|; null where one is not known. */
  size: number | null
  /** Of its name, all statuses and tags together; null while it is not known. */
  effect: Effect | null
  effectSize: number | null
}

export function ratioOf(before: number | null, after: number | null): number | null {
  return before === null || after === null || before <= 0 ? null : after / before
}

/** `×1.42` */
export function formatRatio(ratio: number | null): string {
  if (ratio === null) return '–'
  return `×${ratio >= 99.5 ? formatCount(ratio) : ratio >= 9.95 ? ratio.toFixed(1) : ratio.toFixed(2)}`
}

/** A difference that nobody would see: figures of histograms are exact to 0.8 %. */
export const sameShare = 0.01

/** What a ratio means in a sentence: `18 % more`, `2.4 times as long`. */
export function changeInWords(ratio: number | null, more: string, less: string): string {
  if (ratio === null) return ''
  if (Math.abs(ratio - 1) < sameShare) return 'the same'
  if (ratio >= 2) return `${Number(ratio.toPrecision(3))} times`
  const percent = Math.abs(ratio - 1) * 100
  return `${Number(percent.toPrecision(percent < 10 ? 2 : 3))} % ${ratio > 1 ? more : less}`
}

/** Seconds of load that counts so far. */
export function loadSeconds({ head, summary }: RunModel): number | null {
  const millis = summary === null ? head.elapsedMs - head.warmUpMs : summary.durationSeconds * 1000
  return millis > 0 ? millis / 1000 : null
}

/** The figures of all hits together. */
export function figurePairs(
  before: RunModel,
  after: RunModel,
  comparison: Comparison | null = null,
): FigurePair[] {
  const rate = (model: RunModel) => {
    if (model.summary !== null) return model.summary.hits.perSecond
    const seconds = loadSeconds(model)
    return seconds === null ? null : model.totals.hits / seconds
  }
  const share =
    (part: (model: RunModel) => number, whole: (model: RunModel) => number) => (model: RunModel) =>
      whole(model) === 0 ? null : part(model) / whole(model)
  const pair = (
    key: string,
    label: string,
    of: (model: RunModel) => number | null,
    format: (value: number | null) => string,
    [more, less]: readonly [string, string] = ['more', 'less'],
  ): FigurePair => {
    const ratio = ratioOf(of(before), of(after))
    const change = changeInWords(ratio, more, less)
    return { key, label, before: format(of(before)), after: format(of(after)), ratio, change, effect: '' }
  }
  const hasResponses = before.totals.responseTime !== null && after.totals.responseTime !== null
  const times = (['p50', 'p95', 'p99'] as const).map((name): FigurePair => ({
    ...pair(name, `Service ${name}`, (model) => model.totals.serviceTime[name], formatMillis, [
      'slower',
      'faster',
    ]),
    before: quantileText(before.totals.serviceTime, name),
    after: quantileText(after.totals.serviceTime, name),
    effect: effectAt(name, comparison?.all ?? null),
  }))
  const responses = (['p50', 'p95', 'p99'] as const).map((name): FigurePair => ({
    ...pair(
      `response-${name}`,
      `Response ${name}`,
      (model) => model.totals.responseTime?.[name] ?? null,
      formatMillis,
      ['slower', 'faster'],
    ),
    before: quantileText(before.totals.responseTime, name),
    after: quantileText(after.totals.responseTime, name),
    effect: effectAt(name, comparison?.responses ?? null),
  }))
  return [
    pair('rate', 'Hits per second', rate, formatRate),
    ...times,
    ...(hasResponses ? responses : []),
    {
      ...pair(
        'failed',
        'Failed hits',
        share(
          ({ totals }) => totals.failedHits,
          ({ totals }) => totals.hits,
        ),
        formatShare,
      ),
      effect: comparison === null ? '' : errorsText(comparison.all),
    },
    pair(
      'errors',
      'Failed executions',
      share(
        ({ totals }) => totals.failures + totals.errors,
        ({ totals }) => totals.executions,
      ),
      formatShare,
    ),
    pair('hits', 'Hits', ({ totals }) => totals.hits, formatCount),
    pair('executions', 'Executions', ({ totals }) => totals.executions, formatCount),
    pair(
      'length',
      'Duration',
      ({ head }) => (head.elapsedMs > 0 ? head.elapsedMs : null),
      (millis) => (millis === null ? '–' : formatElapsed(millis)),
      ['longer', 'shorter'],
    ),
    pair('coverage', 'Coverage', ({ totals }) => totals.coverage, formatShare),
  ]
}

/** It is of all times together: beside their median it is said once. */
function effectAt(name: QuantileName, effect: Effect | null): string {
  return name !== 'p50' || effect === null ? '' : effectText(effect)
}

/** Requests by what they are; those of one run only have no ratio. The largest change first. */
export function seriesPairs(
  before: RunModel,
  after: RunModel,
  comparison: Comparison | null = null,
): SeriesPair[] {
  const effectOf = comparison === null ? () => null : effectsByName(comparison)
  const pairs = new Map<string, { before: SeriesRow | null; after: SeriesRow | null }>()
  const put = (rows: readonly SeriesRow[], side: 'before' | 'after') => {
    for (const row of rows) {
      if (!isRequest(row)) continue
      const key = JSON.stringify([
        row.kind,
        row.test,
        row.name,
        row.method,
        row.status,
        Object.keys(row.tags)
          .toSorted()
          .map((tag) => [tag, row.tags[tag]]),
      ])
      const pair = pairs.get(key) ?? { before: null, after: null }
      pair[side] = row
      pairs.set(key, pair)
    }
  }
  put(before.series, 'before')
  put(after.series, 'after')
  const rateOf = (row: SeriesRow | null, seconds: number | null) =>
    row === null || seconds === null ? null : row.count / seconds
  const rates = [loadSeconds(before), loadSeconds(after)] as const
  const found = Array.from(pairs, ([key, pair]): SeriesPair => {
    const row = (pair.after ?? pair.before)!
    const ratio = (name: QuantileName) =>
      ratioOf(pair.before?.time?.[name] ?? null, pair.after?.time?.[name] ?? null)
    const ratios = {
      rate: ratioOf(rateOf(pair.before, rates[0]), rateOf(pair.after, rates[1])),
      p50: ratio('p50'),
      p95: ratio('p95'),
      p99: ratio('p99'),
    }
    const size = ratios.p95 === null || ratios.p95 === 0 ? null : Math.abs(Math.log(ratios.p95))
    const effect = effectOf(row)
    return {
      key,
      name: nameOf(row),
      status: statusOf(row),
      test: row.test,
      ...pair,
      ratios,
      size,
      effect,
      effectSize: effectSize(effect),
    }
  })
  return found.sort((one, other) => (other.size ?? -1) - (one.size ?? -1))
}

export interface AlignedPoints {
  frame: Frame
  before: (values: readonly (number | null)[]) => (number | null)[]
  after: (values: readonly (number | null)[]) => (number | null)[]
}

/**
 * Two runs on one axis of time since their starts. Points of one may be longer than those of the other: a value holds
 * for all of its point, so that nothing is made up between.
 */
export function alignPoints(before: Points, after: Points): AlignedPoints {
  const middles = ({ fromMs, spanMs }: Points) => fromMs.map((from, index) => from + spanMs[index]! / 2)
  const x = [...new Set([...middles(before), ...middles(after)])].sort((one, other) => one - other)
  const places = [placesOf(before, x), placesOf(after, x)] as const
  const spanMs = x.map((_, at) =>
    Math.min(before.spanMs[places[0][at]!] ?? Infinity, after.spanMs[places[1][at]!] ?? Infinity),
  )
  const pick = (side: 0 | 1) => (values: readonly (number | null)[]) =>
    places[side].map((place) => (place < 0 ? null : (values[place] ?? null)))
  return { frame: { x, source: x.map((_, at) => at), spanMs }, before: pick(0), after: pick(1) }
}

/** The point that each moment lies in; -1: none. Both ascend. */
function placesOf({ fromMs, spanMs }: Points, x: readonly number[]): number[] {
  let place = 0
  return x.map((moment) => {
    while (place < fromMs.length && fromMs[place]! + spanMs[place]! <= moment) place++
    return place < fromMs.length && fromMs[place]! <= moment ? place : -1
  })
}
