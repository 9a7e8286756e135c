import { Distribution, hitKinds, interruptedStatus, type SeriesKey, type Stats } from '@loads-runner/metrics'
import type { Interval } from './interval.ts'
import type { Recording } from './recording.ts'
import { totalsOf, type Totals } from './totals.ts'

/** Blocks of ten seconds up to two hours, of a minute up to a day; what is longer is compared by its first day. */
const mostBlocks = { 10_000: 720, 60_000: 1_440 } as const
export type BlockMs = keyof typeof mostBlocks
const blockLengths = [10_000, 60_000] as const

/** The name of a series whatever its status and tags. */
export interface SeriesName {
  kind: SeriesKey['kind']
  test: string
  name: string
  method: string
}

/** All that is known of one name in a run. */
export class NamedSeries {
  readonly key: SeriesName
  readonly times = new Distribution()
  count = 0
  failed = 0
  /** Medians of blocks by the length of the blocks and the time at which they begin: buckets of the histogram. */
  readonly #medians = new Map<BlockMs, Map<number, number>>()

  constructor(key: SeriesName) {
    this.key = key
  }

  get stats(): Stats {
    return this.times.stats()
  }

  /** The median of a block, or its next revision. */
  setMedian(blockMs: BlockMs, fromMs: number, bucket: number): void {
    let blocks = this.#medians.get(blockMs)
    if (blocks === undefined) this.#medians.set(blockMs, (blocks = new Map()))
    if (!blocks.has(fromMs) && blocks.size >= mostBlocks[blockMs]) return
    blocks.set(fromMs, bucket)
  }

  /** The bucket of the median of each block. */
  blocks(blockMs: BlockMs): readonly number[] {
    return [...(this.#medians.get(blockMs)?.values() ?? [])]
  }
}

/** A run by the names of its series: hits, steps and timings, and all hits together. */
export interface NamedTotals {
  totals: Totals
  all: NamedSeries
  /** First hits of executions from their intended start: open models only. */
  responses: NamedSeries
  /** By {@link nameId}. */
  byName: ReadonlyMap<string, NamedSeries>
  /** Blocks of this length hold the whole run. */
  longestBlockMs: BlockMs
}

export function nameId({ kind, test, name, method }: SeriesName): string {
  return JSON.stringify([kind, test, name, method])
}

/** Reads a run once. */
export async function namedTotalsOf(recording: Recording): Promise<NamedTotals> {
  const byName = new Map<string, NamedSeries>()
  const all = new NamedSeries({ kind: 'http', test: '', name: '', method: '' })
  const responses = new NamedSeries({ kind: 'hit-response', test: '', name: '', method: '' })
  const seriesOf = (key: SeriesKey) => {
    const id = nameId(key)
    let series = byName.get(id)
    if (series === undefined) {
      const { kind, test, name, method } = key
      byName.set(id, (series = new NamedSeries({ kind, test, name, method })))
    }
    return series
  }
  const onInterval = (interval: Interval) => setMedians(interval, all, responses, seriesOf)
  const totals = await totalsOf(recording, { spansMs: blockLengths, onInterval })
  for (const series of totals.aggregate.series.values()) {
    if (series.histogram === null) continue
    for (const named of placesOf(series.key, all, responses, seriesOf)) {
      named.times.merge(series)
      named.count += series.count
      if (series.key.status !== interruptedStatus) named.failed += series.failed
    }
  }
  const seconds = totals.loadSeconds
  return { totals, all, responses, byName, longestBlockMs: seconds > 7200 ? 60_000 : 10_000 }
}

function setMedians(
  interval: Interval,
  all: NamedSeries,
  responses: NamedSeries,
  seriesOf: (key: SeriesKey) => NamedSeries,
): void {
  // A piece of a block at the end says less than the others, and would weigh as much.
  if (interval.warmUp || interval.loadMs < interval.spanMs / 2) return
  const merged = new Map<NamedSeries, Map<number, number>>()
  for (const { key, buckets } of interval.delta.series.values()) {
    if (buckets === null) continue
    for (const named of placesOf(key, all, responses, seriesOf)) {
      let into = merged.get(named)
      if (into === undefined) merged.set(named, (into = new Map()))
      for (const [bucket, count] of buckets) into.set(bucket, (into.get(bucket) ?? 0) + count)
    }
  }
  for (const [named, buckets] of merged) {
    const median = medianBucket(buckets)
    if (median !== null) named.setMedian(interval.spanMs as BlockMs, interval.fromMs, median)
  }
}

/** What a series counts for. */
function placesOf(
  key: SeriesKey,
  all: NamedSeries,
  responses: NamedSeries,
  seriesOf: (key: SeriesKey) => NamedSeries,
): NamedSeries[] {
  if (hitKinds.has(key.kind)) return [all, seriesOf(key)]
  if (key.kind === 'hit-response') return [responses]
  return key.kind === 'step' || key.kind === 'timing' ? [seriesOf(key)] : []
}

/** The bucket that holds the median; null without samples. */
function medianBucket(buckets: ReadonlyMap<number, number>): number | null {
  const pairs = [...buckets].sort(([one], [other]) => one - other)
  const count = pairs.reduce((sum, [, samples]) => sum + samples, 0)
  let seen = 0
  for (const [bucket, samples] of pairs) {
    seen += samples
    if (seen >= count / 2) return bucket
  }
  return null
}
